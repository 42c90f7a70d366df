import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { ServerUser } from './server-user.ts';

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly clusterDirectory: string;
  readonly user: ServerUser | undefined;
}

/**
 * The server names its data directory by this on Linux: its user may not be able to walk down to the cluster by name,
 * but stands in it already, because the working directory is entered before the user changes.
 */
export function clusterArgument(clusterDirectory: string): string {
  return process.platform === 'linux' ? '/proc/self/cwd' : clusterDirectory;
}

/** A group of its own: Ctrl-C on the terminal must reach Quasar only, which drains before it stops the server. */
export function spawnInCluster(command: ServerCommand): ChildProcess & { stderr: Readable } {
  const { program, args, clusterDirectory, user } = command;
  return spawn(program, args, {
    cwd: clusterDirectory,
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  });
}

/** One run of the server, from start to exit. */
export class ServerProcess {
  readonly #child: ChildProcess;
  /** How it ended, in words. Never rejects. */
  readonly exited: Promise<string>;

  private constructor(child: ChildProcess, exited: Promise<string>) {
    this.#child = child;
    this.exited = exited;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Resolves when the server takes connections, which it says in its log (the messages are held in English above).
   * @throws QuasarError `database_unavailable` with what it said last when it ends before that, or takes too long.
   */
  static async start(command: ServerCommand, log: Log): Promise<ServerProcess> {
    const child = spawnInCluster(command);
    const said: string[] = [];
    const exited = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (line.includes('database system is ready to accept connections')) resolve();
        said.push(line);
        if (said.length > 20) said.shift();
        log[levelOf(line)]({}, line);
      });
    });
    const server = new ServerProcess(child, exited);
    await server.#untilReady(ready, said);
    return server;
  }

  /** Fast shutdown, immediate when that takes too long. Idempotent. */
  async stop(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      this.#child.kill(signal);
      if (await settlesWithin(this.exited, limits.databaseStopMs)) return;
    }
  }

  async #untilReady(ready: Promise<void>, said: readonly string[]): Promise<void> {
    let ended: string | undefined;
    const exited = this.exited.then((how) => {
      ended = how;
    });
    // One wait: a timer of its own for the start would keep the process alive long after the server has ended.
    const inTime = await settlesWithin(Promise.race([ready, exited]), limits.databaseStartMs);
    const fault = inTime ? ended : 'too slow';
    if (fault === undefined) return;
    await this.stop();
    throw startFault(`PostgreSQL did not start (${fault})`, said);
  }
}

/** The program's own words for why it gave up come first, not what it said of the end that followed. */
export function startFault(what: string, said: readonly string[]): QuasarError {
  const why = said.find((line) => /^(PANIC|FATAL):/.test(line)) ?? said.find((line) => /error:/i.test(line));
  const message = `${what}: ${why ?? said.slice(-3).join(' / ')}`;
  const full = said.some((line) => line.includes('No space left on device'));
  if (!full) return new QuasarError('database_unavailable', { op: 'database.open', message });
  return new QuasarError('storage_full', { op: 'database.open', message: `The disk is full. ${message}` });
}

/** While it starts or stops it says this to every connection, and each request that asked for one tells of it already. */
const NOT_NOW = /^FATAL: +the database system is /;

/** What the server tells of its daily life is for those who look closer. */
function levelOf(line: string): 'debug' | 'warn' | 'error' {
  if (NOT_NOW.test(line)) return 'debug';
  if (/^(PANIC|FATAL):/.test(line)) return 'error';
  return /^(ERROR|WARNING):/.test(line) ? 'warn' : 'debug';
}

async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
