import pg from 'pg';
import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

/** What somebody who talks to the database as the application, in an org of his own, can find out about another org. */

const { database, pool, admin, scope } = await openTestDatabase(t);
const theirs = await makeOrg(admin, 'theirs');
const committer = new PostgresVersionCommitter({ pool, catalog: new PostgresCatalog(pool), clock: systemClock });
const own = await store(scope, 'ours.pdf');
const foreign = await store(theirs, 'theirs.pdf');
await store(theirs, 'more of theirs.pdf');

async function store(by: Actor, filename: string) {
  const wish = versionWish({ filename, labels: ['filed'] });
  await committer.commit(by, wish);
  return wish;
}

/** A connection as the application's, in a transaction for our org, so that what is no query of the pool can be tried. */
async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ ...database.target });
  await client.connect();
  t.teardown(() => client.end());
  await client.query('BEGIN');
  await client.query("SELECT set_config('app.org_id', $1, true)", [scope.orgId]);
  return client;
}

const client = await connect();

/** What the server says to a statement that must fail: code, text and detail, without the ids that were asked for. */
async function faultOf(text: string, values: readonly unknown[] = []): Promise<object> {
  await client.query('SAVEPOINT probe');
  const fault = await client.query(text, [...values]).then(
    () => undefined,
    (error: pg.DatabaseError) => error,
  );
  await client.query('ROLLBACK TO probe');
  if (fault === undefined) return { code: undefined };
  const { code, message, detail = '', hint = '' } = fault;
  return { code, told: `${message} ${detail} ${hint}`.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}') };
}

t.test('COPY takes the rows of one’s own org out, none past row-level security in, and reaches no file', async (t) => {
  const copied = async (what: string) => (await client.query(`COPY ${what} TO STDOUT`)).rowCount;
  t.equal((await admin.query('SELECT FROM quasar.document')).rows.length, 3);
  t.equal(await copied('quasar.document'), 1);
  t.equal(await copied('(SELECT * FROM quasar.version)'), 1);
  t.equal(await copied('(SELECT * FROM graviton.blob)'), 1);
  t.match(await faultOf('COPY quasar.label FROM STDIN'), { code: /^(0A000|42501)$/ });
  for (const where of ["TO '/tmp/quasar-copied'", "TO PROGRAM 'cat'"]) {
    t.match(await faultOf(`COPY quasar.document ${where}`), { code: '42501' }, where);
  }
});

t.test('EXPLAIN shows no row of another org, and statistics of values are not for the application', async (t) => {
  await admin.query('ANALYZE quasar.version');
  const text = 'EXPLAIN (ANALYZE, VERBOSE, SETTINGS) SELECT * FROM quasar.version WHERE filename = $1';
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(text, ['theirs.pdf']);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  t.match(plan, /rows=0\b/);
  for (const secret of [theirs.orgId, foreign.documentId, foreign.versionId]) t.notOk(plan.includes(secret));
  const seen = await client.query("SELECT FROM pg_stats WHERE schemaname IN ('audit', 'core', 'graviton', 'quasar')");
  t.equal(seen.rows.length, 0);
  t.match(await faultOf('SELECT FROM pg_statistic'), { code: '42501' });
});

t.test('no condition is tried on a row of another org, so no error text can quote one', async (t) => {
  const probes = [
    "SELECT FROM quasar.version WHERE filename LIKE '%theirs%' AND filename::int = 0",
    "SELECT FROM quasar.version_facts WHERE filename LIKE '%theirs%' AND filename::int = 0",
    'SELECT FROM quasar.version WHERE document_id = $1 AND 1 / length(left(filename, 0)) = 0',
  ];
  for (const text of probes) {
    t.equal((await client.query(text, text.includes('$1') ? [foreign.documentId] : [])).rows.length, 0, text);
  }
  const quoted = await faultOf('SELECT filename::int FROM quasar.version');
  t.match(quoted, { code: '22P02', told: /ours\.pdf/ }, 'one’s own row is quoted, so the probe would work');
});

t.test('a row that another org has is refused like one that nobody has', async (t) => {
  const nobody = versionWish();
  const label = 'INSERT INTO quasar.label (org_id, document_id, name, version_id) VALUES ($1, $2, $3, $4)';
  const attempts: readonly (readonly [string, (of: typeof own) => readonly unknown[]])[] = [
    [label, ({ documentId, versionId }) => [theirs.orgId, documentId, 'filed', versionId]],
    [`${label} ON CONFLICT DO NOTHING`, ({ documentId, versionId }) => [theirs.orgId, documentId, 'filed', versionId]],
    [label, ({ documentId, versionId }) => [scope.orgId, documentId, 'mine', versionId]],
    [label, ({ versionId }) => [scope.orgId, own.documentId, 'mine', versionId]],
  ];
  for (const [text, values] of attempts) {
    const fault = await faultOf(text, values(foreign));
    t.strictSame(fault, await faultOf(text, values(nobody)), text);
    t.match(fault, { code: /^(42501|23503)$/ }, text);
  }
});

t.test('a partition is no way around the table it belongs to', async (t) => {
  await admin.query(`
    SET ROLE quasar_owner;
    CREATE TABLE quasar.split (org_id uuid) PARTITION BY LIST (org_id);
    ALTER TABLE quasar.split ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE TABLE quasar.split_rest PARTITION OF quasar.split DEFAULT;
    GRANT SELECT ON quasar.split TO quasar_app;
    RESET ROLE`);
  t.equal((await client.query('SELECT FROM quasar.split')).rows.length, 0);
  t.match(await faultOf('SELECT FROM quasar.split_rest'), { code: '42501' });
  // Readers hold the table until their transaction ends.
  await client.query('COMMIT');
  await admin.query('DROP TABLE quasar.split');
  await client.query('BEGIN');
  await client.query("SELECT set_config('app.org_id', $1, true)", [scope.orgId]);
});

t.test('a view shows the rows of its reader’s org alone, and none without an org', async (t) => {
  const { rows } = await client.query('SELECT org_id, document_id FROM quasar.version_facts');
  t.strictSame(rows, [{ org_id: scope.orgId, document_id: own.documentId }]);
  t.equal((await pool.query('SELECT FROM quasar.version_facts')).rows.length, 0);
});

t.test('no row belongs to all orgs: every table says whose its rows are, and none may leave it open', async (t) => {
  const { rows } = await admin.query<{ name: string; said: boolean | null }>(`
    SELECT c.oid::regclass::text AS name, bool_or(a.attnotnull) AS said
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
     WHERE n.nspname IN ('audit', 'core', 'graviton', 'quasar') AND c.relkind IN ('r', 'p')
       AND c.oid NOT IN ('core.org'::regclass, 'core.migration'::regclass, 'graviton.store_node'::regclass)
     GROUP BY c.oid`);
  t.ok(rows.length > 20);
  for (const { name, said } of rows) t.equal(said, true, name);
  t.match(await faultOf("INSERT INTO core.principal (id, name) VALUES ($1, 'x')", [own.versionId]), { code: /^(42501|23502)$/ });
});
