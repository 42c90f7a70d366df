import type { Batch } from './batch-former.ts';
import type { BatchTarget, FramedBatch } from './batch-writer.ts';
import { firstRunningHash } from './commit-frame.ts';
import { FooterBuilder } from './footer.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE, SEGMENT_RECORDS_MAX, SUPERBLOCK } from './format.ts';
import type { SegmentMark } from './record-header.ts';
import type { SegmentFile } from './segment-files.ts';
import { encodeSuperblock, type Superblock, segmentMark } from './superblock.ts';

/** A segment that is open for appending: its superblock, name and MANIFEST entry are durable. */
export interface OpenSegment {
  readonly superblock: Superblock;
  /** Opened with O_DIRECT or not, as the caller decided. */
  readonly file: SegmentFile;
  /** Another handle on the same file through the page cache, for the footer. */
  readonly sealFile: SegmentFile;
}

/** The segment that is appended to, and how far its durable batches reach. */
export class ActiveSegment implements OpenSegment {
  readonly superblock: Superblock;
  readonly file: SegmentFile;
  readonly sealFile: SegmentFile;
  readonly entries = new FooterBuilder();
  readonly #mark: SegmentMark;
  #position: number = SUPERBLOCK.size;
  #batch = 0;
  #runningHash: string;

  constructor({ superblock, file, sealFile }: OpenSegment) {
    this.superblock = superblock;
    this.file = file;
    this.sealFile = sealFile;
    this.#mark = segmentMark(superblock);
    this.#runningHash = firstRunningHash(encodeSuperblock(superblock));
  }

  get id(): number {
    return this.superblock.segment;
  }

  /** The end of the last durable batch. */
  get position(): number {
    return this.#position;
  }

  /** Of the last durable batch. */
  get runningHash(): string {
    return this.#runningHash;
  }

  /** The place behind the last durable batch. */
  target(firstSequence: number): BatchTarget {
    const { file } = this;
    const batch = this.#batch + 1;
    return { file, mark: this.#mark, position: this.#position, batch, runningHash: this.#runningHash, firstSequence };
  }

  /** The place behind the batch that is to become durable next. */
  targetBehind({ end, runningHash, entries }: FramedBatch): BatchTarget {
    const { file } = this;
    const firstSequence = (entries.at(-1)?.sequence ?? 0) + 1;
    return { file, mark: this.#mark, position: end, batch: this.#batch + 2, runningHash, firstSequence };
  }

  /** Does the batch fit behind the last durable one, or behind `other`, which lies between? */
  hasRoom(batch: Batch, other?: FramedBatch): boolean {
    const position = other?.end ?? this.#position;
    const count = this.entries.count + (other?.entries.length ?? 0) + batch.count;
    const end = position + alignUp(batch.span + FRAME_SPAN, PAGE_SIZE);
    return end <= this.superblock.segmentSize && count <= SEGMENT_RECORDS_MAX;
  }

  /** The batch is durable. */
  advance({ entries, end, runningHash }: FramedBatch): void {
    for (const entry of entries) this.entries.add(entry);
    this.#position = end;
    this.#batch += 1;
    this.#runningHash = runningHash;
  }
}
