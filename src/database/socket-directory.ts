import { chown, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { isReachableBy } from './reachable.ts';
import type { ServerUser } from './server-user.ts';

export const SOCKET_DIRECTORY_PREFIX = 'quasar-pg-';
const SOCKET_NAME = '.s.PGSQL.5432';

/**
 * Makes a folder for the server's socket that only its user (and root) can enter. It lies in a temporary folder, not
 * with the data, since the path of a socket is bounded by the system and the data may lie deep.
 */
export async function makeSocketDirectory(user: ServerUser | undefined, within: string | undefined): Promise<string> {
  for (const base of within === undefined ? [tmpdir(), '/tmp'] : [within]) {
    const path = await realpath(base);
    if (join(path, `${SOCKET_DIRECTORY_PREFIX}XXXXXX`, SOCKET_NAME).length >= limits.socketPathMax) continue;
    if (user !== undefined && !(await isReachableBy(user, path))) continue;
    const directory = await mkdtemp(join(path, SOCKET_DIRECTORY_PREFIX));
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    return directory;
  }
  throw new QuasarError('database_refused', {
    op: 'database.open',
    message:
      'The temporary directory is too deep, or not open to the server, for the database socket; set TMPDIR to a short one.',
  });
}
