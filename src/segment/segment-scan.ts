import type { RecordHeader } from './record-header.ts';
import type { SegmentFile } from './segment-files.ts';
import type { Superblock } from './superblock.ts';

export interface ScanOptions {
  readonly superblock: Superblock;
  /** Start of a batch: a page after a commit frame, with that frame's batch number and running hash. Default: the first. */
  readonly from?: ScanStart;
  /** Exclusive end, e.g. the footer's first byte; default the file's size. */
  readonly end?: number;
  /** Re-hash every payload. */
  readonly verifyPayloads: boolean;
}

export interface ScanStart {
  readonly at: number;
  readonly batch: number;
  /** Running hash (hex) of the batch before. */
  readonly runningHash: string;
}

export interface ScannedRecord {
  readonly offset: number;
  readonly header: RecordHeader;
}

/** Bytes under a valid commit frame, or before a later one, that are not what was acknowledged. */
export interface DamagedRange {
  readonly at: number;
  readonly size: number;
  readonly meaning: string;
  /** Present when the header is good and the payload is not. */
  readonly record: ScannedRecord | undefined;
}

export interface ScannedBatch {
  readonly type: 'batch';
  readonly batch: number;
  readonly at: number;
  /** First byte after the batch, page-aligned. */
  readonly end: number;
  /** Offset of the commit frame; undefined when only later frames prove that the batch was acknowledged. */
  readonly frameAt: number | undefined;
  /** Healthy records only (with `verifyPayloads`; else those with a good header). */
  readonly records: readonly ScannedRecord[];
  readonly damage: readonly DamagedRange[];
  readonly runningHash: string;
}

export interface ScanEnd {
  readonly type: 'end';
  /** clean: nothing but zeros follow. torn: an unacknowledged tail. footer: sealing had begun. */
  readonly state: 'clean' | 'torn' | 'footer';
  /** End of the last batch: where a footer goes. */
  readonly at: number;
  /** Size of the torn tail, trailing zeros excluded; 0 unless torn. */
  readonly tailSize: number;
  /** Records of a torn tail that verify; never acknowledged, may be appended again elsewhere. */
  readonly salvage: readonly ScannedRecord[];
  readonly batch: number;
  readonly runningHash: string;
}

export type ScanEvent = ScannedBatch | ScanEnd;

/** Walks batches in order; the last event is always `end`. @throws the file's read errors. */
export declare function scanSegment(file: SegmentFile, options: ScanOptions): AsyncGenerator<ScanEvent>;
