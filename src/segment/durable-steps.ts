import { dirname } from 'node:path';
import { makeFolder as makeFolderBy } from '../disk/durable-folder.ts';
import { DiskStepError } from './disk-fault.ts';
import { type SegmentFile, type SegmentFiles, writeFully } from './segment-files.ts';

/*
 * Every sync of a node, so that none of its errors is mistaken for one that passes, and every step that needs one: a file
 * or folder that is made, a name that is given or taken.
 */

/** @throws DiskStepError, which is final: what was written before may be lost. */
export function syncFile(file: SegmentFile): Promise<void> {
  return syncing(file.sync());
}

/** As `syncFile`, without the times of the file. */
export function syncData(file: SegmentFile): Promise<void> {
  return syncing(file.dataSync());
}

/** Makes the names in a folder durable. @throws DiskStepError, which is final. */
export function syncFolder(files: SegmentFiles, path: string): Promise<void> {
  return syncing(files.syncDirectory(path));
}

/** Makes a folder and its missing parents, each of them durable. */
export async function makeFolder(files: SegmentFiles, path: string): Promise<void> {
  await makeFolderBy(path, { make: (wanted) => files.makeDirectory(wanted), sync: (folder) => syncFolder(files, folder) });
}

/** Gives a file another name, durably: a crash leaves one of the two, never both or none. */
export async function renameFile(files: SegmentFiles, from: string, to: string): Promise<void> {
  await naming(files.rename(from, to));
  await syncFolder(files, dirname(to));
  if (dirname(from) !== dirname(to)) await syncFolder(files, dirname(from));
}

/** Makes a new file with what `fill` writes, durably. */
export async function createFile(files: SegmentFiles, path: string, fill: (file: SegmentFile) => Promise<void>): Promise<void> {
  const file = await naming(files.open(path, { access: 'create', direct: false }));
  try {
    await fill(file);
    await syncFile(file);
  } finally {
    await file.close();
  }
  await syncFolder(files, dirname(path));
}

/** Writes aside and renames: a crash leaves the old file or the new one. @throws the file's errors. */
export async function replaceFile(files: SegmentFiles, path: string, bytes: Uint8Array): Promise<void> {
  const aside = `${path}.new`;
  await removeFile(files, aside);
  await createFile(files, aside, (file) => writeFully(file, bytes, 0));
  await renameFile(files, aside, path);
}

/** Unlinks a file that may be there. The name is gone for good after a sync of its folder. */
export async function removeFile(files: SegmentFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A step that gives or opens a name. Its failure condemns no disk: no byte was written. @throws DiskStepError. */
export async function naming<Result>(step: Promise<Result>): Promise<Result> {
  try {
    return await step;
  } catch (cause) {
    throw new DiskStepError('open', cause);
  }
}

async function syncing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    throw new DiskStepError('sync', cause);
  }
}
