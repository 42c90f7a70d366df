import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import { QuasarError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { EmbeddedDatabase } from '../database/embedded-database.ts';
import { findMigrationsDirectory, migrate, readMigrations } from '../database/migrate.ts';
import { assertSafeServer } from '../database/postgres-guard.ts';
import type { ListenerOptions } from '../database/postgres-listener.ts';
import { PostgresPool, type PostgresPoolOptions } from '../database/postgres-pool.ts';

export interface OpenedDatabase {
  readonly pool: PostgresPool;
  /** For a connection of one's own, not through a pooler. */
  readonly listenTarget: ListenerOptions['target'];
  /** For people: where the database is. */
  readonly place: string;
  close(): Promise<void>;
}

/** The database of the config, or a server of our own in the data directory; migrated and checked. */
export async function openDatabase(
  config: Config,
  options: { password: Secret; directory: string; log: Log },
): Promise<OpenedDatabase> {
  const { url, directUrl } = config.database;
  if (url !== undefined) return openGiven(url, directUrl ?? url, config, options.log);
  const log = options.log.child({ part: 'postgres' });
  const database = await EmbeddedDatabase.open({
    dataDirectory: options.directory,
    password: options.password.reveal(),
    log,
    onRestart: (cause) => log.warn({ cause }, 'the database server runs again'),
  });
  return { pool: database.pool, listenTarget: database.target, place: options.directory, close: () => database.close() };
}

async function openGiven(url: Secret, directUrl: Secret, config: Config, log: Log): Promise<OpenedDatabase> {
  const direct = new PostgresPool({ ...parseDatabaseUrl(directUrl), size: 1 });
  try {
    await migrate(direct, await readMigrations(findMigrationsDirectory()));
  } finally {
    await direct.close();
  }
  const target = parseDatabaseUrl(url);
  const pool = new PostgresPool({
    ...target,
    size: config.database.poolSize,
    onConnectionLost: (error) => log.warn({ error }, 'a database connection was lost'),
  });
  try {
    await assertSafeServer(pool);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    pool,
    listenTarget: parseDatabaseUrl(directUrl),
    place: `${target.database} on ${target.host}`,
    close: () => pool.close(),
  };
}

function parseDatabaseUrl(secret: Secret): PostgresPoolOptions {
  const url = URL.parse(secret.reveal());
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new QuasarError('config_invalid', {
      op: 'config.read',
      message: 'db.conf: the database URL must read postgres://USER:PASSWORD@HOST:PORT/DATABASE.',
    });
  }
  return {
    host: decodeURIComponent(url.hostname),
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}
