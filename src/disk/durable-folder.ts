import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What a durable folder is made with; tests put their own in place. */
export interface FolderSteps {
  /** With missing parents. Returns the first folder that was made; undefined when all were there. */
  make(path: string): Promise<string | undefined>;
  sync(path: string): Promise<void>;
}

/** A new name is durable after a sync of the folder it stands in, and not before. @throws the file system's error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes the name of `path` durable, as far as we may: a folder that we can enter but not read is not ours to sync. */
export async function syncName(path: string): Promise<void> {
  await syncIfAllowed(dirname(path));
}

async function syncIfAllowed(path: string): Promise<void> {
  try {
    await syncFolder(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
  }
}

/**
 * Makes a folder, for its owner only, and its missing parents. Returns the first that was made; undefined when all were there.
 * Node's own way of making parents tries for ever where the system takes no folder and says that something is missing (/proc).
 * @throws the file system's error.
 */
export async function makeMissing(path: string): Promise<string | undefined> {
  try {
    return (await makeOne(path)) ? path : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const first = await makeMissing(dirname(path));
  return (await makeOne(path)) ? (first ?? path) : first;
}

/** False when it is there. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(path)).isDirectory()) return false;
    throw error;
  }
}

const onDisk: FolderSteps = {
  make: makeMissing,
  sync: syncIfAllowed,
};

/** Makes a folder, for its owner only, and its missing parents, each of them durable. */
export async function makeFolder(path: string, steps: FolderSteps = onDisk): Promise<void> {
  const first = (await steps.make(path)) ?? path;
  // Outwards from the innermost: until the last of these nobody was told that any of them is there.
  for (let made = path; ; made = dirname(made)) {
    await steps.sync(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}
