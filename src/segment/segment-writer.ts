import { setImmediate as endOfTurn } from 'node:timers/promises';
import { assert } from '../core/assert.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { type Batch, BatchFormer, type OutgoingRecord, PendingAppend, type RecordPlace } from './batch-former.ts';
import { BatchWriter, type WrittenBatch } from './batch-writer.ts';
import { firstRunningHash } from './commit-frame.ts';
import { FooterBuilder, type FooterEntry } from './footer.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE, PAYLOAD_SIZE_MAX, recordSpan, SEGMENT_RECORDS_MAX, SUPERBLOCK } from './format.ts';
import type { SegmentMark } from './record-header.ts';
import { type SealedSegment, sealSegment } from './seal-segment.ts';
import type { SegmentFile } from './segment-files.ts';
import { encodeSuperblock, type Superblock, segmentMark } from './superblock.ts';
import type { WriterMemory } from './write-buffers.ts';

export type { OutgoingRecord, RecordPlace } from './batch-former.ts';
export type { WriterMemory } from './write-buffers.ts';

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
  /** Makes and opens the next segment. When the disk is full (ENOSPC, `storage_full`) only the waiting batch fails. */
  openNext(): Promise<OpenSegment>;
  /** The segment's footer is durable and the file read-only: make the seal durable in MANIFEST. */
  onSealed(sealed: SealedSegment): Promise<void>;
  /** Called once: the writer is dead and every append fails with `node_read_only` from now on. */
  onDeath(death: WriterDeath): void;
  /** The disk had no room for a batch, a new segment or a footer; the writer goes on. */
  onFull(error: unknown): void;
}

export interface WriterDeath {
  /** Which step failed, in words: "fdatasync of segment 12". */
  readonly step: string;
  readonly segment: number | undefined;
  readonly cause: unknown;
}

export interface WriterStats {
  readonly batches: number;
  readonly records: number;
  /** Payload bytes made durable. */
  readonly bytes: number;
  /** Appends not settled yet. */
  readonly waiting: number;
}

/** What `SegmentWriterOptions.buffersAt` must have room for. */
export const writerBufferSize = 2 * limits.segmentWriteSize;

/** The active segment and how far it reaches. */
interface ActiveSegment extends OpenSegment {
  readonly mark: SegmentMark;
  readonly entries: FooterBuilder;
  position: number;
  batch: number;
  runningHash: string;
}

/**
 * The one writer of a disk. One batch is in flight, the next forms meanwhile, no timer: records, one commit frame, one
 * fdatasync, then every append of the batch resolves. An error of a write or of fdatasync is final, since a second
 * fdatasync may succeed over lost pages. Only a full disk is not: a write says so before anything was promised.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #former: BatchFormer;
  readonly #batches: BatchWriter;
  #active: ActiveSegment | undefined;
  #sequence: number;
  #running: Promise<void> | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #sealWanted = false;
  #death: WriterDeath | undefined;
  #closing: Promise<void> | undefined;
  readonly #stats = { batches: 0, records: 0, bytes: 0, waiting: 0 };

  constructor(options: SegmentWriterOptions) {
    assert(options.buffersAt % PAGE_SIZE === 0 && limits.segmentWriteSize % PAGE_SIZE === 0, 'write buffers are whole pages');
    assert(limits.blockSizeMax <= PAYLOAD_SIZE_MAX, 'a record holds a block');
    assert(limits.batchRecordsMax <= SEGMENT_RECORDS_MAX, 'a segment holds a batch');
    this.#options = options;
    this.#sequence = options.firstSequence;
    this.#former = new BatchFormer(batchSpanMax(options.segmentSize));
    this.#batches = new BatchWriter(options.memory, options.buffersAt);
  }

  get stats(): WriterStats {
    return this.#stats;
  }

  /**
   * Resolves when all records are durable, with their places in the order given. They share a batch when they fit.
   * @throws QuasarError `node_read_only`, `storage_full`, `node_closed`; none of the records counts then.
   */
  append(records: readonly OutgoingRecord[]): Promise<RecordPlace[]> {
    if (this.#death !== undefined) return Promise.reject(readOnly(this.#death));
    if (this.#closing !== undefined) return Promise.reject(new QuasarError('node_closed', { op: 'segment.append' }));
    if (records.length === 0) return Promise.resolve([]);
    for (const record of records) {
      assert(record.bytes.byteLength <= limits.blockSizeMax, 'a record holds at most one block');
      assert(recordSpan(record.bytes.byteLength) <= batchSpanMax(this.#options.segmentSize), 'a record fits a segment');
    }
    return new Promise((resolve, reject) => {
      this.#stats.waiting += 1;
      this.#former.offer(new PendingAppend(records, resolve, reject));
      this.#wake();
    });
  }

  /** Seals the active segment behind what was appended; the next append opens another. For idle time. */
  async sealActive(): Promise<void> {
    this.#sealWanted = true;
    this.#wake();
    await this.#running;
    await this.#sealing;
  }

  /** Waits for what was appended, seals, closes the files. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.sealActive();
    return this.#closing;
  }

  /** What other connections bring in the same turn of the event loop joins the first batch. */
  #wake(): void {
    this.#running ??= endOfTurn().then(() => this.#run());
  }

  async #run(): Promise<void> {
    do {
      for (let batch = this.#former.take(); batch !== undefined; batch = this.#former.take()) await this.#commit(batch);
      if (!this.#sealWanted) break;
      this.#sealWanted = false;
      await this.#retireActive();
    } while (!this.#former.empty || this.#sealWanted);
    this.#running = undefined;
  }

  async #commit(batch: Batch): Promise<void> {
    const segment = await this.#segmentFor(batch);
    if (segment === undefined) return;
    const written = await this.#write(segment, batch);
    if (written === undefined) return;
    try {
      await segment.file.dataSync();
    } catch (cause) {
      this.#die(
        { step: `fdatasync of segment ${segment.superblock.segment}`, segment: segment.superblock.segment, cause },
        batch,
      );
      return;
    }
    this.#advance(segment, written);
    this.#resolve(batch, segment.superblock.segment, written.entries);
  }

  /** The active segment when the batch fits, else a new one; undefined when the batch has failed. */
  async #segmentFor(batch: Batch): Promise<ActiveSegment | undefined> {
    const active = this.#active;
    if (active !== undefined) {
      const end = active.position + alignUp(batch.span + FRAME_SPAN, PAGE_SIZE);
      if (end <= this.#options.segmentSize && active.entries.count + batch.count <= SEGMENT_RECORDS_MAX) return active;
      await this.#retireActive();
    }
    if (this.#death === undefined) return this.#open(batch);
    this.#fail(batch, readOnly(this.#death));
    return undefined;
  }

  async #open(batch: Batch): Promise<ActiveSegment | undefined> {
    try {
      const opened = await this.#options.openNext();
      const { superblock, file, sealFile } = opened;
      const runningHash = firstRunningHash(encodeSuperblock(superblock));
      const entries = new FooterBuilder();
      this.#active = {
        superblock,
        file,
        sealFile,
        mark: segmentMark(superblock),
        entries,
        position: SUPERBLOCK.size,
        batch: 0,
        runningHash,
      };
      return this.#active;
    } catch (cause) {
      if (isFull(cause)) this.#failFull(batch, cause);
      else this.#die({ step: 'creation of a segment', segment: undefined, cause }, batch);
      return undefined;
    }
  }

  async #write(segment: ActiveSegment, batch: Batch): Promise<WrittenBatch | undefined> {
    const { file, mark, position, runningHash } = segment;
    try {
      return await this.#batches.write(batch, {
        file,
        mark,
        position,
        batch: segment.batch + 1,
        runningHash,
        firstSequence: this.#sequence,
      });
    } catch (cause) {
      if (isFull(cause)) await this.#cutBack(segment, batch, cause);
      else
        this.#die({ step: `write to segment ${segment.superblock.segment}`, segment: segment.superblock.segment, cause }, batch);
      return undefined;
    }
  }

  /** A half-written batch is cut off, so that no later batch is followed by its remains. */
  async #cutBack(segment: ActiveSegment, batch: Batch, error: unknown): Promise<void> {
    try {
      await segment.file.truncate(segment.position);
    } catch (cause) {
      this.#die(
        { step: `truncation of segment ${segment.superblock.segment}`, segment: segment.superblock.segment, cause },
        batch,
      );
      return;
    }
    this.#failFull(batch, error);
  }

  #advance(segment: ActiveSegment, written: WrittenBatch): void {
    for (const entry of written.entries) {
      segment.entries.add(entry);
      this.#stats.bytes += entry.storedSize;
    }
    segment.position = written.end;
    segment.batch += 1;
    segment.runningHash = written.runningHash;
    this.#sequence += written.entries.length;
    this.#stats.batches += 1;
    this.#stats.records += written.entries.length;
  }

  #resolve(batch: Batch, segment: number, entries: readonly FooterEntry[]): void {
    let index = 0;
    for (const { append, first, end } of batch.shares) {
      for (let record = first; record < end; record++) {
        const { offset, storedSize, sequence } = entries[index++] as FooterEntry;
        append.places.push({ segment, offset, size: storedSize, sequence });
      }
      if (append.places.length < append.records.length) continue;
      this.#stats.waiting -= 1;
      append.resolve(append.places);
    }
  }

  /** Sealing goes on beside the next batches, but only one segment is sealed at a time. */
  async #retireActive(): Promise<void> {
    const retired = this.#active;
    if (retired === undefined) return;
    this.#active = undefined;
    await this.#sealing;
    this.#sealing = this.#seal(retired);
  }

  /** Never rejects. A segment that could not be sealed loses nothing: the next start finds its records by a scan. */
  async #seal(segment: ActiveSegment): Promise<void> {
    const { segment: id } = segment.superblock;
    try {
      await this.#sealAndClose(segment);
    } catch (cause) {
      if (isFull(cause)) this.#options.onFull(cause);
      else this.#die({ step: `seal of segment ${id}`, segment: id, cause });
    }
  }

  /** A dead writer only closes: what its disk would make of a footer is not known. */
  async #sealAndClose({ superblock, file, sealFile, entries, position, runningHash }: ActiveSegment): Promise<void> {
    try {
      await file.close();
      if (this.#death !== undefined) return;
      const sealed = await sealSegment({ file: sealFile, superblock, entries, at: position, root: runningHash });
      await this.#options.onSealed(sealed);
    } finally {
      await sealFile.close();
    }
  }

  #failFull(batch: Batch, cause: unknown): void {
    this.#fail(batch, new QuasarError('storage_full', { op: 'segment.append', cause }));
    this.#options.onFull(cause);
  }

  #fail(batch: Batch, error: Error): void {
    for (const { append } of batch.shares) this.#reject(append, error);
  }

  #reject(append: PendingAppend, error: Error): void {
    if (append.failed) return;
    this.#stats.waiting -= 1;
    append.fail(error);
  }

  #die(death: WriterDeath, batch?: Batch): void {
    const first = this.#death === undefined;
    this.#death ??= death;
    const error = readOnly(this.#death);
    if (batch !== undefined) this.#fail(batch, error);
    for (const append of this.#former.drain()) this.#reject(append, error);
    if (first) this.#options.onDeath(death);
  }
}

/** What one batch may take of an empty segment. */
function batchSpanMax(segmentSize: number): number {
  return segmentSize - SUPERBLOCK.size - PAGE_SIZE;
}

function readOnly(death: WriterDeath): QuasarError {
  return new QuasarError('node_read_only', { op: 'segment.append', cause: death.cause });
}

function isFull(error: unknown): boolean {
  if (isQuasarError(error, 'storage_full')) return true;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
