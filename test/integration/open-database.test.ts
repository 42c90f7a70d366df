import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readConfig } from '../../src/config/read-config.ts';
import { Secret } from '../../src/config/secret.ts';
import { silentLog } from '../../src/core/log.ts';
import type { PostgresTarget } from '../../src/database/postgres-pool.ts';
import { type OpenedDatabase, openDatabase } from '../../src/roles/open-database.ts';
import { openPgBouncer } from '../helpers/pgbouncer.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const test = await openTestDatabase(t);
const { database } = test;
const bouncer = await openPgBouncer(t, test, 8);
const server = database.server.target('quasar');
const LIMITS = ['poolSize = 2', 'connectTimeout = 300ms', 'statementTimeout = 1200ms'];

function urlOf({ host, port, user, password, database: name }: PostgresTarget): string {
  return `"postgres://${user}:${password}@${encodeURIComponent(host)}:${port}/${name}"`;
}

async function open(lines: readonly string[], folder = temporaryFolder(t)): Promise<OpenedDatabase> {
  const directory = join(folder, 'config');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'db.conf'), lines.join('\n'));
  const { config } = await readConfig({ configDirectory: directory, flags: { data: join(folder, 'data') } });
  const options = { password: new Secret('c0ffee'), directory: join(folder, 'data', 'postgres'), log: silentLog };
  mkdirSync(options.directory, { recursive: true });
  const opened = await openDatabase(config, options);
  t.teardown(() => opened.close());
  return opened;
}

const home = temporaryFolder(t);
const ways: [string, readonly string[]][] = [
  ['a PostgreSQL behind a pooler', [`url = ${urlOf(bouncer)}`, `directUrl = ${urlOf(server)}`]],
  ['the embedded PostgreSQL', []],
];
for (const [way, lines] of ways) {
  t.test(`${way}: poolSize, connectTimeout and statementTimeout are what they are set to`, async (t) => {
    const { pool, close } = await open([...lines, ...LIMITS], home);
    const failed = await Promise.allSettled(
      ['SELECT pg_sleep(9)', 'SELECT pg_sleep(9)', 'SELECT 1'].map((text) => pool.query(text)),
    );
    t.match(failed, [
      { reason: { code: 'timeout' } },
      { reason: { code: 'timeout' } },
      { reason: { code: 'database_unavailable', op: 'database.connect' } },
    ]);
    t.match(await pool.query('SELECT 1 AS one'), { rows: [{ one: 1 }] });
    const { rows } = await pool.query<{ bound: string }>("SELECT current_setting('statement_timeout') AS bound");
    t.equal(rows[0]?.bound, '1200ms');
    await close();
  });
}

t.test('an address for notifications that goes through a pooler is refused, also when it is the only one', async (t) => {
  await t.rejects(open([`url = ${urlOf(bouncer)}`]), { code: 'database_refused', message: /directUrl/ });
});

t.test('more connections than the role was once made for are allowed', async (t) => {
  // That of a role is 40 when it is made.
  const { pool } = await open(['poolSize = 60'], home);
  const held = Array.from({ length: 55 }, () => pool.query('SELECT pg_sleep(0.2)'));
  t.equal((await Promise.all(held)).length, 55);
});

t.test('a folder that the embedded PostgreSQL may not use is named, with what to do', async (t) => {
  const { config } = await readConfig({ configDirectory: undefined, flags: { data: temporaryFolder(t) } });
  const options = { password: new Secret('c0ffee'), directory: '/sys/quasar-test/postgres', log: silentLog };
  await t.rejects(openDatabase(config, options), {
    code: 'database_refused',
    message: /may not be read and written by the user of this process .*Give the folder/,
  });
});
