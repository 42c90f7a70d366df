import { blake3 } from '../core/blake3.ts';
import { type CommitFrame, decodeCommitFrame } from './commit-frame.ts';
import { Fault } from './fault.ts';
import { COMMIT_FRAME, FRAME_SPAN, RECORD_ALIGNMENT, RECORD_HEADER, RECORD_MAGIC } from './format.ts';
import { decodeRecordHeader, type RecordHeader, recordEnd, type SegmentMark } from './record-header.ts';
import type { WindowReader } from './window-reader.ts';

export interface ScannedRecord {
  /** Offset of the record's header. */
  readonly offset: number;
  readonly header: RecordHeader;
}

export interface ScannedFrame extends ScannedRecord {
  readonly frame: CommitFrame;
}

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(RECORD_MAGIC);

/** Looks at single places of one segment. Believes nothing that does not carry the segment's mark and its own offset. */
export class RecordSearch {
  readonly reader: WindowReader;
  readonly #mark: SegmentMark;

  constructor(reader: WindowReader, mark: SegmentMark) {
    this.reader = reader;
    this.#mark = mark;
  }

  async headerAt(offset: number): Promise<RecordHeader | Fault> {
    return decodeRecordHeader(await this.reader.read(offset, RECORD_HEADER.size), this.#mark, offset);
  }

  /** The header's own 128 bytes, copied. */
  async headerBytesAt(offset: number): Promise<Buffer> {
    return Buffer.from(await this.reader.read(offset, RECORD_HEADER.size));
  }

  /** A commit frame whose payload matches and whose range ends where it lies. */
  async frameAt(offset: number): Promise<ScannedFrame | Fault> {
    const bytes = await this.reader.read(offset, FRAME_SPAN);
    const header = decodeRecordHeader(bytes, this.#mark, offset);
    if (header instanceof Fault) return header;
    if (header.kind !== 'commit' || header.storedSize !== COMMIT_FRAME.size) return new Fault('the record is no commit frame');
    const payload = bytes.subarray(RECORD_HEADER.size);
    if (payload.byteLength < COMMIT_FRAME.size) return new Fault('the file ends inside the commit frame');
    if (blake3(payload).toString('hex') !== header.id) return new Fault('the commit frame does not match its hash');
    const frame = decodeCommitFrame(payload);
    if (frame instanceof Fault) return frame;
    return frame.end === offset ? { offset, header, frame } : new Fault('the commit frame names another end than its own place');
  }

  /** Payload of `record` matches its id. Tombstones and pads have none to match. */
  async verify({ offset, header }: ScannedRecord): Promise<boolean> {
    if (header.kind === 'tombstone' || header.kind === 'pad') return true;
    const payload = await this.reader.read(offset + RECORD_HEADER.size, header.storedSize);
    return payload.byteLength === header.storedSize && blake3(payload).toString('hex') === header.id;
  }

  /** The next place in `[from, end)` where a good header lies; undefined when there is none. */
  async nextHeader(from: number, end: number): Promise<ScannedRecord | undefined> {
    for (let at = await this.#nextMagic(from, end); at !== undefined; at = await this.#nextMagic(at + RECORD_ALIGNMENT, end)) {
      const header = await this.headerAt(at);
      if (!(header instanceof Fault)) return { offset: at, header };
    }
    return undefined;
  }

  /** The next good commit frame at or after `from` that a batch later than `batch` may have written. */
  async nextFrame(from: number, batch: number): Promise<ScannedFrame | undefined> {
    for (
      let at = await this.#nextMagic(from, this.reader.end);
      at !== undefined;
      at = await this.#nextMagic(at + RECORD_ALIGNMENT, this.reader.end)
    ) {
      const found = await this.frameAt(at);
      if (!(found instanceof Fault) && found.header.batch > batch && found.frame.begin <= at) return found;
    }
    return undefined;
  }

  /** Offset behind the last byte in `[from, end)` that is not zero; `from` when all are. */
  async usedEnd(from: number): Promise<number> {
    let used = from;
    for (let at = from; at < this.reader.end; ) {
      const bytes = await this.reader.read(at, this.reader.windowSize);
      if (bytes.byteLength === 0) break;
      const last = lastNonZero(bytes);
      if (last >= 0) used = at + last + 1;
      at += bytes.byteLength;
    }
    return used;
  }

  /** Native search for the magic at offsets a record may have; every hit is only a candidate. */
  async #nextMagic(from: number, end: number): Promise<number | undefined> {
    const limit = Math.min(end, this.reader.end);
    let at = from;
    while (at < limit) {
      const bytes = await this.reader.read(at, Math.min(this.reader.windowSize, limit - at));
      if (bytes.byteLength < MAGIC_BYTES.byteLength) return undefined;
      const hit = alignedHit(bytes, at);
      if (hit !== undefined) return hit;
      at += Math.max(RECORD_ALIGNMENT, bytes.byteLength - (bytes.byteLength % RECORD_ALIGNMENT));
    }
    return undefined;
  }
}

function alignedHit(bytes: Buffer, at: number): number | undefined {
  for (let index = bytes.indexOf(MAGIC_BYTES); index >= 0; index = bytes.indexOf(MAGIC_BYTES, index + 1)) {
    if ((at + index) % RECORD_ALIGNMENT === 0) return at + index;
  }
  return undefined;
}

const ZEROS = Buffer.alloc(65_536);

/** Compares whole stretches natively, from behind; byte by byte only in the stretch that differs. */
function lastNonZero(bytes: Buffer): number {
  for (let end = bytes.byteLength; end > 0; ) {
    const begin = Math.max(0, end - ZEROS.byteLength);
    if (bytes.compare(ZEROS, 0, end - begin, begin, end) !== 0) {
      for (let index = end - 1; index >= begin; index--) if (bytes[index] !== 0) return index;
    }
    end = begin;
  }
  return -1;
}

/** Where the record behind this one may begin. */
export function behind({ offset, header }: ScannedRecord): number {
  return recordEnd(offset, header.storedSize);
}
