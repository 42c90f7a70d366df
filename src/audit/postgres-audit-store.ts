import { assert } from '../core/assert.ts';
import { type OrgId, parseId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction, type Queries } from '../database/transaction.ts';
import type { AuditStore, LogWriter, NewLeaf, StoredCheckpoint, WaitingEvent } from './audit-store.ts';
import { treeHashToBase64 } from './merkle-hash.ts';
import type { HashedSubtree } from './merkle-tree.ts';
import { findLastCheckpoint } from './postgres-checkpoints.ts';
import { PostgresTreeHashes } from './postgres-tree-hashes.ts';
import { progressAfter, type SequencingProgress } from './sequencing-progress.ts';

/** The tables of migrations/000010-audit.sql. Which events have no leaf is what the rows say; the progress kept beside them only tells where to look. */
export class PostgresAuditStore implements AuditStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  listWaitingOrgs(): Promise<readonly OrgId[]> {
    return this.#listOrgs('SELECT * FROM audit.list_waiting_orgs() AS org_id');
  }

  listUnsignedOrgs(): Promise<readonly OrgId[]> {
    return this.#listOrgs('SELECT * FROM audit.list_unsigned_orgs() AS org_id');
  }

  async openLog<T>(orgId: OrgId, work: (log: LogWriter) => Promise<T>): Promise<T | undefined> {
    return inTransaction(this.#pool, async (connection) => {
      const { rows } = await connection.query<OpenRow>('SELECT * FROM audit.open_log($1)', [orgId]);
      const [row] = rows;
      assert(row !== undefined, 'a log says whether it is locked');
      return row.locked ? work(new PostgresLogWriter(connection, orgId, row)) : undefined;
    });
  }

  async #listOrgs(text: string): Promise<readonly OrgId[]> {
    const { rows } = await this.#pool.query<{ org_id: string }>(text);
    return rows.map(({ org_id }) => parseId<OrgId>(org_id, 'orgId'));
  }
}

type OpenRow = { readonly locked: false } | (LogState & { readonly locked: true });

/** Numbers of transactions as decimal text: they have 64 bits. */
interface LogState {
  readonly size: string;
  /** Null: the rows are from another server, whose numbers say nothing here. */
  readonly floor: string | null;
  readonly open: readonly string[] | null;
  readonly until: string;
  readonly running: readonly string[];
}

// A scan for each part, so that each reads its index in order and ends at the limit, and both sides of a comparison begin at
// the floor, whatever they are joined by. Rows from another server that this one's numbers have not reached wait until they
// have, unless everything is looked at.
const EVENTS = `
  SELECT found.xid::text AS transaction, found.seq::text AS sequence, found.bytes
    FROM ((SELECT e.xid, e.seq, e.bytes FROM audit.event e
            WHERE e.org_id = $1 AND e.xid = ANY ($2::xid8[])
              AND NOT EXISTS (SELECT FROM audit.leaf l WHERE l.org_id = $1 AND l.xid = ANY ($2::xid8[]) AND l.xid = e.xid AND l.seq = e.seq)
            ORDER BY e.xid, e.seq LIMIT $5)
          UNION ALL
          (SELECT e.xid, e.seq, e.bytes FROM audit.event e
            WHERE e.org_id = $1 AND e.xid >= $3::xid8 AND e.xid < $4::xid8
              AND NOT EXISTS (SELECT FROM audit.leaf l WHERE l.org_id = $1 AND l.xid >= $3::xid8 AND l.xid = e.xid AND l.seq = e.seq)
            ORDER BY e.xid, e.seq LIMIT $5)) AS found
   ORDER BY found.xid, found.seq LIMIT $5`;

// Rows as one JSON text: written natively, where the driver would write each element of eight arrays.
const ADD_LEAVES = `
  INSERT INTO audit.leaf (org_id, leaf, xid, seq, hash, happened_at, principal_id, action, resource_id)
  SELECT $1::uuid, l.leaf, l.transaction::xid8, l.sequence, decode(l.hash, 'base64'), l.time, l."principalId", l.action, l."resourceId"
    FROM json_to_recordset($2) AS l(leaf bigint, transaction text, sequence bigint, hash text,
                                    time timestamptz, "principalId" text, action text, "resourceId" text)`;

const ADD_SUBTREES = `
  INSERT INTO audit.subtree (org_id, level, index, hash)
  SELECT $1::uuid, s.level, s.index, decode(s.hash, 'base64')
    FROM json_to_recordset($2) AS s(level smallint, index bigint, hash text)`;

const SET_PROGRESS = `
  INSERT INTO audit.progress (org_id, server, floor, open) VALUES ($1, audit.server(), $2::xid8, $3::xid8[])
  ON CONFLICT (org_id) DO UPDATE SET server = excluded.server, floor = excluded.floor, open = excluded.open`;

const ADD_CHECKPOINT = 'INSERT INTO audit.checkpoint (org_id, size, root, signed_at, note) VALUES ($1, $2, $3, $4, $5)';

const TRANSACTION_MAX = 2n ** 64n - 1n;

class PostgresLogWriter extends PostgresTreeHashes implements LogWriter {
  readonly size: number;
  readonly #queries: Queries;
  readonly #orgId: OrgId;
  readonly #state: LogState;
  /** Once the events that were taken have their leaves. */
  #next: SequencingProgress | undefined;

  constructor(queries: Queries, orgId: OrgId, state: LogState) {
    super(queries, orgId);
    this.size = Number(state.size);
    this.#queries = queries;
    this.#orgId = orgId;
    this.#state = state;
  }

  async takeEvents(limit: number): Promise<readonly WaitingEvent[]> {
    const state = this.#state;
    const snapshot = { until: BigInt(state.until), running: state.running.map(BigInt) };
    const known = state.floor === null ? undefined : { floor: BigInt(state.floor), open: (state.open ?? []).map(BigInt) };
    const place = known ?? { floor: 0n, open: [] };
    const values = [this.#orgId, place.open, place.floor, known === undefined ? TRANSACTION_MAX : snapshot.until, limit];
    type Row = WaitingEvent['place'] & { readonly bytes: Buffer };
    const { rows } = await this.#queries.query<Row>(EVENTS, values);
    const last = rows.length < limit ? undefined : rows.at(-1)?.transaction;
    const mayAdvance = known !== undefined || last === undefined;
    this.#next = mayAdvance ? progressAfter(place, snapshot, last === undefined ? undefined : BigInt(last)) : undefined;
    return rows.map(({ transaction, sequence, bytes }) => ({ place: { transaction, sequence }, bytes }));
  }

  async addLeaves(leaves: readonly NewLeaf[], subtrees: readonly HashedSubtree[]): Promise<void> {
    if (leaves.length > 0) await this.#queries.query(ADD_LEAVES, [this.#orgId, leafRows(leaves)]);
    if (subtrees.length > 0) await this.#queries.query(ADD_SUBTREES, [this.#orgId, subtreeRows(subtrees)]);
    if (this.#next !== undefined) await this.#queries.query(SET_PROGRESS, [this.#orgId, this.#next.floor, this.#next.open]);
  }

  findLastCheckpoint(): Promise<StoredCheckpoint | undefined> {
    return findLastCheckpoint(this.#queries, this.#orgId);
  }

  async addCheckpoint({ size, root, time, note }: StoredCheckpoint): Promise<void> {
    await this.#queries.query(ADD_CHECKPOINT, [this.#orgId, size, root, time, note]);
  }
}

function leafRows(leaves: readonly NewLeaf[]): string {
  return JSON.stringify(
    leaves.map(({ leaf, place, hash, subject }) => ({ leaf, ...place, hash: treeHashToBase64(hash), ...subject })),
  );
}

function subtreeRows(subtrees: readonly HashedSubtree[]): string {
  return JSON.stringify(subtrees.map(({ level, index, hash }) => ({ level, index, hash: treeHashToBase64(hash) })));
}
