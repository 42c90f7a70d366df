/**
 * Made the committed `database.json` files: node dist/test/format/golden/dump-database.js DATA PASSWORD_FILE TARGET, of the
 * data directory of a stopped server. The rows of every table, by table; what is in migrations is not in it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../../src/core/log.ts';
import { EmbeddedPostgres } from '../../../src/database/embedded-postgres.ts';
import { PostgresPool } from '../../../src/database/postgres-pool.ts';

const [data = '', passwordFile = '', target = ''] = process.argv.slice(2);
const password = readFileSync(passwordFile, 'utf8').trim();
const server = await EmbeddedPostgres.open({ dataDirectory: join(data, 'postgres'), password, log: silentLog });
const admin = new PostgresPool({ ...server.target('quasar'), size: 1 });
const { rows: tables } = await admin.query<{ name: string }>(`
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname IN ('core', 'graviton', 'quasar', 'audit') AND c.relkind = 'r' ORDER BY name`);
const dump: Record<string, unknown> = {};
for (const { name } of tables) {
  const { rows } = await admin.query<{ rows: unknown[] | null }>(`SELECT json_agg(t) AS rows FROM ${name} AS t`);
  dump[name] = rows[0]?.rows ?? [];
}
writeFileSync(target, `${JSON.stringify(dump, undefined, 1)}\n`);
await admin.close();
await server.close();
