import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { nodePaths } from '../segment/format.ts';
import { diskFiles, type SegmentFiles } from '../segment/segment-files.ts';
import { readNodeDirectory } from './node-directory.ts';
import { NodeJournal } from './node-journal.ts';
import { NodeLock } from './node-lock.ts';

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
 * Returns why the node was read-only; undefined when it was not, and nothing is changed then.
 * @throws QuasarError `storage_in_use`, `storage_incompatible`.
 */
export async function acceptDisk({ directory, clock, reason, files = diskFiles }: AcceptOptions): Promise<string | undefined> {
  await readNodeDirectory(files, directory);
  const lock = await NodeLock.acquire(join(directory, nodePaths.lock));
  try {
    const journal = await NodeJournal.open({ files, directory, clock });
    try {
      const was = journal.ledger.nodeSuspect;
      if (was !== undefined) await journal.record({ kind: 'accept', reason });
      return was;
    } finally {
      await journal.close();
    }
  } finally {
    lock.release();
  }
}
