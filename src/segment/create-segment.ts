import type { SegmentFiles } from './segment-files.ts';
import type { OpenSegment } from './segment-writer.ts';
import type { Superblock } from './superblock.ts';

export interface CreateOptions {
  readonly files: SegmentFiles;
  /** The node's directory. */
  readonly directory: string;
  readonly superblock: Superblock;
  readonly direct: boolean;
  /** Path of a zero-filled spare file of `superblock.segmentSize` bytes, to be renamed into place. */
  readonly spare?: string;
}

/** Makes `seg/<id>.seg` durable: superblock, fsync, name, directory. The MANIFEST entry is the caller's next step. */
export declare function createSegment(options: CreateOptions): Promise<OpenSegment>;
/** Fills a new file with zeros and syncs it, so that later writes need no block allocation. */
export declare function makeSpare(files: SegmentFiles, path: string, size: number): Promise<void>;
