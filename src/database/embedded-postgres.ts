import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Closer } from '../core/closer.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { makeFolder } from '../disk/durable-folder.ts';
import { DirectoryLock } from './directory-lock.ts';
import { prepareBinaries } from './embedded-postgres-binaries.ts';
import { initCluster, SUPERUSER } from './init-cluster.ts';
import { stopLeftoverServer } from './leftover-server.ts';
import { clusterArgument, type ServerCommand, ServerProcess } from './server-process.ts';
import { chooseServerUser } from './server-user.ts';
import { makeSocketDirectory, removeSocketDirectory } from './socket-directory.ts';

export interface EmbeddedPostgresOptions {
  /** Holds `cluster/` (PostgreSQL's own) and `lock`. Made when absent; may lie where others cannot enter. */
  readonly dataDirectory: string;
  /** Password of the superuser, set when the cluster is made. */
  readonly password: string;
  readonly log: Log;
  /** Where the folder of the socket is made; the system's temporary folder by default. */
  readonly runDirectory?: string;
  readonly onRestart?: (cause: string) => void;
  /** Further server settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Where and as whom to connect. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const PORT = 5432;

/**
 * The PostgreSQL server of `quasar up`: made, started, restarted when it dies, stopped with us. Reached by a Unix socket
 * alone. It outlives a killed Quasar; the next start finds and stops it.
 */
export class EmbeddedPostgres {
  readonly #options: EmbeddedPostgresOptions;
  readonly #command: ServerCommand;
  readonly #closer: Closer;
  readonly #stopping = new AbortController();
  #server: ServerProcess;
  #supervision: Promise<void>;
  readonly socketDirectory: string;
  /** True when this start made the cluster. */
  readonly isNew: boolean;

  private constructor(running: Running, options: EmbeddedPostgresOptions) {
    this.#options = options;
    this.#command = running.command;
    this.#closer = running.closer;
    this.#server = running.server;
    this.socketDirectory = running.socketDirectory;
    this.isNew = running.isNew;
    this.#supervision = this.#supervise();
  }

  /** @throws QuasarError `storage_in_use`, `database_refused`, `database_unavailable`. */
  static async open(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const closer = new Closer();
    try {
      return new EmbeddedPostgres(await start(options, closer), options);
    } catch (error) {
      await closer.close();
      throw error;
    }
  }

  /** Of the server's main process; changes when it is restarted. */
  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** The superuser by default. */
  target(database: string, user = SUPERUSER, password = this.#options.password): ConnectionTarget {
    return { host: this.socketDirectory, port: PORT, user, password, database };
  }

  /** Fast shutdown: open connections are cut, so close the pools first. Idempotent. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    await this.#server.stop();
    const [fault] = await this.#closer.close();
    if (fault !== undefined) throw fault.cause;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    while (!signal.aborted) {
      const cause = await Promise.race([this.#server.exited, stopped]);
      if (cause === undefined || !(await this.#restart(cause))) return;
    }
  }

  /** False when it gave up or was told to stop. Each failed attempt doubles the pause before the next. */
  async #restart(cause: string): Promise<boolean> {
    const { log, onRestart } = this.#options;
    log.error({ cause }, 'PostgreSQL ended unexpectedly; starting it again');
    let delayMs: number = limits.databaseRestartDelayMinMs;
    for (let attempt = 1; attempt <= limits.databaseRestartsMax; attempt++) {
      try {
        await sleep(delayMs, undefined, { signal: this.#stopping.signal });
        this.#server = await ServerProcess.start(this.#command, log);
        onRestart?.(cause);
        return true;
      } catch (error) {
        if (this.#stopping.signal.aborted) return false;
        log.error({ attempt, error }, 'PostgreSQL did not start again');
        delayMs = Math.min(delayMs * 2, limits.databaseRestartDelayMaxMs);
      }
    }
    log.error({}, 'PostgreSQL stays down after too many attempts; restart Quasar when the cause is mended');
    return false;
  }
}

interface Running {
  readonly command: ServerCommand;
  readonly server: ServerProcess;
  readonly socketDirectory: string;
  readonly isNew: boolean;
  readonly closer: Closer;
}

async function start(options: EmbeddedPostgresOptions, closer: Closer): Promise<Running> {
  await makeFolder(options.dataDirectory);
  const lock = await DirectoryLock.take(join(options.dataDirectory, 'lock'));
  closer.push('lock of the database', () => lock.release());

  const clusterDirectory = join(options.dataDirectory, 'cluster');
  const user = await chooseServerUser(clusterDirectory);
  const binaries = await prepareBinaries(user);
  const pid = await stopLeftoverServer(clusterDirectory);
  if (pid !== undefined) options.log.warn({ pid }, 'stopped the PostgreSQL that an earlier run left behind');
  const socketDirectory = await makeSocketDirectory({ ...options, user, within: options.runDirectory });
  closer.push('folder of the socket', () => removeSocketDirectory(socketDirectory));

  const isNew = !(await isDirectory(clusterDirectory));
  if (isNew) await initCluster({ ...options, initdb: binaries.initdb, clusterDirectory, socketDirectory, user });
  const args = serverArguments(clusterDirectory, socketDirectory, options.settings ?? {});
  const command = { program: binaries.postgres, args, clusterDirectory, user };
  const server = await startPatiently(command, options.log);
  return { command, server, socketDirectory, isNew, closer };
}

/** Backends of a server that was killed notice it within moments; until then their shared memory keeps a new one out. */
async function startPatiently(command: ServerCommand, log: Log): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ServerProcess.start(command, log);
    } catch (error) {
      if (attempt === limits.databaseRestartsMax || !/shared memory block/.test((error as Error).message)) throw error;
      await sleep(limits.databaseRestartDelayMinMs);
    }
  }
}

/** On the command line, so that every start has this version's settings, whatever files an older one has left. */
function serverArguments(clusterDirectory: string, socketDirectory: string, extra: Readonly<Record<string, string>>): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // One machine serves all of Quasar: the page cache does the rest.
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    // Plans made while a table was empty are bad ones; statistics end them.
    autovacuum_naptime: '15s',
    io_method: 'sync',
    jit: 'off',
    log_checkpoints: 'off',
    log_line_prefix: '',
    // Statements carry file names and must not reach the log.
    log_min_error_statement: 'panic',
    ...extra,
  };
  const args = ['-D', clusterArgument(clusterDirectory), '-p', String(PORT)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  return args;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
