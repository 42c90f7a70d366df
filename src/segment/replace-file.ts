import { basename, dirname } from 'node:path';
import { type SegmentFiles, writeFully } from './segment-files.ts';

/** Writes aside, syncs, renames, syncs the directory: a crash leaves the old file or the new one. @throws the file's errors. */
export async function replaceFile(files: SegmentFiles, path: string, bytes: Uint8Array): Promise<void> {
  const directory = dirname(path);
  const aside = `${path}.new`;
  if ((await files.list(directory)).includes(basename(aside))) await files.unlink(aside);
  const file = await files.open(aside, { access: 'create', direct: false });
  try {
    await writeFully(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(aside, path);
  await files.syncDirectory(directory);
}
