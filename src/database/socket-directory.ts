import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { isReachableBy } from './reachable.ts';
import type { ServerUser } from './server-user.ts';

const SOCKET = '.s.PGSQL.5432';

export interface SocketDirectoryOptions {
  /** Whose server it is for; locked by the caller, and served by nobody. */
  readonly dataDirectory: string;
  readonly user: ServerUser | undefined;
  /** Where it is made; the system's temporary folder by default. */
  readonly within: string | undefined;
}

/**
 * Makes a folder for the server's socket that only its user (and root) can enter. It lies in a temporary folder, not
 * with the data, since the path of a socket is bounded by the system and the data may lie deep. Its name follows from
 * the data directory, so that what a killed run leaves is found and cleared by the next.
 */
export async function makeSocketDirectory({ dataDirectory, user, within }: SocketDirectoryOptions): Promise<string> {
  const digest = createHash('sha256').update(await realpath(dataDirectory));
  const name = `quasar-pg-${digest.digest('hex').slice(0, 12)}`;
  for (const base of within === undefined ? [tmpdir(), '/tmp'] : [within]) {
    const path = await realpath(base);
    if (join(path, `${name}-XXXXXX`, SOCKET).length >= limits.socketPathMax) continue;
    if (user !== undefined && !(await isReachableBy(user, path))) continue;
    const directory = await makeOwn(join(path, name), user);
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    return directory;
  }
  throw new QuasarError('database_refused', {
    op: 'database.open',
    message:
      'The temporary directory is too deep, or not open to the server, for the database socket; set TMPDIR to a short one.',
  });
}

/** With whatever the server has put there. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Anybody may take a name in a shared temporary folder: then ours is another one. */
async function makeOwn(directory: string, user: ServerUser | undefined): Promise<string> {
  const taken = await lstat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (taken !== undefined) {
    if (!taken.isDirectory() || taken.uid !== (user?.uid ?? process.getuid?.())) return mkdtemp(`${directory}-`);
    await removeSocketDirectory(directory);
  }
  await mkdir(directory, { mode: 0o700 });
  return directory;
}
