import pg from 'pg';
import { QuasarError } from '../core/errors.ts';
import { fromPostgresError } from './postgres-errors.ts';
import { clientConfigOf, type PostgresTarget } from './postgres-pool.ts';
import type { Queries } from './transaction.ts';

const VERSION_MIN = 15;

interface ServerFacts {
  readonly version: number;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly full_page_writes: string;
  readonly superuser: boolean;
  readonly bypass: boolean;
  readonly owner: boolean;
  readonly name: string;
}

/**
 * Refuses what would make promises empty: a server that may lose what it has acknowledged, and a role on which row-level
 * security has no hold.
 * @throws QuasarError `database_refused` that says what to do.
 */
export async function assertSafeServer(server: Queries): Promise<void> {
  const { rows } = await server.query<ServerFacts>(FACTS);
  const fault = rows[0] === undefined ? 'The role that Quasar connects as does not exist.' : findFault(rows[0]);
  if (fault !== undefined) throw new QuasarError('database_refused', { op: 'database.open', message: fault });
}

/**
 * Refuses a pooler where there must be none: it would take LISTEN, pass nothing on, and a revoked key would stay good. Each
 * server process tells its own number when a connection begins; a pooler tells one of its making.
 * @throws QuasarError `database_refused`, `database_unavailable`.
 */
export async function assertDirect(target: PostgresTarget, connectMs: number): Promise<void> {
  const client = new pg.Client({
    ...clientConfigOf(target),
    connectionTimeoutMillis: connectMs,
    query_timeout: connectMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    if (rows[0]?.pid === (client as unknown as { processID: number | null }).processID) return;
  } catch (error) {
    throw fromPostgresError(error, 'database.connect');
  } finally {
    await client.end().catch(() => undefined);
  }
  const message = 'Notifications do not pass a pooler: set "directUrl" in db.conf to the address of PostgreSQL itself.';
  throw new QuasarError('database_refused', { op: 'database.open', message });
}

function findFault(facts: ServerFacts): string | undefined {
  if (facts.version < VERSION_MIN * 10_000) return `PostgreSQL ${VERSION_MIN} or later is needed.`;
  if (facts.superuser) return `Row-level security does not hold for "${facts.name}", a superuser; connect as quasar_app.`;
  if (facts.bypass)
    return `Row-level security does not hold for "${facts.name}": ALTER ROLE ${facts.name} NOBYPASSRLS, or connect as quasar_app.`;
  if (facts.owner)
    return `"${facts.name}" may change the tables themselves, being a member of quasar_owner; connect as quasar_app.`;
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'] as const) {
    if (facts[setting] === 'off')
      return `The database may lose what it has acknowledged: set ${setting} = on in postgresql.conf.`;
  }
  return undefined;
}

const FACTS = `
  SELECT current_setting('server_version_num')::int AS version,
         current_setting('fsync') AS fsync,
         current_setting('synchronous_commit') AS synchronous_commit,
         current_setting('full_page_writes') AS full_page_writes,
         rolsuper AS superuser,
         rolbypassrls AS bypass,
         EXISTS (SELECT FROM pg_roles o WHERE o.rolname = 'quasar_owner' AND pg_has_role(r.oid, o.oid, 'member')) AS owner,
         rolname AS name
    FROM pg_roles r
   WHERE rolname = current_user`;
