import type { FooterBuilder } from './footer.ts';
import type { SegmentFile } from './segment-files.ts';
import type { SealedSegment } from './segment-writer.ts';
import type { Superblock } from './superblock.ts';

export interface SealOptions {
  /** Through the page cache, writable. */
  readonly file: SegmentFile;
  readonly superblock: Superblock;
  readonly entries: FooterBuilder;
  /** End of the last batch; whatever lies behind it is cut off. */
  readonly at: number;
  readonly root: string;
}

/** Footer, cut, fsync, mode 0444. Used by the writer, and by recovery for a segment left open by a crash. */
export declare function sealSegment(options: SealOptions): Promise<SealedSegment>;
