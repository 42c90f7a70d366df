import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../src/core/log.ts';
import { DATABASE } from '../../src/database/bootstrap.ts';
import { EmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { findMigrationsDirectory, migrate, readMigrations } from '../../src/database/migrate.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { ask as askProduct, type Json } from '../helpers/ask.ts';

import { Product } from '../helpers/product.ts';
import { repository } from '../helpers/source-files.ts';

const GOLDEN = join(repository, 'test/format/golden/data-0.1');
const PASSWORD = 'c0ffee';

/** A data directory as the version of the golden one left it: its node, and a database with its migrations and its rows. */
async function oldDataDirectory(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'quasar-e2e-'));
  cpSync(join(GOLDEN, 'node'), join(data, 'node'), { recursive: true });
  mkdirSync(join(data, 'secrets'), { mode: 0o700 });
  writeFileSync(join(data, 'secrets', 'postgres-password'), PASSWORD, { mode: 0o600 });
  const dump = JSON.parse(readFileSync(join(GOLDEN, 'database.json'), 'utf8')) as Record<string, Json[]>;
  const applied = (dump['core.migration'] as Json[]).length;

  const database = await EmbeddedDatabase.open({ dataDirectory: join(data, 'postgres'), password: PASSWORD, log: silentLog });
  await database.pool.close();
  const server = new PostgresPool({ ...database.server.target('postgres'), size: 1 });
  await server.query(`DROP DATABASE ${DATABASE}`);
  await server.query(`CREATE DATABASE ${DATABASE} OWNER quasar_owner`);
  await server.close();
  const admin = new PostgresPool({ ...database.server.target(DATABASE), size: 1 });
  await migrate(admin, (await readMigrations(findMigrationsDirectory())).slice(0, applied));
  await load(admin, dump);
  await admin.close();
  await database.close();
  return data;
}

/** In one message, hence one transaction: foreign keys are not asked for while tables are filled one by one. */
async function load(admin: PostgresPool, dump: Readonly<Record<string, Json[]>>): Promise<void> {
  const statements = ['SET LOCAL session_replication_role = replica'];
  for (const [table, rows] of Object.entries(dump)) {
    const text = JSON.stringify(rows).replaceAll("'", "''");
    statements.push(
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, '${text}')`,
    );
  }
  // The session that was open then would have run out since.
  statements.push("UPDATE quasar.upload SET expires_at = now() + interval '1 day'");
  await admin.query(statements.join(';\n'));
}

t.test('a data directory of an earlier version is served, brought up to date, and its records may be worked on', async (t) => {
  const data = await oldDataDirectory();
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const product = await Product.start({ data });
  t.teardown(() => product.destroy());
  const ask = (method: string, path: string, body?: unknown) => askProduct(product, method, path, { body });

  const { items } = (await ask('GET', '/v1/documents')).json() as { items: Json[] };
  t.match(items, [
    { current: { filename: 'scan-0412.pdf' } },
    { current: { filename: 'filing.txt', labels: ['CURRENT', 'sealed'] } },
  ]);
  const path = `/v1/documents/${items[1]?.documentId}`;
  const content = async (query: string) => (await ask('GET', `${path}/content${query}`)).text;
  t.equal(await content(''), 'The third version of a filing, sealed.');
  t.equal((await ask('GET', `/v1/documents/${items[0]?.documentId}/content`)).text, '%PDF-1.7 a scan');

  const versions = ((await ask('GET', `${path}/versions`)).json().items as Json[]).map(({ versionId }) => versionId);
  t.equal(versions.length, 3);
  t.equal(await content(`?version=${versions[2]}`), 'The first version of a filing.');
  const moves = (await ask('GET', `${path}/labels/CURRENT/moves`)).json().items as Json[];
  t.strictSame(
    moves.map(({ versionId }) => versionId),
    versions,
    'the moves that were not kept then are those its versions tell of',
  );
  t.equal(await content(`?asOf=${moves[2]?.movedAt}`), 'The first version of a filing.');
  t.equal(await content('?label=sealed'), 'The third version of a filing, sealed.');

  const moved = await ask('PUT', `${path}/labels/CURRENT`, { versionId: versions[1], expected: versions[0] });
  t.equal(moved.status, 200, moved.text);
  t.equal(await content(''), 'The second version of a filing.');
  const next = await ask('PUT', `${path}/content`, 'The fourth version.');
  t.match(next.json(), { parents: [versions[1]] });

  const dump = JSON.parse(readFileSync(join(GOLDEN, 'database.json'), 'utf8')) as Record<string, Json[]>;
  const open = dump['quasar.upload']?.find(({ state }) => state === 'open');
  t.match((await ask('GET', `/v1/uploads/${open?.id}`)).json(), { state: 'open', offset: 11, size: 20 });
  const rest = await askProduct(product, 'PUT', `/v1/uploads/${open?.id}/bytes`, {
    body: ' Now all.',
    headers: { 'upload-offset': '11' },
  });
  t.equal(rest.status, 204, rest.text);
  const done = await ask('POST', `/v1/uploads/${open?.id}/finalize`, {});
  t.equal(done.status, 201, done.text);
  t.equal((await ask('GET', `/v1/documents/${done.json().documentId}/content`)).text, 'half of it. Now all.');
});
