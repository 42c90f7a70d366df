import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { assertRoles } from '../../src/database/bootstrap.ts';
import { assertMigrated, findMigrationsDirectory, type Migration, migrate, readMigrations } from '../../src/database/migrate.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import type { Queries } from '../../src/database/transaction.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { admin, pool, database } = await openTestDatabase(t);
const shipped = await readMigrations(findMigrationsDirectory());

/** An empty database of its own for each test. */
async function emptyDatabase(t: { teardown(handler: () => Promise<void>): void }, name: string): Promise<PostgresPool> {
  await admin.query(`CREATE DATABASE ${name} OWNER quasar_owner`);
  const fresh = new PostgresPool({ ...database.server.target(name), size: 4 });
  t.teardown(() => fresh.close());
  return fresh;
}

function made(number: number, sql: string): Migration {
  return { number, name: `made-${number}`, sql, checksum: `checksum of ${sql}` };
}

t.test('nothing is applied twice', async (t) => {
  t.equal(await migrate(admin, shipped), 0);
});

t.test('an empty database gets all of them, in order', async (t) => {
  const fresh = await emptyDatabase(t, 'in_order');
  t.equal(await migrate(fresh, shipped), shipped.length);
  t.equal(await migrate(fresh, shipped), 0);
  await assertMigrated(fresh, shipped);
  const { rows } = await fresh.query<{ number: number }>('SELECT number FROM core.migration ORDER BY applied_at, number');
  t.strictSame(
    rows.map(({ number }) => number),
    shipped.map(({ number }) => number),
  );
});

t.test('a role that is no superuser migrates, being a member of owner and definer', async (t) => {
  await emptyDatabase(t, 'delegated');
  await admin.query("CREATE ROLE delegate LOGIN PASSWORD 'abc' IN ROLE quasar_owner, quasar_definer");
  const delegate = new PostgresPool({ ...database.server.target('delegated', 'delegate', 'abc'), size: 1 });
  t.teardown(() => delegate.close());
  t.equal(await migrate(delegate, shipped), shipped.length);
});

t.test('roles that are missing are named, with the statements that make them', async (t) => {
  const query = async <Row>() => ({ command: 'SELECT', rows: [{ rolname: 'quasar_owner' }] as Row[] });
  const lacking: Queries = { query, change: query };
  const statements = /CREATE ROLE quasar_definer NOLOGIN; CREATE ROLE quasar_runner NOLOGIN; CREATE ROLE quasar_app LOGIN/;
  await t.rejects(assertRoles(lacking), { code: 'database_refused', message: statements });
});

t.test('programs that start at once take turns, and each migration runs once', async (t) => {
  const fresh = await emptyDatabase(t, 'at_once');
  const once = [
    made(1, 'CREATE TABLE core.once (x int)'),
    made(2, 'SELECT pg_sleep(0.05)'),
    made(3, 'CREATE TABLE core.twice (x int)'),
  ];
  const counts = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh, once)));
  t.equal(
    counts.reduce((sum, count) => sum + count),
    3,
  );
});

t.test('a migration that fails leaves nothing of itself, and the ones before', async (t) => {
  const fresh = await emptyDatabase(t, 'failing');
  const bad = [made(1, 'CREATE TABLE core.kept (x int)'), made(2, 'CREATE TABLE core.gone (x int); SELECT 1 / 0')];
  await t.rejects(migrate(fresh, bad), { code: 'database_refused', message: /Migration 2 \(made-2\) failed/ });
  const { rows } = await fresh.query("SELECT to_regclass('core.kept') AS kept, to_regclass('core.gone') AS gone");
  t.strictSame(rows, [{ kept: 'core.kept', gone: null }]);
  t.equal(await migrate(fresh, [bad[0] as Migration, made(2, 'SELECT 1')]), 1, 'it may be mended and applied');
});

t.test('a migration that changed after it was applied is refused', async (t) => {
  const changed = shipped.map((migration, at) => (at === 1 ? { ...migration, checksum: 'other' } : migration));
  const refused = { code: 'database_refused', message: /Migration 2 \(documents\) changed/ };
  await t.rejects(migrate(admin, changed), refused);
  await t.rejects(assertMigrated(pool, changed), refused);
});

t.test('a database from a newer version is refused', async (t) => {
  await t.rejects(migrate(admin, shipped.slice(0, -1)), { code: 'database_refused', message: /does not know/ });
});

t.test('a server that may not migrate says what to do', async (t) => {
  await assertMigrated(pool, shipped);
  const further = [...shipped, made(shipped.length + 1, 'SELECT 1')];
  await t.rejects(assertMigrated(pool, further), {
    code: 'database_refused',
    message: /lacks 1 migrations: run "quasar migrate"/,
  });
});

t.test('files out of line are refused by name', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'quasar-migrations-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, '000001-first.sql'), 'SELECT 1');
  t.match(await readMigrations(directory), [{ number: 1, name: 'first', sql: 'SELECT 1' }]);
  await writeFile(join(directory, '000003-third.sql'), 'SELECT 3');
  await t.rejects(readMigrations(directory), {
    code: 'database_refused',
    message: /"000003-third.sql" is out of line: number 2/,
  });
});
