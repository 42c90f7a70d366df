import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { replaceFile } from '../segment/durable-steps.ts';
import { nodePaths } from '../segment/format.ts';
import { diskFiles, readFully, type SegmentFiles } from '../segment/segment-files.ts';
import { LmdbBlockIndex } from './lmdb-block-index.ts';
import { readNodeDirectory } from './node-directory.ts';
import { NodeJournal } from './node-journal.ts';
import { NodeLock } from './node-lock.ts';
import { openIfThere } from './open-if-there.ts';
import { type DiskMark, meaningOf, readMarks, removeMarks } from './read-only-mark.ts';
import { NODE_ITSELF } from './segment-ledger.ts';

export interface AcceptOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Who accepts, and why; kept in MANIFEST. */
  readonly reason: string;
  readonly files?: SegmentFiles;
}

/**
 * Takes a node's disk back into service after a write error. The node must be stopped: its next start recovers and
 * writes again. Segments that met the error stay suspect: their blocks are read, but stored again when they come again.
 * MANIFEST is written anew, since what a process reads of it may never have reached the disk; the index is dropped for
 * the same reason, and the next start builds it from the segments.
 * Returns why the node was read-only; undefined when it was not, and nothing is changed then.
 * @throws QuasarError `storage_in_use`, `storage_incompatible`.
 */
export async function acceptDisk({ directory, clock, reason, files = diskFiles }: AcceptOptions): Promise<string | undefined> {
  await readNodeDirectory(files, directory);
  const lock = await NodeLock.acquire(join(directory, nodePaths.lock));
  try {
    const marks = await readMarks(files, directory);
    const was = marks[0]?.reason ?? (await suspicion({ files, directory, clock }));
    if (was === undefined) return undefined;
    await writeManifestAnew(files, directory);
    await enter({ files, directory, clock }, marks, reason);
    await LmdbBlockIndex.drop(join(directory, nodePaths.index));
    await removeMarks(files, directory);
    return was;
  } finally {
    lock.release();
  }
}

type JournalPlace = Pick<Required<AcceptOptions>, 'files' | 'directory' | 'clock'>;

/** Changes nothing. */
async function suspicion(place: JournalPlace): Promise<string | undefined> {
  const journal = await NodeJournal.open({ ...place, frozen: true });
  await journal.close();
  return journal.ledger.nodeSuspect;
}

async function writeManifestAnew(files: SegmentFiles, directory: string): Promise<void> {
  const path = join(directory, nodePaths.manifest);
  const file = await openIfThere(files, path);
  if (file === undefined) return;
  let bytes: Buffer;
  try {
    bytes = Buffer.alloc(await file.size());
    bytes = bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
  await replaceFile(files, path, bytes);
}

/** What only the marks knew comes before the acceptance, so that a crash between them leaves the node read-only. */
async function enter(place: JournalPlace, marks: readonly DiskMark[], reason: string): Promise<void> {
  const journal = await NodeJournal.open(place);
  try {
    for (const mark of meaningOf(marks, journal.ledger)) {
      const known = mark.segment === NODE_ITSELF || journal.ledger.isSuspect(mark.segment);
      if (!known) await journal.record({ kind: 'suspect', ...mark });
    }
    await journal.record({ kind: 'accept', reason });
  } finally {
    await journal.close();
  }
}
