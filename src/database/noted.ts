import type { AuditNote } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';
import { tookPlace } from './outcome.ts';
import { type ConnectionPool, inTransaction, type Queries } from './transaction.ts';

export interface NotedCall {
  readonly orgId: OrgId;
  /** `SELECT * FROM f($1, …)` with a column `outcome`, or `SELECT f($1, …) AS outcome`; a function that names the org itself. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** The outcomes that changed something. */
  readonly when: readonly string[];
  readonly notes: readonly AuditNote[];
  /** The row of a change that took place, for when it did and its answer was lost. Without it that is `commit_unknown`. */
  readonly done?: { readonly outcome: string } & Readonly<Record<string, unknown>>;
}

/**
 * Calls one function and stores the notes when it changed something: one statement, so one transaction and one round trip.
 * @throws QuasarError as `Queries.change`.
 */
export async function askNoted<Row extends { readonly outcome: string }>(queries: Queries, call: NotedCall): Promise<Row> {
  const row = await findNoted<Row>(queries, call);
  assert(row !== undefined, 'a change has an outcome');
  return row;
}

/**
 * The same, if the document is what the guard demands: both in one transaction, under the lock of the document's row, so that
 * nothing changes it in between. Without a guard one round trip, as `askNoted`.
 * @throws QuasarError `precondition_failed` when it is not; nothing was changed then. `commit_unknown` as `inTransaction`.
 */
export async function askGuarded<Row extends { readonly outcome: string }>(
  pool: ConnectionPool,
  call: NotedCall,
  guard: DocumentGuard | undefined,
): Promise<Row> {
  if (guard === undefined) return askNoted<Row>(pool, call);
  const proof = { orgId: call.orgId, eventIds: call.notes.map(({ id }) => id) };
  const work = async (connection: Queries) => {
    const values = [call.orgId, guard.documentId, guard.versions, guard.states];
    const text = 'SELECT quasar.document_matches($1, $2, $3::uuid[], $4::text[]) AS holds';
    const { rows } = await connection.query<{ holds: boolean }>(text, values);
    if (rows[0]?.holds !== true) throw new QuasarError('precondition_failed', { op: 'document.change' });
    return askNoted<Row>(connection, call);
  };
  return inTransaction(pool, work, { proof });
}

/**
 * The same for a statement of a transaction that names the org, `INSERT … RETURNING 'created' AS outcome`: undefined when it
 * returned no row.
 */
export async function findNoted<Row extends { readonly outcome: string }>(
  queries: Queries,
  call: NotedCall,
): Promise<Row | undefined> {
  const { orgId, text, values, when, notes } = call;
  const n = values.length;
  const statement = `WITH done AS MATERIALIZED (${text})
    SELECT done.*, CASE WHEN done.outcome = ANY($${n + 1}::text[]) THEN
             audit.append($${n + 2}::uuid, $${n + 3}::uuid[], $${n + 4}::bytea[])::text END AS noted FROM done`;
  const all = [...values, when, orgId, notes.map(({ id }) => id), notes.map(({ bytes }) => Buffer.from(bytes))];
  try {
    const { rows } = await queries.change<Row>(statement, all, { orgId, eventIds: notes.map(({ id }) => id) });
    return rows[0];
  } catch (error) {
    if (call.done === undefined || !tookPlace(error)) throw error;
    return call.done as unknown as Row;
  }
}
