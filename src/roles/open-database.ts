import type { Config } from '../config/config.ts';
import { readDatabaseTls } from '../config/database-tls.ts';
import { parseDatabaseUrl } from '../config/database-url.ts';
import { isLoopbackHost } from '../config/listen-host.ts';
import type { Secret } from '../config/secret.ts';
import { QuasarError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { ADMINISTRATION } from '../database/bootstrap.ts';
import { EmbeddedDatabase } from '../database/embedded-database.ts';
import { findMigrationsDirectory, migrate, readMigrations } from '../database/migrate.ts';
import { assertDirect, assertSafeServer } from '../database/postgres-guard.ts';
import { PostgresPool, type PostgresTarget } from '../database/postgres-pool.ts';

export interface OpenedDatabase {
  readonly pool: PostgresPool;
  /** For a connection of one's own, not through a pooler. */
  readonly listenTarget: PostgresTarget;
  /** For people: where the database is. */
  readonly place: string;
  close(): Promise<void>;
}

/** The database of the config, or a server of our own in the data directory; migrated and checked. */
export async function openDatabase(
  config: Config,
  options: { password: Secret; directory: string; log: Log },
): Promise<OpenedDatabase> {
  const { url, directUrl, poolSize, connectTimeoutMs: connectMs, statementTimeoutMs: statementMs } = config.database;
  if (url !== undefined) return openGiven(url, directUrl ?? url, config, options.log);
  const log = options.log.child({ part: 'postgres' });
  const database = await openEmbedded({
    dataDirectory: options.directory,
    password: options.password.reveal(),
    log,
    onRestart: (cause) => log.warn({ cause }, 'the database server runs again'),
    ...{ poolSize, connectMs, statementMs },
  });
  return { pool: database.pool, listenTarget: database.target, place: options.directory, close: () => database.close() };
}

/** @throws QuasarError `database_refused` also for a folder that is another user's. */
async function openEmbedded(options: Parameters<typeof EmbeddedDatabase.open>[0]): Promise<EmbeddedDatabase> {
  try {
    return await EmbeddedDatabase.open(options);
  } catch (cause) {
    const { code, path = options.dataDirectory } = cause as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw cause;
    const message = `${path} may not be read and written by the user of this process (${code}). Give the folder ${options.dataDirectory} to that user.`;
    throw new QuasarError('database_refused', { op: 'database.open', message, cause });
  }
}

/** Statements name no prepared one: a pooler may stand between, and those before PgBouncer 1.21 know nothing of them. */
async function openGiven(url: Secret, directUrl: Secret, config: Config, log: Log): Promise<OpenedDatabase> {
  const { poolSize, connectTimeoutMs: connectMs, statementTimeoutMs: statementMs } = config.database;
  const listenTarget = await targetOf('directUrl', directUrl, config);
  await assertDirect(listenTarget, connectMs);
  const direct = new PostgresPool({ ...listenTarget, ...ADMINISTRATION, connectMs });
  try {
    await migrate(direct, await readMigrations(findMigrationsDirectory()));
  } finally {
    await direct.close();
  }
  const target = await targetOf('url', url, config);
  warnOfClearText(target, log);
  const onConnectionLost = (error: Error) => log.warn({ error }, 'a database connection was lost');
  const pool = new PostgresPool({ ...target, size: poolSize, connectMs, statementMs, guarded: true, onConnectionLost });
  try {
    await assertSafeServer(pool);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return { pool, listenTarget, place: `${target.database} on ${target.host}`, close: () => pool.close() };
}

async function targetOf(key: 'url' | 'directUrl', url: Secret, { directory }: Config): Promise<PostgresTarget> {
  const address = parseDatabaseUrl(url.reveal());
  if (typeof address === 'string')
    throw new QuasarError('config_invalid', { op: 'config.read', message: `db.conf: "${key}" ${address}.` });
  return { ...address, tls: await readDatabaseTls(address, directory) };
}

function warnOfClearText({ host, tls }: PostgresTarget, log: Log): void {
  if (tls !== undefined || host.startsWith('/') || isLoopbackHost(host)) return;
  log.warn({ host }, 'the connection to the database is not encrypted; add ?sslmode=verify-full to "url" in db.conf');
}
