import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresDisposalStore } from '../../src/catalog/postgres-disposal-store.ts';
import { PostgresLabelStore } from '../../src/catalog/postgres-label-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { DocumentId, VersionId } from '../../src/core/ids.ts';
import { tookPlace } from '../../src/database/outcome.ts';
import { assertDirect } from '../../src/database/postgres-guard.ts';
import { PostgresPool, type PostgresPoolOptions, type PostgresTarget } from '../../src/database/postgres-pool.ts';
import { inTransaction, withTransaction } from '../../src/database/transaction.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import { newSession } from '../contract/session-store.contract.ts';
import { openLosingProxy } from '../helpers/losing-proxy.ts';
import { openPgBouncer } from '../helpers/pgbouncer.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const test = await openTestDatabase(t);
const { admin, database, scope } = test;
await admin.query('CREATE TABLE public.scratch (x int PRIMARY KEY); GRANT ALL ON public.scratch TO quasar_app');
await admin.query('CREATE TABLE public.child (x int REFERENCES public.scratch DEFERRABLE INITIALLY DEFERRED)');
await admin.query('GRANT ALL ON public.child TO quasar_app; INSERT INTO public.scratch VALUES (0)');
// As a role is that somebody else has made.
await admin.query('ALTER ROLE quasar_app RESET ALL');
const bouncer = await openPgBouncer(t, test);

const SHORT = { statementMs: 300, graceMs: 300 };

function openPool(target: PostgresTarget, options: Partial<PostgresPoolOptions> = {}): PostgresPool {
  const pool = new PostgresPool({ ...target, guarded: true, ...SHORT, ...options });
  t.teardown(() => pool.close());
  return pool;
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function countOf(x: number): Promise<number> {
  const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM public.scratch WHERE x = $1', [x]);
  return rows[0]?.n as number;
}

/** Until nobody of the application is at work: what was left waiting has ended one way or the other. */
async function untilQuiet(): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE usename = 'quasar_app' AND state NOT IN ('idle') LIMIT 1`;
  while ((await admin.query(text)).rows.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Whatever `work` locks stays locked while `meanwhile` runs. */
async function whileLocked<T>(text: string, values: readonly unknown[], meanwhile: () => Promise<T>): Promise<T> {
  return admin.withConnection(async ({ query }) => {
    await query('BEGIN');
    await query(text, values);
    try {
      return await meanwhile();
    } finally {
      await query('ROLLBACK');
    }
  });
}

async function storeDocument(pool: PostgresPool): Promise<{ documentId: DocumentId; versionId: VersionId }> {
  const wish = versionWish();
  await new PostgresVersionCommitter({ pool, catalog: new PostgresCatalog(pool), clock: systemClock }).commit(scope, wish);
  return wish;
}

const ways: [string, PostgresTarget, Partial<PostgresPoolOptions>][] = [
  ['straight to the server, prepared', database.target, { prepares: true }],
  ['straight to the server', database.target, {}],
  ['through a pooler of transactions', bouncer, {}],
];

for (const [way, target, options] of ways) {
  t.test(way, async (t) => {
    const pool = openPool(target, options);

    t.test('a question that takes too long is cut, and the connections serve on', async (t) => {
      // More often than the pooler has connections: each may be a fresh one.
      for (let n = 0; n < 4; n++) t.match(await failureOf(pool.query('SELECT pg_sleep($1)', [9])), { code: 'timeout' });
      t.match(await failureOf(pool.query('SELECT pg_sleep(9)')), { code: 'timeout' });
      t.match(await pool.query('SELECT 1 AS one'), { rows: [{ one: 1 }] });
    });

    t.test('a question changes nothing', async (t) => {
      t.match(await failureOf(pool.query('INSERT INTO public.scratch VALUES ($1)', [1])), { cause: { code: '25006' } });
      t.equal(await countOf(1), 0);
    });

    t.test('bounds end with their transaction', async (t) => {
      await pool.change('INSERT INTO public.scratch VALUES ($1)', [2]);
      await pool.withConnection(async ({ query }) => {
        const { rows } = await query(
          "SELECT current_setting('statement_timeout') AS bound, current_setting('transaction_read_only') AS reads",
        );
        t.strictSame(rows, [{ bound: '0', reads: 'off' }]);
      });
      await admin.query('DELETE FROM public.scratch WHERE x = 2');
    });

    t.test('a change that waits for a lock is given up, and nothing of it happens later', async (t) => {
      const document = await storeDocument(pool);
      const disposals = new PostgresDisposalStore(pool);
      const labels = new PostgresLabelStore(pool);
      const at = { reason: 'gone', atMs: systemClock.now() };
      const text = 'SELECT FROM quasar.document WHERE id = $1 FOR UPDATE';
      await whileLocked(text, [document.documentId], async () => {
        const move = { ...document, label: 'filed', expected: undefined, ...at };
        const changes = [
          disposals.disposeDocument(scope, { ...document, ...at }),
          labels.moveLabel(scope, move),
          disposals.setHold(scope, { ...document, ...at }),
          withTransaction(pool, scope, ({ query }) =>
            query('UPDATE quasar.document SET updated_at = now() WHERE id = $1', [document.documentId]),
          ),
        ];
        for (const error of await Promise.all(changes.map(failureOf))) t.match(error, { code: 'timeout', kind: 'unavailable' });
      });
      await untilQuiet();
      const found = await new PostgresCatalog(pool).findVersion(scope, document.documentId);
      t.strictSame(found?.labels, ['CURRENT']);
      t.match(await new PostgresCatalog(pool).findDocument(scope, document.documentId), { hold: undefined });
    });

    t.test('a lock that is first met at the commit is bounded too', async (t) => {
      await whileLocked('SELECT FROM public.scratch WHERE x = 0 FOR UPDATE', [], async () => {
        t.match(await failureOf(pool.change('INSERT INTO public.child VALUES ($1)', [0])), { code: 'timeout' });
        const together = inTransaction(pool, ({ query }) => query('INSERT INTO public.child VALUES (0)'));
        t.match(await failureOf(together), { code: 'timeout' });
      });
      t.match(await admin.query('SELECT count(*)::int AS n FROM public.child'), { rows: [{ n: 0 }] });
    });

    t.test('a transaction that its client forgets is ended', async (t) => {
      const forgotten = inTransaction(pool, async ({ query }) => {
        await query('INSERT INTO public.scratch VALUES (3)');
        await new Promise((resolve) => setTimeout(resolve, 2 * SHORT.statementMs));
      });
      t.match(await failureOf(forgotten), { code: /database_unavailable|commit_unknown/ });
      t.equal(await countOf(3), 0);
    });
  });
}

t.test('a pooler is recognised where there must be none', async (t) => {
  await assertDirect(database.target, 2000);
  await t.rejects(assertDirect(bouncer, 2000), { code: 'database_refused', message: /directUrl/ });
});

t.test('a change whose connection is cut while it waits for a lock is cancelled, and told as not done', async (t) => {
  const proxy = await openLosingProxy(t, database.target);
  const pool = openPool(proxy.target, { statementMs: 20_000 });
  await admin.query('INSERT INTO public.scratch VALUES (10)');
  await whileLocked('SELECT FROM public.scratch WHERE x = 10 FOR UPDATE', [], async () => {
    const change = failureOf(pool.change('UPDATE public.scratch SET x = 11 WHERE x = $1', [10]));
    await untilWaiting();
    proxy.cutClients();
    t.match(await change, { code: 'database_unavailable', op: 'database.change' });
  });
  await untilQuiet();
  t.equal(await countOf(11), 0);
});

t.test('a server that keeps silent beyond its bounds is told to cancel', async (t) => {
  const { statementMs } = SHORT;
  const pool = openPool(database.target, SHORT);
  // As a server whose bounds do not hold: they are lifted before the lock is met.
  const text = `SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)`;
  const slow = inTransaction(pool, async ({ query }) => {
    await query(text);
    await query('INSERT INTO public.scratch VALUES (20)');
    await query('SELECT pg_sleep(9)');
  });
  t.match(await failureOf(slow), { code: 'timeout' }, `after ${statementMs} ms and a while`);
  t.equal(await countOf(20), 0);
});

async function untilWaiting(): Promise<void> {
  const text = "SELECT FROM pg_stat_activity WHERE usename = 'quasar_app' AND wait_event_type = 'Lock' LIMIT 1";
  while ((await admin.query(text)).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('a change that took place is known by its event when its answer is lost', async (t) => {
  const proxy = await openLosingProxy(t, database.target);
  const pool = openPool(proxy.target);
  const { documentId, versionId } = await storeDocument(pool);
  const ref = { system: 'dms', value: documentId, meta: undefined };
  const at = { reason: 'moved', atMs: systemClock.now() };
  const sessions = new PostgresSessionStore({ pool, clock: systemClock });
  const wish = { session: newSession(systemClock), attached: undefined, idempotency: undefined };

  // The end of the answer to a change that is a transaction by itself.
  const ALONE = 'SELECT 1\0Z';
  proxy.swallow(ALONE);
  t.equal(await new PostgresRefStore(pool).addRef(scope, documentId, ref, at.atMs), 'added');
  proxy.swallow(ALONE);
  t.match(await new PostgresDisposalStore(pool).setHold(scope, { documentId, ...at }), { kind: 'changed', setAtMs: at.atMs });
  const move = { documentId, versionId, label: 'filed', expected: undefined, ...at };
  proxy.swallow(ALONE);
  t.match(await new PostgresLabelStore(pool).moveLabel(scope, move), { kind: 'moved', previous: undefined });
  proxy.swallow(ALONE);
  const unproven = await failureOf(pool.change('SELECT quasar.release_hold($1, $2)', [scope.orgId, documentId]));
  t.match(unproven, { code: 'commit_unknown' });
  t.notOk(tookPlace(unproven));
  proxy.swallow('COMMIT\0');
  t.match(await sessions.create(scope, wish), { kind: 'created' });
  proxy.swallow('COMMIT\0');
  const lost = await failureOf(inTransaction(pool, ({ query }) => query('INSERT INTO public.scratch VALUES (30)')));
  t.match(lost, { code: 'commit_unknown' });
  t.match(await sessions.find(scope, wish.session.uploadId), { state: 'open' });
});
