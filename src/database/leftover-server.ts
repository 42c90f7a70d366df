import { readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { SOCKET_DIRECTORY_PREFIX } from './socket-directory.ts';

const POLL_MS = 10;

interface ServerFile {
  readonly pid: number;
  readonly socketDirectory: string | undefined;
}

/**
 * Stops a server that a killed run has left on this cluster, and clears what it left behind. The caller holds the
 * directory's lock, so no living Quasar owns that server. A pid alone proves nothing, numbers are used again: the
 * process must be a postgres whose working directory is this very cluster.
 * @returns the pid that was stopped, undefined when there was none.
 * @throws QuasarError `database_refused` when it does not end.
 */
export async function stopLeftoverServer(clusterDirectory: string): Promise<number | undefined> {
  const path = join(clusterDirectory, 'postmaster.pid');
  const left = parseServerFile(await readIfThere(path));
  if (left === undefined) return undefined;

  const running = await isServerOf(left.pid, clusterDirectory);
  if (running) await stopByPid(left.pid, clusterDirectory);
  // A server that was killed leaves its file; PostgreSQL would trust it if the number now belongs to somebody else.
  await rm(path, { force: true });
  if (left.socketDirectory !== undefined && basename(left.socketDirectory).startsWith(SOCKET_DIRECTORY_PREFIX)) {
    await rm(left.socketDirectory, { recursive: true, force: true });
  }
  return running ? left.pid : undefined;
}

/** postmaster.pid by lines: pid, data directory, start time, port, socket directory, listen address, memory, status. */
export function parseServerFile(text: string | undefined): ServerFile | undefined {
  const lines = text?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, socketDirectory: lines[4] || undefined };
}

/** Whether `pid` is a PostgreSQL server at work in `clusterDirectory`. */
export async function isServerOf(pid: number, clusterDirectory: string): Promise<boolean> {
  try {
    const program = basename(await readlink(`/proc/${pid}/exe`));
    if (program.split(' ')[0] !== 'postgres') return false;
    const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(clusterDirectory)]);
    return theirs.dev === ours.dev && theirs.ino === ours.ino;
  } catch (error) {
    // Gone, or somebody else's: both are not ours.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Fast shutdown first; immediate, then the kernel's hand, when it takes too long. Its log makes up for either. */
async function stopByPid(pid: number, clusterDirectory: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!sendSignal(pid, signal)) return;
    if (await waitUntilGone(pid, clusterDirectory)) return;
  }
  throw new QuasarError('database_refused', {
    op: 'database.open',
    message: `PostgreSQL of an earlier run (process ${pid}, ${dirname(clusterDirectory)}) does not stop; end it by hand.`,
  });
}

async function waitUntilGone(pid: number, clusterDirectory: string): Promise<boolean> {
  for (let waited = 0; waited < limits.databaseStopMs; waited += POLL_MS) {
    if (!(await isServerOf(pid, clusterDirectory))) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
