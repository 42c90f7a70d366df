import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import { type RecordKind, recordSpan } from './format.ts';

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

/** One call of `append` on its way: its records join one batch when they fit, else several in order. */
export class PendingAppend {
  readonly records: readonly OutgoingRecord[];
  readonly places: RecordPlace[] = [];
  /** All records are small: the append does not queue behind bulk. */
  readonly small: boolean;
  readonly resolve: (places: RecordPlace[]) => void;
  readonly reject: (error: Error) => void;
  /** Records that joined a batch so far. */
  joined = 0;
  /** Its promise was rejected: nothing of it may be read any more. */
  failed = false;

  constructor(records: readonly OutgoingRecord[], resolve: (places: RecordPlace[]) => void, reject: (error: Error) => void) {
    this.records = records;
    this.small = records.every((record) => record.bytes.byteLength <= limits.smallRecordMax);
    this.resolve = resolve;
    this.reject = reject;
  }

  fail(error: Error): void {
    this.failed = true;
    this.reject(error);
  }
}

/** Consecutive records of one append within a batch. */
export interface BatchShare {
  readonly append: PendingAppend;
  readonly first: number;
  readonly end: number;
}

/** Records that become durable together. */
export class Batch {
  shares: BatchShare[] = [];
  count = 0;
  /** Bytes in the segment: headers, payloads, padding; without frame and page padding. */
  span = 0;
  smallBytes = 0;
  largeBytes = 0;
}

/**
 * Decides which records share a batch. One batch forms while another is written.
 *
 * - Small appends join the forming batch at once, up to `batchSizeMax` of them.
 * - Large ones join up to `batchSizeMax`; up to `batchSizeShared` while small ones have been about, so that those do
 *   not wait long behind bulk.
 * - What joined is written after at most the batch in flight. What did not fit waits in line, small and large apart,
 *   and the line moves when the forming batch is taken.
 */
export class BatchFormer {
  readonly #spanMax: number;
  #forming = new Batch();
  readonly #smallLine: PendingAppend[] = [];
  readonly #largeLine: PendingAppend[] = [];
  #batchesSinceSmall = Number.POSITIVE_INFINITY;

  /** `spanMax` is what an empty segment takes in one batch. */
  constructor(spanMax: number) {
    this.#spanMax = spanMax;
  }

  offer(append: PendingAppend): void {
    const line = append.small ? this.#smallLine : this.#largeLine;
    line.push(append);
    if (line.length === 1) this.#advance(line);
  }

  /** The batch that `take` gives next, unless an append of it fails. Until then shares are only added to it. */
  get forming(): Batch {
    return this.#forming;
  }

  /** The forming batch, if it has records; the next one forms from those in line. */
  take(): Batch | undefined {
    const batch = this.#forming;
    this.#dropFailed(batch);
    if (batch.smallBytes > 0) this.#batchesSinceSmall = 0;
    else if (batch.count > 0) this.#batchesSinceSmall += 1;
    this.#forming = new Batch();
    this.#advance(this.#smallLine);
    this.#advance(this.#largeLine);
    if (batch.count > 0) return batch;
    return this.#forming.count > 0 ? this.take() : undefined;
  }

  get empty(): boolean {
    return this.#forming.count === 0 && this.#smallLine.length === 0 && this.#largeLine.length === 0;
  }

  /** Everything not yet taken; leaves the former empty. */
  drain(): Set<PendingAppend> {
    const all = new Set(this.#forming.shares.map((share) => share.append));
    for (const append of [...this.#smallLine, ...this.#largeLine]) all.add(append);
    this.#smallLine.length = 0;
    this.#largeLine.length = 0;
    this.#forming = new Batch();
    return all;
  }

  #advance(line: PendingAppend[]): void {
    for (let head = line[0]; head !== undefined; head = line[0]) {
      if (!head.failed && !this.#join(head)) return;
      line.shift();
    }
  }

  /** True when every record of the append has joined. */
  #join(append: PendingAppend): boolean {
    const { records } = append;
    if (!this.#fits(append, append.joined, records.length) && this.#fitsEmpty(append)) return false;
    const first = append.joined;
    while (append.joined < records.length && this.#fits(append, append.joined, append.joined + 1)) this.#add(append);
    if (append.joined > first) this.#forming.shares.push({ append, first, end: append.joined });
    return append.joined === records.length;
  }

  #add(append: PendingAppend): void {
    const size = (append.records[append.joined] as OutgoingRecord).bytes.byteLength;
    const batch = this.#forming;
    batch.count += 1;
    batch.span += recordSpan(size);
    if (append.small) batch.smallBytes += size;
    else batch.largeBytes += size;
    append.joined += 1;
  }

  #fits(append: PendingAppend, first: number, end: number): boolean {
    const batch = this.#forming;
    const taken = append.small ? batch.smallBytes : batch.largeBytes;
    const need = measure(append.records, first, end);
    if (batch.count + end - first > limits.batchRecordsMax || batch.span + need.span > this.#spanMax) return false;
    // A single record always gets its turn, however small the segment.
    return (taken === 0 && end === first + 1) || taken + need.size <= this.#cap(append);
  }

  /** Worth waiting for the next batch, where all that is left goes together? */
  #fitsEmpty(append: PendingAppend): boolean {
    const need = measure(append.records, append.joined, append.records.length);
    return (
      append.records.length - append.joined <= limits.batchRecordsMax &&
      need.span <= this.#spanMax &&
      need.size <= this.#cap(append)
    );
  }

  #cap(append: PendingAppend): number {
    const shared = !append.small && (this.#forming.smallBytes > 0 || this.#batchesSinceSmall < SHARED_BATCHES);
    return Math.min(shared ? limits.batchSizeShared : limits.batchSizeMax, this.#spanMax / 2);
  }

  #dropFailed(batch: Batch): void {
    if (!batch.shares.some((share) => share.append.failed)) return;
    batch.shares = batch.shares.filter((share) => !share.append.failed);
    batch.count = 0;
    batch.span = 0;
    for (const share of batch.shares) {
      batch.count += share.end - share.first;
      batch.span += measure(share.append.records, share.first, share.end).span;
    }
  }
}

/** Bulk keeps to the smaller batches this long after the last small record. */
const SHARED_BATCHES = 4;

function measure(records: readonly OutgoingRecord[], first: number, end: number): { size: number; span: number } {
  let size = 0;
  let span = 0;
  for (let index = first; index < end; index++) {
    const bytes = (records[index] as OutgoingRecord).bytes.byteLength;
    size += bytes;
    span += recordSpan(bytes);
  }
  return { size, span };
}
