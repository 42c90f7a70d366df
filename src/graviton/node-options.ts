import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { WriterMemory } from '../segment/segment-writer.ts';
import type { FileSystemSize, FreeSpaceFloor } from './disk-space.ts';

export interface LocalNodeOptions {
  readonly directory: string;
  /** A `Slab` with `writerBufferSize` extra bytes; they belong to this node while it is open. */
  readonly slab: WriterMemory & { readonly extraAt: number };
  readonly clock: Clock;
  readonly log?: Log;
  /** Written into a new node, and refused when another one was. Default `limits.segmentSize`. */
  readonly segmentSize?: number;
  /** Spare segments kept ready. Default `limits.spareSegmentsMax`. */
  readonly spareSegments?: number;
  /** Below the larger of the two, `health().full` holds. Default: the limits. */
  readonly freeSpaceFloor?: FreeSpaceFloor;
  /** The active segment is sealed after so long without a write. Default `limits.segmentIdleSealMs`. */
  readonly idleSealMs?: number;
  /** How often segments that are missing are looked for. Default `limits.missingSegmentCheckMs`. */
  readonly missingCheckMs?: number;
  /** False keeps to the page cache; otherwise the file system is asked. */
  readonly directIo?: boolean;
  /** The file system, for tests that break it. */
  readonly files?: SegmentFiles;
  readonly measureSpace?: () => FileSystemSize | undefined;
}
