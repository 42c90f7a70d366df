import { assert } from '../core/assert.ts';
import { blake3 } from '../core/blake3.ts';
import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { Batch, OutgoingRecord } from './batch-former.ts';
import { encodeCommitFrame, nextRunningHash } from './commit-frame.ts';
import type { FooterEntry } from './footer.ts';
import { COMMIT_FRAME, FRAME_SPAN, RECORD_ALIGNMENT, RECORD_HEADER, recordSpan } from './format.ts';
import { viewOf } from './little-endian.ts';
import { encodeRecordHeader, type RecordHeader, type SegmentMark } from './record-header.ts';
import type { SegmentFile } from './segment-files.ts';
import { WriteBuffers, type WriterMemory } from './write-buffers.ts';

/** Where a batch goes and what it chains to. */
export interface BatchTarget {
  readonly file: SegmentFile;
  readonly mark: SegmentMark;
  /** Page boundary right behind the batch before. */
  readonly position: number;
  /** Number of this batch. */
  readonly batch: number;
  readonly runningHash: string;
  readonly firstSequence: number;
}

/** A batch whose last write, the one with the end of its frame, has been issued. */
export interface FramedBatch {
  readonly entries: readonly FooterEntry[];
  readonly end: number;
  readonly runningHash: string;
  /** @throws the last write's error. */
  readonly written: Promise<void>;
}

/** How far the batch that is being gathered has got. */
interface Gathering {
  readonly target: BatchTarget;
  readonly entries: FooterEntry[];
  /** Where the next write begins in the file. */
  writeAt: number;
  /** The share and the record in it that come next, and how many bytes of that record, header included, were put. */
  share: number;
  record: number;
  done: number;
  /** Writes of this batch that have been issued; each resolves, whatever became of it. */
  readonly writes: Promise<void>[];
  readonly errors: unknown[];
  /** No write starts any more, so that those in flight come to an end. */
  held: boolean;
}

export interface BatchWriterOptions {
  readonly memory: WriterMemory;
  readonly buffersAt: number;
  readonly writeSize: number;
  /** A buffer is free again: `gather` may get further. */
  readonly onRoom: () => void;
}

/**
 * Frames the records of one batch at a time and writes them with their commit frame; making them durable is the
 * caller's step. A batch may be gathered while it still forms and while the one before it is not durable: full buffers
 * are written ahead, without a frame they count for nothing. The frame is the caller's word that the batch before is durable.
 */
export class BatchWriter {
  readonly #buffers: WriteBuffers;
  readonly #onRoom: () => void;
  /** Headers of the batch being gathered, back to back: one running hash covers them in one call. */
  readonly #headers = Buffer.alloc(limits.batchRecordsMax * RECORD_HEADER.size);
  readonly #headersView = viewOf(this.#headers);
  readonly #frame = Buffer.alloc(FRAME_SPAN);
  readonly #frameView = viewOf(this.#frame);
  #gathering: Gathering | undefined;

  constructor({ memory, buffersAt, writeSize, onRoom }: BatchWriterOptions) {
    this.#buffers = new WriteBuffers({ memory, at: buffersAt, size: writeSize });
    this.#onRoom = onRoom;
  }

  /** Of the writes of the batch that is being gathered. */
  get errors(): readonly unknown[] {
    return this.#gathering?.errors ?? [];
  }

  /** The next batch goes there; the last write of the batch before may still be in flight. */
  begin(target: BatchTarget): void {
    assert(this.#gathering === undefined, 'one batch is gathered at a time');
    this.#gathering = {
      target,
      entries: [],
      writeAt: target.position,
      share: 0,
      record: 0,
      done: 0,
      writes: [],
      errors: [],
      held: false,
    };
  }

  /**
   * Copies those of the batch's records that were not yet copied, as far as there are buffers, and writes buffers that
   * are full. Never waits, never throws. True when no record is left. The batch may grow between two calls.
   */
  gather(batch: Batch): boolean {
    const gathering = this.#gathering as Gathering;
    for (; gathering.share < batch.shares.length; gathering.share += 1) {
      const { append, first, end } = batch.shares[gathering.share] as Batch['shares'][number];
      gathering.record = Math.max(gathering.record, first);
      for (; gathering.record < end; gathering.record += 1) {
        if (!this.#putRecord(gathering, append.records[gathering.record] as OutgoingRecord)) return false;
      }
      gathering.record = 0;
    }
    return true;
  }

  /** Waits for the writes of the gathered batch; what is gathered meanwhile stays in its buffer. Never throws. */
  async returned(): Promise<void> {
    const gathering = this.#gathering;
    if (gathering === undefined || gathering.writes.length === 0) return;
    gathering.held = true;
    await Promise.all(gathering.writes);
  }

  /**
   * Gathers the rest of the batch and its frame, and issues the last write when all others have returned. Call it only
   * when the batch before is durable. @throws a write's error; then `abandon` what is still in flight.
   */
  async frame(batch: Batch): Promise<FramedBatch> {
    const gathering = this.#gathering as Gathering;
    gathering.held = false;
    await this.#untilDone(gathering, () => this.gather(batch));
    const runningHash = this.#encodeFrame(gathering);
    let done = 0;
    await this.#untilDone(gathering, () => {
      done = this.#put(gathering, this.#frame, done);
      return done === FRAME_SPAN;
    });
    await Promise.all(gathering.writes);
    throwFirst(gathering.errors);
    const written = this.#writeLast(gathering);
    this.#gathering = undefined;
    return { entries: gathering.entries, end: gathering.writeAt, runningHash, written };
  }

  /** Gathers no further and forgets what was gathered. Returns the errors of its writes when none is in flight any more. */
  async abandon(): Promise<readonly unknown[]> {
    const gathering = this.#gathering;
    this.#gathering = undefined;
    this.#buffers.drop();
    await this.#buffers.settle();
    await Promise.all(gathering?.writes ?? []);
    return gathering?.errors ?? [];
  }

  /** Tries `step` again whenever a buffer is free. @throws a write's error. */
  async #untilDone(gathering: Gathering, step: () => boolean): Promise<void> {
    throwFirst(gathering.errors);
    while (!step()) {
      await this.#buffers.oneReturned();
      throwFirst(gathering.errors);
    }
  }

  /** False when the buffers are full before the record is all in. */
  #putRecord(gathering: Gathering, record: OutgoingRecord): boolean {
    const { entries, done } = gathering;
    const size = record.bytes.byteLength;
    if (done === 0) entries.push(this.#encodeHeader(record, entries.length, gathering));
    const base = (entries.length - 1) * RECORD_HEADER.size;
    if (done < RECORD_HEADER.size) {
      gathering.done = this.#put(gathering, this.#headers.subarray(base, base + RECORD_HEADER.size), done);
      if (gathering.done < RECORD_HEADER.size) return false;
    }
    gathering.done = RECORD_HEADER.size + this.#put(gathering, record.bytes, gathering.done - RECORD_HEADER.size);
    if (gathering.done < RECORD_HEADER.size + size) return false;
    this.#buffers.pad(RECORD_ALIGNMENT);
    gathering.done = 0;
    return true;
  }

  #encodeHeader(record: OutgoingRecord, index: number, { target, entries }: Gathering): FooterEntry {
    const last = entries.at(-1);
    const entry = {
      kind: record.kind,
      id: record.id,
      storedSize: record.bytes.byteLength,
      sequence: target.firstSequence + index,
      batch: target.batch,
      offset: last === undefined ? target.position : endOf(last),
    };
    const base = index * RECORD_HEADER.size;
    encodeRecordHeader(entry, target.mark, { offset: entry.offset, bytes: this.#headers, view: this.#headersView, base });
    return entry;
  }

  #encodeFrame({ target, entries }: Gathering): string {
    const end = endOf(entries.at(-1) as FooterEntry);
    const lastSequence = target.firstSequence + entries.length - 1;
    const runningHash = nextRunningHash(target.runningHash, this.#headers.subarray(0, entries.length * RECORD_HEADER.size));
    const payload = encodeCommitFrame({ begin: target.position, end, count: entries.length, lastSequence, runningHash });
    const id = blake3(payload).toString('hex') as BlockId;
    const header: RecordHeader = {
      kind: 'commit',
      id,
      storedSize: COMMIT_FRAME.size,
      sequence: lastSequence,
      batch: target.batch,
    };
    encodeRecordHeader(header, target.mark, { offset: end, bytes: this.#frame, view: this.#frameView, base: 0 });
    this.#frame.set(payload, RECORD_HEADER.size);
    return runningHash;
  }

  /** Puts `bytes` from `from` on and returns up to where; not to the end when all buffers are taken. */
  #put(gathering: Gathering, bytes: Uint8Array, from: number): number {
    let done = from;
    while (done < bytes.byteLength) {
      if (this.#buffers.full && !this.#writeFull(gathering)) return done;
      done += this.#buffers.put(bytes, done);
    }
    return done;
  }

  /** A full buffer with more to follow is never the last of its batch. */
  #writeFull(gathering: Gathering): boolean {
    if (gathering.held || gathering.errors.length > 0 || !this.#buffers.mayStart) return false;
    const returned = this.#start(gathering).then((error) => {
      if (error !== undefined) gathering.errors.push(error);
      this.#onRoom();
    });
    gathering.writes.push(returned);
    return true;
  }

  async #writeLast(gathering: Gathering): Promise<void> {
    const error = await this.#start(gathering);
    if (error !== undefined) throw error;
  }

  #start(gathering: Gathering): Promise<unknown> {
    const { size, returned } = this.#buffers.start(gathering.target.file, gathering.writeAt);
    gathering.writeAt += size;
    return returned;
  }
}

function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors[0];
}

function endOf({ offset, storedSize }: FooterEntry): number {
  return offset + recordSpan(storedSize);
}
