import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { isId, type Scope } from '../core/ids.ts';
import { findOutcome, lostAnswerOf, lostChange, type Proof } from './outcome.ts';
import { isFailedTransaction } from './postgres-errors.ts';

export interface QueryResult<Row> {
  readonly rows: readonly Row[];
  /** First word of what the server says it did. */
  readonly command: string;
}

/**
 * Somewhere statements can be run. A statement that the server cancelled for its length is `timeout`.
 * @throws QuasarError `database_unavailable`, `timeout`, `storage_full`, `internal` with the server's error as cause.
 */
export interface Queries {
  /** A question; within a transaction, anything. Of a pool it may change nothing, and the server refuses what would. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>>;
  /**
   * What may change something. By itself it is a transaction: `database_unavailable`, `timeout` and `storage_full` then say
   * that nothing was changed.
   * @throws QuasarError `commit_unknown` when that cannot be said; with `proof` `tookPlace` tells when it is known to be done.
   */
  change<Row extends object>(text: string, values?: readonly unknown[], proof?: Proof): Promise<QueryResult<Row>>;
}

/** One connection that is ours for a while. */
export interface Connection extends Queries {
  /** Begins a transaction under the bounds of the pool; `settings` hold until its end. `reads`: it may change nothing. */
  begin(settings?: Readonly<Record<string, string>>, reads?: boolean): Promise<void>;
  commit(): Promise<QueryResult<object>>;
}

/** One connection at a time for `work`; broken ones do not come back. */
export interface ConnectionPool extends Queries {
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
}

/** Statements between BEGIN and COMMIT, seeing and writing the rows of one org only. */
export interface Transaction extends Queries {
  readonly scope: Scope;
}

/**
 * Runs `work` in one transaction. Whatever it throws rolls back and is thrown on. Events of `proof` that `work` stores tell
 * what became of it when the answer to COMMIT is lost.
 * @throws QuasarError `commit_unknown` when the connection died during COMMIT, and nothing tells what became of it.
 */
export function inTransaction<T>(
  pool: ConnectionPool,
  work: (connection: Queries) => Promise<T>,
  options: { readonly proof?: Proof } = {},
): Promise<T> {
  return runBetween(pool, work, options);
}

/** The same, for the rows of the scope's org alone. Functions that name the org themselves (migrations) need none of this. */
export function withTransaction<T>(
  pool: ConnectionPool,
  scope: Scope,
  work: (transaction: Transaction) => Promise<T>,
  options: { readonly proof?: Proof; readonly reads?: boolean } = {},
): Promise<T> {
  assert(isId(scope.orgId), 'an org id was parsed');
  const settings = { 'app.org_id': scope.orgId };
  return runBetween(pool, ({ query, change }) => work({ scope, query, change }), { ...options, settings });
}

/** `withTransaction` for questions that go together. */
export function withSnapshot<T>(pool: ConnectionPool, scope: Scope, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return withTransaction(pool, scope, work, { reads: true });
}

interface Frame {
  readonly settings?: Readonly<Record<string, string>>;
  readonly proof?: Proof;
  readonly reads?: boolean;
}

async function runBetween<T>(pool: ConnectionPool, work: (connection: Queries) => Promise<T>, frame: Frame): Promise<T> {
  let done: { readonly result: T } | undefined;
  try {
    return await pool.withConnection(async (connection) => {
      try {
        await connection.begin(frame.settings, frame.reads);
        done = { result: await work(connection) };
        await commit(connection);
        return done.result;
      } catch (error) {
        // A connection that cannot roll back is broken and leaves the pool; the first reason is the one to tell.
        await Promise.allSettled([connection.query('ROLLBACK')]);
        throw error;
      }
    });
  } catch (error) {
    const lost = lostAnswerOf(error);
    // Before COMMIT was sent it is certain that nothing was changed.
    if (lost === undefined || done === undefined) throw error;
    if (lost.transactionId === null) return done.result;
    const outcome = await findOutcome(pool, lost, frame.proof);
    if (outcome === 'committed') return done.result;
    throw lostChange(lost, outcome, 'database.commit');
  }
}

async function commit(connection: Connection): Promise<void> {
  let command: string | undefined;
  try {
    ({ command } = await connection.commit());
  } catch (error) {
    if (!isFailedTransaction(error)) throw error;
  }
  // A transaction with a failed statement answers COMMIT with ROLLBACK, politely.
  if (command !== 'COMMIT')
    throw new QuasarError('internal', { op: 'database.commit', message: 'A failed transaction was committed.' });
}
