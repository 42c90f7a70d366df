import { blake3 } from '../core/blake3.ts';
import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { Batch, OutgoingRecord } from './batch-former.ts';
import { encodeCommitFrame, nextRunningHash } from './commit-frame.ts';
import type { FooterEntry } from './footer.ts';
import { alignUp, COMMIT_FRAME, FRAME_SPAN, PAGE_SIZE, RECORD_ALIGNMENT, RECORD_HEADER, recordSpan } from './format.ts';
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

export interface WrittenBatch {
  readonly entries: readonly FooterEntry[];
  readonly end: number;
  readonly runningHash: string;
}

/** Frames the records of one batch and writes them with their commit frame; making them durable is the caller's step. */
export class BatchWriter {
  readonly #buffers: WriteBuffers;
  /** Headers of the batch in flight, back to back: one running hash covers them in one call. */
  readonly #headers = Buffer.alloc(limits.batchRecordsMax * RECORD_HEADER.size);
  readonly #headersView = viewOf(this.#headers);
  readonly #frame = Buffer.alloc(FRAME_SPAN);
  readonly #frameView = viewOf(this.#frame);

  constructor(memory: WriterMemory, buffersAt: number) {
    this.#buffers = new WriteBuffers({ memory, at: buffersAt, size: limits.segmentWriteSize });
  }

  /** @throws a write's error; then no write is in flight any more. */
  async write(batch: Batch, target: BatchTarget): Promise<WrittenBatch> {
    this.#buffers.begin(target.file, target.position);
    try {
      const entries = await this.#putRecords(batch, target);
      const runningHash = await this.#putFrame(entries, target);
      await this.#buffers.finish();
      const end = alignUp(endOf(entries) + FRAME_SPAN, PAGE_SIZE);
      return { entries, end, runningHash };
    } finally {
      await this.#buffers.settle();
    }
  }

  async #putRecords(batch: Batch, target: BatchTarget): Promise<FooterEntry[]> {
    const entries: FooterEntry[] = [];
    let offset = target.position;
    for (const share of batch.shares) {
      for (let index = share.first; index < share.end; index++) {
        const record = share.append.records[index] as OutgoingRecord;
        const entry = this.#encodeHeader(record, entries.length, offset, target);
        const base = entries.length * RECORD_HEADER.size;
        entries.push(entry);
        offset += recordSpan(entry.storedSize);
        await this.#put(this.#headers.subarray(base, base + RECORD_HEADER.size));
        await this.#put(record.bytes);
        this.#buffers.pad(RECORD_ALIGNMENT);
      }
    }
    return entries;
  }

  #encodeHeader(record: OutgoingRecord, index: number, offset: number, target: BatchTarget): FooterEntry {
    const sequence = target.firstSequence + index;
    const entry = {
      kind: record.kind,
      id: record.id,
      storedSize: record.bytes.byteLength,
      sequence,
      batch: target.batch,
      offset,
    };
    const base = index * RECORD_HEADER.size;
    encodeRecordHeader(entry, target.mark, { offset, bytes: this.#headers, view: this.#headersView, base });
    return entry;
  }

  async #putFrame(entries: readonly FooterEntry[], target: BatchTarget): Promise<string> {
    const end = endOf(entries);
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
    await this.#put(this.#frame);
    return runningHash;
  }

  /** Waits only when a buffer is full. */
  async #put(bytes: Uint8Array): Promise<void> {
    let done = this.#buffers.put(bytes, 0);
    while (done < bytes.byteLength) {
      await this.#buffers.flush();
      done += this.#buffers.put(bytes, done);
    }
  }
}

function endOf(entries: readonly FooterEntry[]): number {
  const last = entries.at(-1) as FooterEntry;
  return last.offset + recordSpan(last.storedSize);
}
