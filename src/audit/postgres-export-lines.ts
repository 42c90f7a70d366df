import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type ConnectionPool, type Transaction, withSnapshot } from '../database/transaction.ts';
import { originOf } from './checkpoint.ts';
import { formatExportLine } from './export-line.ts';
import { listCheckpoints } from './postgres-checkpoints.ts';
import { treeHashOf } from './postgres-tree-hashes.ts';

interface Ends {
  /** Leaves. */
  readonly size: number;
  /** Of the largest checkpoint: not above `size`, unless the tail was deleted. */
  readonly signed: number;
}

interface LeafRow {
  readonly leaf: string;
  readonly hash: Buffer;
  readonly bytes: Buffer | null;
}

const ENDS = `
  SELECT coalesce((SELECT max(l.leaf) + 1 FROM audit.leaf l WHERE l.org_id = $1), 0) AS size,
         coalesce((SELECT max(c.size) FROM audit.checkpoint c WHERE c.org_id = $1), 0) AS signed`;

// An event that was deleted leaves its leaf behind, or the other way round; pages go by leaves all the same.
const LEAVES = `
  SELECT l.leaf, l.hash, e.bytes
    FROM (SELECT leaf, hash, xid, seq FROM audit.leaf WHERE org_id = $1 AND leaf >= $2 AND leaf < $3 ORDER BY leaf LIMIT $4) AS l
    LEFT JOIN audit.event e ON e.org_id = $1 AND e.xid = l.xid AND e.seq = l.seq
   ORDER BY l.leaf`;

/**
 * Page by page, each in a transaction of its own: an export of years may take as long as its reader likes. That is sound
 * since the log only grows, and where it ends is read at the beginning, leaves and checkpoints in one snapshot.
 */
export async function* exportLines(
  pool: ConnectionPool,
  scope: Scope,
  unsigned: boolean,
): AsyncGenerator<string, void, undefined> {
  const ends = endsOf(await withSnapshot(pool, scope, readEnds), unsigned);
  yield formatExportLine({ kind: 'header', origin: originOf(scope.orgId) });
  for (let at = 0, more = true; more; ) {
    const page = await withSnapshot(pool, scope, (transaction) => readPage(transaction, ends, at));
    yield* page.lines;
    more = page.more;
    at = page.end;
  }
}

/** Events without a signature prove nothing, so they are for those who ask for them; all there are while nothing is signed yet. */
function endsOf({ size, signed }: Ends, unsigned: boolean): Ends {
  return unsigned || signed === 0 ? { size, signed } : { size: Math.min(size, signed), signed };
}

async function readEnds({ query, scope }: Transaction): Promise<Ends> {
  const { rows } = await query<{ size: string; signed: string }>(ENDS, [scope.orgId]);
  return { size: Number(rows[0]?.size), signed: Number(rows[0]?.signed) };
}

/** Leaves from `at` on and the checkpoints behind each; on the last pages checkpoints over leaves that are not there. */
async function readPage(
  transaction: Transaction,
  ends: Ends,
  at: number,
): Promise<{ readonly lines: string[]; readonly end: number; readonly more: boolean }> {
  const { query, scope } = transaction;
  const limit = limits.auditExportPageMax;
  const { rows: leaves } = await query<LeafRow>(LEAVES, [scope.orgId, at, ends.size, limit]);
  const last = leaves.at(-1);
  const end = last === undefined ? Number.MAX_SAFE_INTEGER : Number(last.leaf) + 1;
  const range = { above: at, size: Math.min(end, ends.signed), limit };
  const checkpoints = await listCheckpoints(transaction, scope.orgId, range);
  const lines: string[] = [];
  let written = 0;
  const writeCheckpoints = (size: number): void => {
    for (let next = checkpoints[written]; next !== undefined && next.size <= size; next = checkpoints[written]) {
      lines.push(formatExportLine({ kind: 'checkpoint', note: next.note }));
      written += 1;
    }
  };
  for (const { leaf, hash, bytes } of leaves) {
    if (bytes === null) continue;
    writeCheckpoints(Number(leaf));
    lines.push(formatExportLine({ kind: 'leaf', leaf: Number(leaf), bytes, hash: treeHashOf(hash) }));
  }
  writeCheckpoints(end);
  const lastSize = checkpoints.at(-1)?.size ?? at;
  return last === undefined ? { lines, end: lastSize, more: checkpoints.length === limit } : { lines, end, more: true };
}
