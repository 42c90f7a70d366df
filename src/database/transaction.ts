import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { isId, type Scope } from '../core/ids.ts';
import { isStatementFailure } from './postgres-errors.ts';

export interface QueryResult<Row> {
  readonly rows: readonly Row[];
  /** First word of what the server says it did. */
  readonly command: string;
}

/** Somewhere statements can be run. @throws QuasarError `database_unavailable`, `internal` with the server's error as cause. */
export interface Queries {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** One connection at a time for `work`; broken ones do not come back. */
export interface ConnectionPool extends Queries {
  withConnection<T>(work: (connection: Queries) => Promise<T>): Promise<T>;
}

/** Statements between BEGIN and COMMIT, seeing and writing the rows of one org only. */
export interface Transaction extends Queries {
  readonly scope: Scope;
}

/**
 * Runs `work` in one transaction. Whatever it throws rolls back and is thrown on.
 * @throws QuasarError `commit_unknown` when the connection died during COMMIT.
 */
export async function inTransaction<T>(pool: ConnectionPool, work: (connection: Queries) => Promise<T>): Promise<T> {
  return runBetween('BEGIN', pool, work);
}

/** The same, for the rows of the scope's org alone. Functions that name the org themselves (migrations) need none of this. */
export async function withTransaction<T>(
  pool: ConnectionPool,
  scope: Scope,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  // One message instead of two; statements that go together take no parameters, and a parsed id needs no quoting.
  assert(isId(scope.orgId), 'an org id was parsed');
  const begin = `BEGIN; SELECT set_config('app.org_id', '${scope.orgId}', true)`;
  return runBetween(begin, pool, ({ query }) => work({ scope, query }));
}

async function runBetween<T>(begin: string, pool: ConnectionPool, work: (connection: Queries) => Promise<T>): Promise<T> {
  return pool.withConnection(async (connection) => {
    try {
      await connection.query(begin);
      const result = await work(connection);
      await commit(connection);
      return result;
    } catch (error) {
      // A connection that cannot roll back is broken and leaves the pool; the first reason is the one to tell.
      await Promise.allSettled([connection.query('ROLLBACK')]);
      throw error;
    }
  });
}

async function commit(connection: Queries): Promise<void> {
  let command: string;
  try {
    ({ command } = await connection.query('COMMIT'));
  } catch (cause) {
    if (isStatementFailure(cause)) throw cause;
    throw new QuasarError('commit_unknown', { op: 'database.commit', cause });
  }
  // A transaction with a failed statement answers COMMIT with ROLLBACK, politely.
  if (command !== 'COMMIT')
    throw new QuasarError('internal', { op: 'database.commit', message: 'A failed transaction was committed.' });
}
