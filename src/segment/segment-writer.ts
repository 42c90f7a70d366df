import type { BlockId } from '../core/digest.ts';
import type { FooterSummary } from './footer.ts';
import type { RecordKind } from './format.ts';
import type { SegmentFile } from './segment-files.ts';
import type { Superblock } from './superblock.ts';

/** One record to append. `bytes` are borrowed until `append` settles. */
export interface OutgoingRecord {
  readonly kind: Exclude<RecordKind, 'commit' | 'pad'>;
  readonly id: BlockId;
  readonly bytes: Uint8Array;
}

/** Where a durable record lies. */
export interface RecordPlace {
  readonly segment: number;
  /** Offset of the record's header in the segment. */
  readonly offset: number;
  /** Size of the payload. */
  readonly size: number;
  readonly sequence: number;
}

/** The part of core/slab.ts the writer needs; a Slab is one. */
export interface WriterMemory {
  readonly bytes: Uint8Array;
  copyIn(target: number, source: Uint8Array): void;
  move(target: number, source: number, size: number): void;
  owns(view: Uint8Array): boolean;
}

/** A segment that is open for appending: its superblock, name and MANIFEST entry are durable. */
export interface OpenSegment {
  readonly superblock: Superblock;
  /** Opened with O_DIRECT or not, as the caller decided. */
  readonly file: SegmentFile;
  /** Another handle on the same file through the page cache, for the footer. */
  readonly sealFile: SegmentFile;
}

export interface SegmentWriterOptions {
  readonly memory: WriterMemory;
  /** Page-aligned offset in `memory.bytes` of `writerBufferSize` bytes that belong to the writer. */
  readonly buffersAt: number;
  readonly segmentSize: number;
  /** The sequence number of the first record. */
  readonly firstSequence: number;
  /** Makes and opens the next segment. @throws QuasarError `storage_full`: only the waiting batch fails then. */
  openNext(): Promise<OpenSegment>;
  /** The segment's footer is durable and the file read-only: make the seal durable in MANIFEST. */
  onSealed(summary: SealedSegment): Promise<void>;
  /** Called once: the writer is dead and every append fails with `node_read_only` from now on. */
  onDeath(reason: WriterDeath): void;
  /** The disk had no room for a batch or a footer; the writer goes on. */
  onFull(error: unknown): void;
}

export interface SealedSegment extends FooterSummary {
  readonly superblock: Superblock;
  readonly fileSize: number;
}

export interface WriterDeath {
  /** Which step failed, in words: "fdatasync of segment 12". */
  readonly step: string;
  readonly segment: number | undefined;
  readonly cause: unknown;
}

export declare const writerBufferSize: number;

export declare class SegmentWriter {
  constructor(options: SegmentWriterOptions);
  /** @throws QuasarError `node_read_only`, `storage_full`, `node_closed`. */
  append(records: readonly OutgoingRecord[]): Promise<RecordPlace[]>;
  /** Seals the active segment after the batch in flight; the next append opens another. For idle time. */
  sealActive(): Promise<void>;
  /** Waits for what was appended, seals, closes. Idempotent. */
  close(): Promise<void>;
}
