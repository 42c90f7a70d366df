import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { nodePaths } from '../segment/format.ts';
import { diskFiles, type SegmentFiles } from '../segment/segment-files.ts';
import { assertOwnFile } from './foreign-file.ts';
import { listSegmentFiles, readNodeDirectory, segmentPath } from './node-directory.ts';
import { NodeJournal } from './node-journal.ts';
import { NodeLock } from './node-lock.ts';
import type { LedgerSegment } from './segment-ledger.ts';

export interface AcceptLossOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** The segments to give up. */
  readonly segments: readonly number[];
  /** Who gives them up, and why; kept in MANIFEST. */
  readonly reason: string;
  readonly files?: SegmentFiles;
}

/**
 * Gives up segments whose files are missing, cut short or another's: the node's next start works without them. What they held is
 * lost until it is stored again; a file that returns is read again. The node must be stopped. Idempotent.
 * @throws QuasarError `storage_in_use`, `storage_incompatible`; `bad_parameter` when a segment is unknown or there and whole,
 * and then nothing is given up.
 */
export async function acceptLoss({ directory, clock, segments, reason, files = diskFiles }: AcceptLossOptions): Promise<void> {
  await readNodeDirectory(files, directory);
  const lock = await NodeLock.acquire(join(directory, nodePaths.lock));
  try {
    const journal = await NodeJournal.open({ files, directory, clock });
    try {
      const there = new Set(await listSegmentFiles(files, directory));
      for (const segment of segments) {
        const known = journal.ledger.find(segment);
        if (known === undefined) throw refusal(segment, 'MANIFEST names no such segment.');
        if (there.has(segment) && (await isWhole(files, directory, known))) throw refusal(segment, 'Its file is there.');
      }
      for (const segment of segments) {
        if (!journal.ledger.isGivenUp(segment)) await journal.record({ kind: 'lost', segment, reason });
      }
    } finally {
      await journal.close();
    }
  } finally {
    lock.release();
  }
}

/** A file that cannot be opened, or holds another segment, is not. */
async function isWhole(files: SegmentFiles, directory: string, known: LedgerSegment): Promise<boolean> {
  const { segment, sealed } = known;
  try {
    const file = await files.open(segmentPath(directory, segment), { access: 'read', direct: false });
    try {
      await assertOwnFile(file, known);
      return (await file.size()) >= (sealed?.fileSize ?? 0);
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

function refusal(segment: number, why: string): QuasarError {
  return new QuasarError('bad_parameter', {
    op: 'graviton.acceptLoss',
    message: `Segment ${segment} is not given up. ${why} Nothing was changed.`,
    details: { segment },
  });
}
