import { isShortage } from '../segment/disk-fault.ts';
import { Fault } from '../segment/fault.ts';
import type { SegmentFile } from '../segment/segment-files.ts';
import { readSuperblock } from '../segment/segment-reader.ts';
import type { Superblock } from '../segment/superblock.ts';
import type { LedgerSegment } from './segment-ledger.ts';

/**
 * The file under a segment's name holds another segment: names were swapped, or a copy was put in the wrong place. It is
 * no proof of damage, because the segment's own file may exist somewhere: the segment counts as missing.
 */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
}

/** What the file holds instead of the segment, in words; undefined when it is the segment's own. */
export function foreignness({ segment, salt }: Superblock, known: LedgerSegment): string | undefined {
  if (segment !== known.segment) return `its file holds segment ${segment}`;
  return salt === known.salt ? undefined : `its file holds a segment ${segment} that MANIFEST does not know`;
}

/**
 * Reads the superblock. One that is damaged, or that the disk does not give, does not tell whose file it is: the file then
 * counts as the segment's own. @throws ForeignFileError; the file's error when we were short of something.
 */
export async function assertOwnFile(file: SegmentFile, known: LedgerSegment): Promise<void> {
  const superblock = await readSuperblock(file).catch(unreadable);
  const reason = superblock instanceof Fault ? undefined : foreignness(superblock, known);
  if (reason !== undefined) throw new ForeignFileError(reason);
}

function unreadable(error: Error): Fault {
  if (isShortage(error)) throw error;
  return new Fault(error.message);
}
