import { join } from 'node:path';
import type { OpenSegment } from './active-segment.ts';
import { naming, syncFile, syncFolder } from './durable-steps.ts';
import { nodePaths, segmentFileName } from './format.ts';
import { type SegmentFile, type SegmentFiles, writeFully } from './segment-files.ts';
import { encodeSuperblock, type Superblock } from './superblock.ts';

export interface CreateOptions {
  readonly files: SegmentFiles;
  /** The node's directory. */
  readonly directory: string;
  readonly superblock: Superblock;
  readonly direct: boolean;
  /** Path of a zero-filled file of `superblock.segmentSize` bytes on the same file system, to be renamed into place. */
  readonly spare?: string;
}

/**
 * Makes `seg/<id>.seg` durable: superblock, fsync, name, directory. The MANIFEST entry is the caller's next step; until
 * then a crash leaves a file that no entry names, which a start may delete.
 * @throws DiskStepError when a name could not be made or opened, which condemns no disk; the file's errors.
 */
export async function createSegment(options: CreateOptions): Promise<OpenSegment> {
  const { files, superblock, spare } = options;
  const folder = join(options.directory, nodePaths.segments);
  const path = join(folder, segmentFileName(superblock.segment));
  const first = await naming(files.open(spare ?? path, { access: spare === undefined ? 'create' : 'write', direct: false }));
  await closing(first, async () => {
    await writeFully(first, encodeSuperblock(superblock), 0);
    await syncFile(first);
  });
  if (spare !== undefined) await naming(files.rename(spare, path));
  await syncFolder(files, folder);
  const sealFile = await naming(files.open(path, { access: 'write', direct: false }));
  try {
    const file = await naming(files.open(path, { access: 'write', direct: options.direct }));
    return { superblock, file, sealFile };
  } catch (error) {
    await sealFile.close();
    throw error;
  }
}

async function closing(file: SegmentFile, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await file.close();
  }
}
