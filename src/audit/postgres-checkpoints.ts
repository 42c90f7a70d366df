import type { OrgId } from '../core/ids.ts';
import type { Queries } from '../database/transaction.ts';
import type { StoredCheckpoint } from './audit-store.ts';
import { treeHashOf } from './postgres-tree-hashes.ts';

interface CheckpointRow {
  readonly size: string;
  readonly root: Buffer;
  readonly signed_at: Date;
  readonly note: string;
}

const COLUMNS = 'SELECT c.size, c.root, c.signed_at, c.note FROM audit.checkpoint c WHERE c.org_id = $1';

/** The largest over at most `size` leaves. Runs where the org is set. */
export async function findLastCheckpoint(
  queries: Queries,
  orgId: OrgId,
  size = Number.MAX_SAFE_INTEGER,
): Promise<StoredCheckpoint | undefined> {
  const { rows } = await queries.query<CheckpointRow>(`${COLUMNS} AND c.size <= $2 ORDER BY c.size DESC LIMIT 1`, [orgId, size]);
  return rows.map(toCheckpoint)[0];
}

/** Smallest first, of those over more than `above` leaves and at most `size`. Runs where the org is set. */
export async function listCheckpoints(
  queries: Queries,
  orgId: OrgId,
  range: { readonly above: number; readonly size: number; readonly limit: number },
): Promise<readonly StoredCheckpoint[]> {
  const text = `${COLUMNS} AND c.size > $2 AND c.size <= $3 ORDER BY c.size LIMIT $4`;
  const { rows } = await queries.query<CheckpointRow>(text, [orgId, range.above, range.size, range.limit]);
  return rows.map(toCheckpoint);
}

function toCheckpoint({ size, root, signed_at, note }: CheckpointRow): StoredCheckpoint {
  return { size: Number(size), root: treeHashOf(root), time: signed_at.toISOString(), note };
}
