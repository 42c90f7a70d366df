import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuasarError } from '../core/errors.ts';
import { assertRoles } from './bootstrap.ts';
import { type ConnectionPool, inTransaction, type Queries } from './transaction.ts';

/*
 * Numbered SQL files, applied once each, in order, forward only. What was applied is kept with its checksum in
 * core.migration: a file that changed or vanished since means that this program and this database do not fit, and
 * nothing is touched. Each file runs in one transaction as quasar_owner, so that everything belongs to it. That role is
 * itself held by row-level security (FORCE): a migration that rewrites rows lifts it on the table while it does.
 */

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file in hex. */
  readonly checksum: string;
}

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

const FILE = /^(\d{6})-([a-z0-9-]+)\.sql$/;
/** Any number that no one else in this database takes: "quasar" in ASCII. */
const LOCK_KEY = 0x717561736172;

/** The package's `migrations/`, wherever below the package this file was compiled to. */
export function findMigrationsDirectory(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const candidate = join(at, 'migrations');
    if (existsSync(join(at, 'package.json')) && existsSync(candidate)) return candidate;
    if (dirname(at) === at) throw refuse('The migrations that belong to this program are missing: reinstall it.');
  }
}

/** @throws QuasarError `database_refused` for a file that is not named `000001-some-words.sql`, or a gap in the numbers. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(directory)).sort()) {
    const match = FILE.exec(file);
    const expected = migrations.length + 1;
    if (match === null || Number(match[1]) !== expected) {
      throw refuse(`Migration "${file}" is out of line: number ${expected}, then words, then .sql, was expected.`);
    }
    const sql = await readFile(join(directory, file), 'utf8');
    migrations.push({
      number: expected,
      name: match[2] as string,
      sql,
      checksum: createHash('sha256').update(sql).digest('hex'),
    });
  }
  return migrations;
}

/**
 * Brings the database up to `migrations`; returns how many were applied. Needs a role that is a member of quasar_owner and
 * quasar_definer, or a superuser.
 * Programs that start at once take turns. When nothing is to do it costs two short queries.
 * @throws QuasarError `database_refused` when what was applied is not what the files say.
 */
export async function migrate(pool: ConnectionPool, migrations: readonly Migration[]): Promise<number> {
  if (pending(migrations, await readApplied(pool)).length === 0) return 0;
  await assertRoles(pool);
  await pool.query(LEDGER);
  let count = 0;
  for (const migration of migrations) {
    if (await inTransaction(pool, (connection) => applyOnce(connection, migration, migrations))) count += 1;
  }
  return count;
}

/** For a server that may not migrate. @throws QuasarError `database_refused` when the database is behind or ahead. */
export async function assertMigrated(queries: Queries, migrations: readonly Migration[]): Promise<void> {
  const left = pending(migrations, await readApplied(queries));
  if (left.length > 0) throw refuse(`The database lacks ${left.length} migrations: run "quasar migrate".`);
}

function pending(migrations: readonly Migration[], applied: readonly AppliedMigration[]): readonly Migration[] {
  for (const { number, name, checksum } of applied) {
    const file = migrations[number - 1];
    if (file === undefined)
      throw refuse(`The database has migration ${number} (${name}), which this version does not know: use a newer one.`);
    if (file.checksum !== checksum)
      throw refuse(`Migration ${number} (${name}) changed after it was applied: put the original file back.`);
  }
  return migrations.slice(applied.length);
}

async function readApplied(queries: Queries): Promise<readonly AppliedMigration[]> {
  // Asked first, because a failed statement would stand in the server's log as an error.
  const { rows: found } = await queries.query<{ there: boolean }>("SELECT to_regclass('core.migration') IS NOT NULL AS there");
  if (found[0]?.there !== true) return [];
  const { rows } = await queries.query<AppliedMigration>('SELECT number, name, checksum FROM core.migration ORDER BY number');
  return rows;
}

/** False when another program was faster: the lock is held to the transaction's end, so what it wrote is seen here. */
async function applyOnce(connection: Queries, migration: Migration, all: readonly Migration[]): Promise<boolean> {
  const { number, name, checksum, sql } = migration;
  await connection.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
  if (!pending(all, await readApplied(connection)).includes(migration)) return false;
  try {
    await connection.query('SET LOCAL ROLE quasar_owner');
    await connection.query(sql);
    await connection.query('INSERT INTO core.migration (number, name, checksum) VALUES ($1, $2, $3)', [number, name, checksum]);
    return true;
  } catch (cause) {
    throw new QuasarError('database_refused', {
      op: 'database.migrate',
      message: `Migration ${number} (${name}) failed; nothing of it was kept.`,
      cause,
    });
  }
}

function refuse(message: string): QuasarError {
  return new QuasarError('database_refused', { op: 'database.migrate', message });
}

/** One message, hence one transaction. The ledger lives by the rule of all tables: row-level security, and policies that name their role. */
const LEDGER = `
SELECT pg_advisory_xact_lock(${LOCK_KEY});
SET LOCAL ROLE quasar_owner;
CREATE SCHEMA IF NOT EXISTS core;
CREATE TABLE IF NOT EXISTS core.migration (
  number integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE core.migration ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.migration FORCE ROW LEVEL SECURITY;
DO $policies$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = 'core' AND tablename = 'migration') THEN
    CREATE POLICY owner_all ON core.migration TO quasar_owner USING (true);
    CREATE POLICY app_read ON core.migration FOR SELECT TO quasar_app USING (true);
  END IF;
END
$policies$;
GRANT SELECT ON core.migration TO quasar_app;
GRANT USAGE ON SCHEMA core TO quasar_app`;
