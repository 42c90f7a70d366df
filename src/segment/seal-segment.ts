import { assert } from '../core/assert.ts';
import { syncFile } from './durable-steps.ts';
import { Fault } from './fault.ts';
import { decodeFooter, type FooterBuilder, type FooterSummary } from './footer.ts';
import { type SegmentFile, writeFully } from './segment-files.ts';
import { type Superblock, segmentMark } from './superblock.ts';

export interface SealOptions {
  /** Through the page cache, writable. */
  readonly file: SegmentFile;
  readonly superblock: Superblock;
  readonly entries: FooterBuilder;
  /** End of the last batch; whatever lies behind it is cut off. */
  readonly at: number;
  readonly root: string;
}

export interface SealedSegment extends FooterSummary {
  readonly superblock: Superblock;
  readonly fileSize: number;
}

/** Sealed files are never written again; the mode says so to people, too. */
const SEALED_MODE = 0o444;

/** Footer, cut, fsync, mode 0444. Used by the writer, and by recovery for a segment left open by a crash. */
export async function sealSegment({ file, superblock, entries, at, root }: SealOptions): Promise<SealedSegment> {
  const mark = segmentMark(superblock);
  const { bytes, summary } = entries.encode(mark, at, root);
  const check = decodeFooter(bytes, mark, at);
  assert(!(check instanceof Fault), 'a footer reads back as what it was made from');
  await writeFully(file, bytes, at);
  await file.truncate(at + bytes.byteLength);
  await file.chmod(SEALED_MODE);
  await syncFile(file);
  return { ...summary, superblock, fileSize: at + bytes.byteLength };
}
