import { createHmac } from 'node:crypto';
import { Closer } from '../core/closer.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { ADMINISTRATION, APP_ROLE, allowConnections, DATABASE, makeDatabase, makeRoles } from './bootstrap.ts';
import { type ConnectionTarget, EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';
import { findMigrationsDirectory, migrate, readMigrations } from './migrate.ts';
import { sqlStateOf } from './postgres-errors.ts';
import { assertSafeServer } from './postgres-guard.ts';
import { PostgresPool } from './postgres-pool.ts';

/** For the listener, migrations and whoever looks in by hand. */
const SPARE_CONNECTIONS = 10;
const UNDEFINED_DATABASE = '3D000';
const WRONG_PASSWORD = '28P01';

export interface EmbeddedDatabaseOptions extends EmbeddedPostgresOptions {
  readonly poolSize?: number | undefined;
  readonly connectMs?: number | undefined;
  readonly statementMs?: number | undefined;
}

/** The database of `quasar up`: its server, brought up to date, and connections as the application. */
export class EmbeddedDatabase {
  readonly server: EmbeddedPostgres;
  readonly pool: PostgresPool;
  /** As the application. */
  readonly target: ConnectionTarget;
  readonly #closer: Closer;

  private constructor(server: EmbeddedPostgres, target: ConnectionTarget, pool: PostgresPool, closer: Closer) {
    this.server = server;
    this.target = target;
    this.pool = pool;
    this.#closer = closer;
  }

  /** One secret is enough: the application's password is derived from the superuser's. */
  static async open(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
    const closer = new Closer();
    try {
      const connections = Math.max(limits.databaseConnectionsMax, (options.poolSize ?? 0) + SPARE_CONNECTIONS);
      const settings = { max_connections: String(connections), ...options.settings };
      const server = await EmbeddedPostgres.open({ ...options, settings });
      closer.push('database server', () => server.close(), 60_000);
      const appPassword = createHmac('sha256', options.password).update(APP_ROLE).digest('hex');
      await prepare(server, appPassword, connections);

      const onConnectionLost = (error: Error) => options.log.warn({ error }, 'an idle database connection was lost');
      const target = server.target(DATABASE, APP_ROLE, appPassword);
      const { poolSize: size, connectMs, statementMs } = options;
      const pool = new PostgresPool({ ...target, size, connectMs, statementMs, guarded: true, prepares: true, onConnectionLost });
      closer.push('database connections', () => pool.close());
      await assertSafeServer(pool);
      return new EmbeddedDatabase(server, target, pool, closer);
    } catch (error) {
      await closer.close();
      throw error;
    }
  }

  /** Idempotent. Connections first, then the server. */
  async close(): Promise<void> {
    const [fault] = await this.#closer.close();
    if (fault !== undefined) throw fault.cause;
  }
}

/** A database that is up to date costs one connection here. A first start that was killed half-way is caught up on. */
async function prepare(server: EmbeddedPostgres, appPassword: string, connections: number): Promise<void> {
  if (server.isNew) await makeAll(server, appPassword);
  const migrations = await readMigrations(findMigrationsDirectory());
  const run = () =>
    withPool(server, DATABASE, async (admin) => {
      await migrate(admin, migrations);
      await allowConnections(admin, connections);
    });
  try {
    await run();
  } catch (error) {
    if (sqlStateOf(error) === WRONG_PASSWORD) throw refusePassword(error);
    if (sqlStateOf(error) !== UNDEFINED_DATABASE) throw error;
    await makeAll(server, appPassword);
    await run();
  }
}

function refusePassword(cause: unknown): QuasarError {
  return new QuasarError('database_refused', {
    op: 'database.open',
    message: 'The password among the secrets is not the one this database was made with: put the original file back.',
    cause,
  });
}

function makeAll(server: EmbeddedPostgres, appPassword: string): Promise<void> {
  return withPool(server, 'postgres', async (admin) => {
    await makeRoles(admin, appPassword);
    await makeDatabase(admin);
  });
}

async function withPool<T>(server: EmbeddedPostgres, database: string, work: (admin: PostgresPool) => Promise<T>): Promise<T> {
  const admin = new PostgresPool({ ...server.target(database), ...ADMINISTRATION });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}
