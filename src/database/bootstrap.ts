import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from './transaction.ts';

export const APP_ROLE = 'quasar_app';
export const DATABASE = 'quasar';

/** Of the one connection that makes and migrates. A statement may build an index; for a lock it waits no longer than others. */
export const ADMINISTRATION = { size: 1, statementMs: limits.migrationStatementMs, lockMs: limits.migrationLockMs } as const;

/**
 * Roles belong to the whole cluster, so they are made before any migration, by whoever may make roles, and only if they
 * are missing. `quasar_owner` owns every object and cannot log in; the server is `quasar_app`.
 */
export async function makeRoles(admin: Queries, appPassword: string): Promise<void> {
  // Utility statements take no parameters; hex digits need no quoting.
  assert(/^[0-9a-f]+$/.test(appPassword), 'the password of the application is made by us');
  await admin.query(rolesScript(appPassword));
}

function rolesScript(appPassword: string): string {
  return `
DO $roles$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'quasar_owner') THEN
    CREATE ROLE quasar_owner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'quasar_definer') THEN
    CREATE ROLE quasar_definer NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'quasar_runner') THEN
    CREATE ROLE quasar_runner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${APP_ROLE}') THEN
    CREATE ROLE ${APP_ROLE} LOGIN PASSWORD '${appPassword}' CONNECTION LIMIT ${limits.databaseConnectionsMax};
    ALTER ROLE ${APP_ROLE} SET statement_timeout = ${limits.databaseStatementMs};
    ALTER ROLE ${APP_ROLE} SET idle_in_transaction_session_timeout = ${limits.databaseStatementMs};
  END IF;
END
$roles$`;
}

/** The limit of a role that was made for a smaller pool is raised. */
export async function allowConnections(admin: Queries, count: number): Promise<void> {
  const { rows } = await admin.query<{ limit: number }>('SELECT rolconnlimit AS limit FROM pg_roles WHERE rolname = $1', [
    APP_ROLE,
  ]);
  const limit = rows[0]?.limit ?? -1;
  if (limit >= 0 && limit < count) await admin.query(`ALTER ROLE ${APP_ROLE} CONNECTION LIMIT ${count}`);
}

const ROLES = ['quasar_owner', 'quasar_definer', 'quasar_runner', APP_ROLE];

/** For a server that is not ours to set up. @throws QuasarError `database_refused` with the statements that are missing. */
export async function assertRoles(queries: Queries): Promise<void> {
  const { rows } = await queries.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)', [ROLES]);
  const missing = ROLES.filter((name) => !rows.some(({ rolname }) => rolname === name));
  if (missing.length === 0) return;
  const statements = missing.map((name) => `CREATE ROLE ${name} ${name === APP_ROLE ? "LOGIN PASSWORD '…'" : 'NOLOGIN'};`);
  throw new QuasarError('database_refused', {
    op: 'database.migrate',
    message: `The database lacks roles that Quasar works with. As its administrator: ${statements.join(' ')}`,
  });
}

/** Whoever migrates acts as the owner; a role that is no superuser must be a member to do so. */
export async function makeDatabase(admin: Queries): Promise<void> {
  const { rows } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rows.length > 0) return;
  await admin.query(`CREATE DATABASE ${DATABASE} OWNER quasar_owner`);
}
