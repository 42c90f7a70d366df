import { setImmediate as endOfTurn } from 'node:timers/promises';
import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { ActiveSegment, type OpenSegment } from './active-segment.ts';
import { type Batch, BatchFormer, type OutgoingRecord, PendingAppend, type RecordPlace } from './batch-former.ts';
import { BatchWriter, type FramedBatch } from './batch-writer.ts';
import { diskFaultOf } from './disk-fault.ts';
import { syncData } from './durable-steps.ts';
import type { FooterEntry } from './footer.ts';
import { PAGE_SIZE, PAYLOAD_SIZE_MAX, recordSpan, SEGMENT_RECORDS_MAX, SUPERBLOCK } from './format.ts';
import { type SealedSegment, sealSegment } from './seal-segment.ts';
import { WRITE_BUFFER_COUNT, type WriterMemory } from './write-buffers.ts';

export type { OpenSegment } from './active-segment.ts';
export type { OutgoingRecord, RecordPlace } from './batch-former.ts';
export type { WriterMemory } from './write-buffers.ts';

export interface SegmentWriterOptions {
  readonly memory: WriterMemory;
  /** Page-aligned offset in `memory.bytes` of `writerBufferSize` bytes that belong to the writer. */
  readonly buffersAt: number;
  readonly segmentSize: number;
  /** Whole pages; a write is at most this long. Default: `limits.segmentWriteSize`, which is the most. */
  readonly writeSize?: number;
  /** The sequence number of the first record. */
  readonly firstSequence: number;
  /** Makes and opens the next segment. Only a final failure (`diskFaultOf`) kills the writer; others fail the waiting batch. */
  openNext(): Promise<OpenSegment>;
  /** The segment's footer is durable and the file read-only: make the seal durable in MANIFEST. */
  onSealed(sealed: SealedSegment): Promise<void>;
  /**
   * Called at the first failure, and for each segment that one hits: the writer is dead and every append fails with
   * `node_read_only` from now on.
   */
  onDeath(death: WriterDeath): void;
  /** The disk had no room for a batch, a new segment or a footer; the writer goes on. */
  onFull(error: unknown): void;
  /** Something was short for a moment, or a segment could not be opened; the writer goes on. */
  onRefused(error: unknown): void;
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
export const writerBufferSize = WRITE_BUFFER_COUNT * limits.segmentWriteSize;

/**
 * The one writer of a disk. One batch becomes durable while the next one forms, no timer: records, one commit frame, one
 * fdatasync, then every append of the batch resolves. Records of the forming batch are gathered as they come, and full
 * buffers of them are written ahead; their frame follows when the batch before is durable. So bytes behind a batch that
 * is not durable can be anything but a batch. An error of a write or of fdatasync is final, since a second
 * fdatasync may succeed over lost pages. A write that finds the disk full, or the machine short of something, is not: it
 * says so before anything was promised.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #former: BatchFormer;
  readonly #batches: BatchWriter;
  #active: ActiveSegment | undefined;
  /** Where the forming batch is gathered before it is taken. */
  #ahead: { readonly segment: ActiveSegment; readonly behind: FramedBatch } | undefined;
  /** The batch before is durable or has failed. Never rejects. */
  #settled: Promise<void> = Promise.resolve();
  #sequence: number;
  #running: Promise<void> | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #sealWanted = false;
  #death: WriterDeath | undefined;
  /** Segments whose bytes are in doubt since then. */
  readonly #hit = new Set<number>();
  #closing: Promise<void> | undefined;
  readonly #stats = { batches: 0, records: 0, bytes: 0, waiting: 0 };

  constructor(options: SegmentWriterOptions) {
    assert(options.buffersAt % PAGE_SIZE === 0, 'write buffers begin on a page');
    assert(limits.blockSizeMax <= PAYLOAD_SIZE_MAX, 'a record holds a block');
    assert(limits.batchRecordsMax <= SEGMENT_RECORDS_MAX, 'a segment holds a batch');
    this.#options = options;
    this.#sequence = options.firstSequence;
    this.#former = new BatchFormer(batchSpanMax(options.segmentSize));
    const { memory, buffersAt, writeSize = limits.segmentWriteSize } = options;
    assert(writeSize <= limits.segmentWriteSize && writeSize % PAGE_SIZE === 0, 'write buffers are whole pages');
    this.#batches = new BatchWriter({ memory, buffersAt, writeSize, onRoom: () => this.#gatherAhead() });
  }

  get stats(): WriterStats {
    return this.#stats;
  }

  /**
   * Resolves when all records are durable, with their places in the order given. They share a batch when they fit.
   * @throws QuasarError `node_read_only`, `storage_full`, `storage_busy`, `node_closed`; none of the records counts then.
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
      this.#gatherAhead();
      this.#wake();
    });
  }

  /** The disk failed in another file of the node: nothing is begun any more. */
  stop(death: WriterDeath): void {
    if (this.#death === undefined) this.#die(death);
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
      for (;;) {
        await this.#settled;
        await this.#batches.returned();
        const batch = this.#former.take();
        if (batch === undefined) break;
        await this.#commit(batch);
      }
      if (this.#sealWanted) {
        this.#sealWanted = false;
        await this.#retireActive();
      }
    } while (!this.#former.empty || this.#sealWanted);
    this.#running = undefined;
  }

  /**
   * The batch was just taken, and the one before is settled. Returns when its last write has been issued, or it has
   * failed; the next batch is then gathered behind it.
   */
  async #commit(batch: Batch): Promise<void> {
    // At once: what is offered from now on belongs to the next batch.
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const segment = await this.#segmentFor(batch);
    if (segment === undefined) return;
    if (ahead?.segment !== segment) this.#batches.begin(segment.target(this.#sequence));
    let framed: FramedBatch;
    try {
      framed = await this.#batches.frame(batch);
    } catch (cause) {
      await this.#writeFailed(segment, batch, cause);
      return;
    }
    this.#settled = this.#makeDurable(segment, batch, framed);
    this.#batches.begin(segment.targetBehind(framed));
    this.#ahead = { segment, behind: framed };
    this.#gatherAhead();
  }

  /** Copies what has joined the forming batch, and writes full buffers of it: no reason to wait for the batch before. */
  #gatherAhead(): void {
    const { forming } = this.#former;
    const ahead = this.#ahead;
    if (ahead === undefined || this.#death !== undefined) return;
    if (ahead.segment.hasRoom(forming, ahead.behind)) this.#batches.gather(forming);
  }

  /** Never rejects. */
  async #makeDurable(segment: ActiveSegment, batch: Batch, framed: FramedBatch): Promise<void> {
    try {
      await framed.written;
    } catch (cause) {
      await this.#writeFailed(segment, batch, cause);
      return;
    }
    const error = this.#batches.errors.find(isFinal);
    if (error !== undefined) {
      this.#die(deathOf('write to', segment, error), batch);
      return;
    }
    try {
      const synced = syncData(segment.file);
      this.#gatherAhead();
      await synced;
    } catch (cause) {
      this.#die(deathOf('fdatasync of', segment, cause), batch);
      return;
    }
    this.#advance(segment, framed);
    this.#resolve(batch, segment.id, framed.entries);
  }

  /** The active segment when the batch fits, else a new one; undefined when the batch has failed. */
  async #segmentFor(batch: Batch): Promise<ActiveSegment | undefined> {
    const active = this.#active;
    if (active !== undefined) {
      if (active.hasRoom(batch)) return active;
      await this.#retireActive();
    }
    if (this.#death === undefined) return this.#open(batch);
    this.#fail(batch, readOnly(this.#death));
    return undefined;
  }

  async #open(batch: Batch): Promise<ActiveSegment | undefined> {
    try {
      this.#active = new ActiveSegment(await this.#options.openNext());
      return this.#active;
    } catch (cause) {
      if (isFinal(cause)) this.#die({ step: 'creation of a segment', segment: undefined, cause }, batch);
      else this.#refuse(batch, cause);
      return undefined;
    }
  }

  /** Not every error is final. What was written ahead is given up, too: it lies behind bytes that will not be. */
  async #writeFailed(segment: ActiveSegment, batch: Batch, error: unknown): Promise<void> {
    const cause = [error, ...(await this.#abandonAhead())].find(isFinal);
    if (cause === undefined) await this.#cutBack(segment, batch, error);
    else this.#die(deathOf('write to', segment, cause), batch);
  }

  /** The records stay in the forming batch. Returns the errors of their writes, when none is in flight any more. */
  #abandonAhead(): Promise<readonly unknown[]> {
    this.#ahead = undefined;
    return this.#batches.abandon();
  }

  /** A half-written batch is cut off, so that no later batch is followed by its remains. */
  async #cutBack(segment: ActiveSegment, batch: Batch, error: unknown): Promise<void> {
    try {
      await segment.file.truncate(segment.position);
    } catch (cause) {
      if (isFinal(cause)) {
        this.#die(deathOf('truncation of', segment, cause), batch);
        return;
      }
      await this.#leave(segment);
    }
    this.#refuse(batch, error);
  }

  /** Nothing is written behind remains that could not be cut: the next start does that, and seals. */
  async #leave(segment: ActiveSegment): Promise<void> {
    this.#active = undefined;
    await segment.file.close();
    await segment.sealFile.close();
  }

  #advance(segment: ActiveSegment, framed: FramedBatch): void {
    segment.advance(framed);
    for (const { storedSize } of framed.entries) this.#stats.bytes += storedSize;
    this.#sequence += framed.entries.length;
    this.#stats.batches += 1;
    this.#stats.records += framed.entries.length;
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
    const cause = (await this.#abandonAhead()).find(isFinal);
    if (cause !== undefined) this.#die(deathOf('write to', retired, cause));
    await this.#sealing;
    this.#sealing = this.#seal(retired);
  }

  /** Never rejects. A segment that could not be sealed loses nothing: the next start finds its records by a scan. */
  async #seal(segment: ActiveSegment): Promise<void> {
    try {
      await this.#sealAndClose(segment);
    } catch (cause) {
      if (isFinal(cause)) this.#die(deathOf('seal of', segment, cause));
      else this.#tell(cause);
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

  #refuse(batch: Batch, cause: unknown): void {
    const code = diskFaultOf(cause) === 'full' ? 'storage_full' : 'storage_busy';
    this.#fail(batch, new QuasarError(code, { op: 'segment.append', cause }));
    this.#tell(cause);
  }

  #tell(cause: unknown): void {
    if (diskFaultOf(cause) === 'full') this.#options.onFull(cause);
    else this.#options.onRefused(cause);
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
    const { segment } = death;
    if (!first && (segment === undefined || this.#hit.has(segment))) return;
    if (segment !== undefined) this.#hit.add(segment);
    this.#options.onDeath(death);
  }
}

/** What one batch may take of an empty segment. */
function batchSpanMax(segmentSize: number): number {
  return segmentSize - SUPERBLOCK.size - PAGE_SIZE;
}

function readOnly(death: WriterDeath): QuasarError {
  return new QuasarError('node_read_only', { op: 'segment.append', cause: death.cause });
}

function deathOf(step: string, { id }: ActiveSegment, cause: unknown): WriterDeath {
  return { step: `${step} segment ${id}`, segment: id, cause };
}

function isFinal(error: unknown): boolean {
  return error !== undefined && diskFaultOf(error) === 'final';
}
