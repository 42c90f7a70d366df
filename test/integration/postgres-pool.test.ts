import t from 'tap';
import { QuasarError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { changedNothing, isStatementFailure, isWorthRetrying } from '../../src/database/postgres-errors.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { inTransaction, type Queries, withTransaction } from '../../src/database/transaction.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { pool, admin, scope, database } = await openTestDatabase(t);
await admin.query('CREATE TABLE public.scratch (x int PRIMARY KEY); GRANT ALL ON public.scratch TO quasar_app');

async function backendOf(connection: Queries): Promise<number> {
  const { rows } = await connection.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid as number;
}

async function scratch(): Promise<number[]> {
  const { rows } = await pool.query<{ x: number }>('SELECT x FROM public.scratch ORDER BY x');
  return rows.map(({ x }) => x);
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

t.test('a statement that fails is ours to blame, keeps its cause, and costs no connection', async (t) => {
  await pool.withConnection(async (connection) => {
    const before = await backendOf(connection);
    const error = await failureOf(connection.query('SELECT 1 / 0'));
    t.match(error, { code: 'internal', op: 'database.query', cause: { code: '22012' } });
    t.ok(isStatementFailure(error) && changedNothing(error) && !isWorthRetrying(error));
    t.equal(await backendOf(connection), before);
  });
});

t.test('a connection that breaks says unavailable, and another takes its place', async (t) => {
  const error = await failureOf(
    pool.withConnection(async (connection) => {
      await admin.query('SELECT pg_terminate_backend($1)', [await backendOf(connection)]);
      await connection.query('SELECT 1');
    }),
  );
  t.match(error, { code: 'database_unavailable' });
  t.notOk(changedNothing(error), 'it may have been sent');
  t.ok((await backendOf(pool)) > 0);
});

t.test('an idle connection that breaks is replaced without anybody noticing', async (t) => {
  const lost: Error[] = [];
  const one = new PostgresPool({ ...database.server.target('quasar'), size: 1, onConnectionLost: (error) => lost.push(error) });
  t.teardown(() => one.close());
  await admin.query('SELECT pg_terminate_backend($1)', [await backendOf(one)]);
  while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.ok((await backendOf(one)) > 0);
});

t.test('a server that cannot be reached changed nothing', async (t) => {
  const nowhere = new PostgresPool({ ...database.server.target('quasar'), host: '/nowhere' });
  t.teardown(() => nowhere.close());
  const error = await failureOf(nowhere.query('SELECT 1'));
  t.match(error, { code: 'database_unavailable', op: 'database.connect' });
  t.ok(changedNothing(error));
});

t.test('statements of the application have a time limit', async (t) => {
  const { rows } = await pool.query<{ limit: string }>(
    "SELECT setting AS limit FROM pg_settings WHERE name = 'statement_timeout'",
  );
  t.equal(Number(rows[0]?.limit), limits.databaseStatementMs);
});

t.test('a transaction keeps what it wrote, or nothing of it', async (t) => {
  await inTransaction(pool, ({ query }) => query('INSERT INTO public.scratch VALUES (1)'));
  const mine = new QuasarError('draining', { op: 'test' });
  const thrown = inTransaction(pool, async ({ query }) => {
    await query('INSERT INTO public.scratch VALUES (2)');
    throw mine;
  });
  t.equal(await failureOf(thrown), mine, 'what was thrown comes out');
  const failed = inTransaction(pool, async ({ query }) => {
    await query('INSERT INTO public.scratch VALUES (3)');
    await query('INSERT INTO public.scratch VALUES (1)');
  });
  t.match(await failureOf(failed), { code: 'internal', cause: { code: '23505' } });
  t.strictSame(await scratch(), [1]);
});

t.test('a transaction that swallowed a failure does not pass for committed', async (t) => {
  const swallowed = inTransaction(pool, async ({ query }) => {
    await query('INSERT INTO public.scratch VALUES (4)');
    await failureOf(query('SELECT 1 / 0'));
  });
  t.match(await failureOf(swallowed), { code: 'internal', op: 'database.commit' });
  t.strictSame(await scratch(), [1]);
});

t.test('a connection that dies before COMMIT leaves the outcome open', async (t) => {
  const killed = withTransaction(pool, scope, async ({ query }) => {
    await query('INSERT INTO public.scratch VALUES (5)');
    const { rows } = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await admin.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
  });
  t.match(await failureOf(killed), { code: 'commit_unknown' });
  t.strictSame(await scratch(), [1]);
});

t.test('a deadlock is worth another try', async (t) => {
  await pool.change('INSERT INTO public.scratch VALUES (10), (20)');
  const cross = (first: number, second: number) =>
    inTransaction(pool, async ({ query }) => {
      await query('SELECT FROM public.scratch WHERE x = $1 FOR UPDATE', [first]);
      await query('SELECT pg_sleep(0.05)');
      await query('SELECT FROM public.scratch WHERE x = $1 FOR UPDATE', [second]);
    });
  const failures = (await Promise.all([failureOf(cross(10, 20)), failureOf(cross(20, 10))])).filter(Boolean);
  t.equal(failures.length, 1);
  t.ok(isWorthRetrying(failures[0]));
});
