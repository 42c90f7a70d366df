import { readFile, stat } from 'node:fs/promises';
import { QuasarError } from '../core/errors.ts';

/** The user a child process runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference; `nobody` stands on every system. */
const CANDIDATES = ['postgres', 'quasar', 'nobody'];

/**
 * PostgreSQL refuses to run as root, so root runs it as another user: the one an existing cluster belongs to, else the
 * first candidate this machine has. Undefined means: as ourselves.
 * @throws QuasarError `database_refused` when there is no such user.
 */
export async function chooseServerUser(clusterDirectory: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await ownerOf(clusterDirectory);
  if (owner !== undefined && owner.uid !== 0) return owner;

  const users = parseUsers(await readFile('/etc/passwd', 'utf8'));
  for (const name of CANDIDATES) {
    const user = users.get(name);
    if (user !== undefined && user.uid !== 0) return user;
  }
  throw new QuasarError('database_refused', {
    op: 'database.open',
    message: 'PostgreSQL does not run as root, and there is no user "postgres" to run it as. Create one: useradd -r postgres',
  });
}

/** Lines of passwd(5): name, password, uid, gid and more, by colons. */
export function parseUsers(passwd: string): Map<string, ServerUser> {
  const users = new Map<string, ServerUser>();
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

async function ownerOf(path: string): Promise<ServerUser | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
