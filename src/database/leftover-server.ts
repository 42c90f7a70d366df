import { readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

const POLL_MS = 10;

/**
 * Stops a server that a killed run has left on this cluster. The caller holds the
 * directory's lock, so no living Quasar owns that server. A pid alone proves nothing, numbers are used again: the
 * process must be a postgres whose working directory is this very cluster.
 * @returns the pid that was stopped, undefined when there was none.
 * @throws QuasarError `database_refused` when it does not end.
 */
export async function stopLeftoverServer(clusterDirectory: string): Promise<number | undefined> {
  const path = join(clusterDirectory, 'postmaster.pid');
  const pid = parseServerPid(await readIfThere(path));
  if (pid === undefined) return undefined;

  const running = await isServerOf(pid, clusterDirectory);
  if (running) await stopByPid(pid, clusterDirectory);
  // A server that was killed leaves its file; PostgreSQL would trust it if the number now belongs to somebody else.
  await rm(path, { force: true });
  return running ? pid : undefined;
}

/** The first line of postmaster.pid. */
export function parseServerPid(text: string | undefined): number | undefined {
  const pid = Number(text?.split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
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
