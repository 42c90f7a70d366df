import { crc32 } from 'node:zlib';
import type { BlockId } from '../core/digest.ts';
import { Fault } from './fault.ts';
import { footerOrder } from './footer-order.ts';
import {
  FANOUT_COUNT,
  FOOTER_ENTRIES_AT,
  FOOTER_ENTRY,
  FOOTER_MAGIC,
  FOOTER_SIZE_MAX,
  FOOTER_TRAILER,
  FORMAT_VERSION,
  footerSize,
  PAGE_SIZE,
  PAYLOAD_SIZE_MAX,
  RECORD_HEADER,
  type RecordKind,
  recordKinds,
  recordSpan,
  SEGMENT_RECORDS_MAX,
} from './format.ts';
import { getU64, putU64, viewOf } from './little-endian.ts';
import { decodeRecordHeader, encodeRecordHeader, type SegmentMark } from './record-header.ts';

const ENTRY = FOOTER_ENTRY.fields;
const TRAILER = FOOTER_TRAILER.fields;
const ENTRY_WORDS = FOOTER_ENTRY.size / 4;
const NO_ID = '0'.repeat(64) as BlockId;
const kindNames = new Map<number, RecordKind>(Object.entries(recordKinds).map(([name, code]) => [code, name as RecordKind]));

export interface FooterEntry {
  readonly id: BlockId;
  readonly kind: RecordKind;
  /** Offset of the record's header. */
  readonly offset: number;
  readonly storedSize: number;
  readonly sequence: number;
  readonly batch: number;
}

export interface FooterSummary {
  /** Running hash of the last batch (hex): binds the superblock and every record header. */
  readonly root: string;
  /** Bytes of all records at seal: headers, payloads, padding. */
  readonly recordBytes: number;
  readonly count: number;
}

/** A verified footer. Entries are decoded when asked for; they lie in order of id, then offset. */
export class Footer {
  readonly summary: FooterSummary;
  /** Offset of the footer in its segment: the exclusive end of the batches. */
  readonly at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number, summary: FooterSummary) {
    this.#bytes = bytes;
    this.at = at;
    this.summary = summary;
  }

  *entries(): Generator<FooterEntry> {
    for (let index = 0; index < this.summary.count; index++) yield this.#entry(index);
  }

  /** In the order of the ids; undefined behind the last. */
  entryAt(index: number): FooterEntry | undefined {
    return index < this.summary.count ? this.#entry(index) : undefined;
  }

  /** All entries of one id; more than one when it was written again after damage. */
  find(id: BlockId): FooterEntry[] {
    const first = Number.parseInt(id.slice(0, 2), 16);
    const begin = first === 0 ? 0 : this.#fanout(first - 1);
    const found: FooterEntry[] = [];
    for (let index = begin; index < this.#fanout(first); index++) {
      const entry = this.#entry(index);
      if (entry.id === id) found.push(entry);
    }
    return found;
  }

  #fanout(first: number): number {
    return this.#bytes.readUInt32LE(RECORD_HEADER.size + first * 4);
  }

  #entry(index: number): FooterEntry {
    return decodeEntry(this.#bytes, FOOTER_ENTRIES_AT + index * FOOTER_ENTRY.size);
  }
}

/** Collects what a footer lists while records are appended: 64 bytes each. */
export class FooterBuilder {
  #entries = Buffer.alloc(64 * FOOTER_ENTRY.size);
  #view = viewOf(this.#entries);
  #count = 0;
  #recordBytes = 0;

  get count(): number {
    return this.#count;
  }

  add(entry: FooterEntry): void {
    const at = this.#count * FOOTER_ENTRY.size;
    if (at === this.#entries.byteLength) this.#grow();
    const view = this.#view;
    this.#entries.write(entry.id, at + ENTRY.id.at, ENTRY.id.size, 'hex');
    putU64(view, at + ENTRY.offset.at, entry.offset);
    view.setUint32(at + ENTRY.storedSize.at, entry.storedSize, true);
    // The kind's byte and the three reserved ones after it.
    view.setUint32(at + ENTRY.kind.at, recordKinds[entry.kind], true);
    putU64(view, at + ENTRY.sequence.at, entry.sequence);
    putU64(view, at + ENTRY.batch.at, entry.batch);
    this.#count += 1;
    this.#recordBytes += recordSpan(entry.storedSize);
  }

  /** The footer's bytes, to be written at `at` as the last of the file, and what they say in short. */
  encode(mark: SegmentMark, at: number, root: string): { bytes: Buffer; summary: FooterSummary } {
    const summary = { root, recordBytes: this.#recordBytes, count: this.#count };
    const bytes = Buffer.alloc(footerSize(this.#count));
    const view = viewOf(bytes);
    const head = { kind: 'pad', id: NO_ID, storedSize: bytes.byteLength - RECORD_HEADER.size, sequence: 0, batch: 0 } as const;
    encodeRecordHeader(head, mark, { offset: at, bytes, view, base: 0 });
    this.#writeSorted(bytes, view);
    encodeTrailer(summary, bytes, view);
    return { bytes, summary };
  }

  /** Copies words, not entries: a call for each of 65,536 entries would hold the event loop for 20 ms. */
  #writeSorted(bytes: Buffer, view: DataView): void {
    const counts = new Uint32Array(FANOUT_COUNT);
    const source = new Uint32Array(this.#entries.buffer, this.#entries.byteOffset, this.#count * ENTRY_WORDS);
    const target = new Uint32Array(bytes.buffer, bytes.byteOffset + FOOTER_ENTRIES_AT, source.length);
    let to = 0;
    for (const index of footerOrder(this.#entries, this.#count)) {
      for (let word = 0; word < ENTRY_WORDS; word++) target[to++] = source[index * ENTRY_WORDS + word] as number;
      const first = this.#entries[index * FOOTER_ENTRY.size] as number;
      counts[first] = (counts[first] as number) + 1;
    }
    let sum = 0;
    for (let first = 0; first < FANOUT_COUNT; first++) {
      sum += counts[first] as number;
      view.setUint32(RECORD_HEADER.size + first * 4, sum, true);
    }
  }

  #grow(): void {
    const grown = Buffer.alloc(this.#entries.byteLength * 2);
    this.#entries.copy(grown);
    this.#entries = grown;
    this.#view = viewOf(grown);
  }
}

function encodeTrailer(summary: FooterSummary, bytes: Buffer, view: DataView): void {
  const base = bytes.byteLength - FOOTER_TRAILER.size;
  bytes.write(summary.root, base + TRAILER.root.at, TRAILER.root.size, 'hex');
  putU64(view, base + TRAILER.recordBytes.at, summary.recordBytes);
  putU64(view, base + TRAILER.footerSize.at, bytes.byteLength);
  view.setUint32(base + TRAILER.count.at, summary.count, true);
  view.setUint16(base + TRAILER.version.at, FORMAT_VERSION, true);
  view.setUint32(base + TRAILER.magic.at, FOOTER_MAGIC, true);
  const crcAt = base + TRAILER.crc.at;
  view.setUint32(crcAt, crc32(bytes.subarray(0, crcAt)), true);
}

export interface FooterTrailer extends FooterSummary {
  readonly footerSize: number;
}

/** The last 64 bytes of a file: enough to know how much to read. Its checksum is checked by `decodeFooter`. */
export function decodeTrailer(bytes: Uint8Array): FooterTrailer | Fault {
  if (bytes.byteLength !== FOOTER_TRAILER.size) return new Fault('the file is too short for a footer');
  const view = viewOf(bytes);
  if (view.getUint32(TRAILER.magic.at, true) !== FOOTER_MAGIC) return new Fault('the file does not end with a footer');
  const version = view.getUint16(TRAILER.version.at, true);
  if (version !== FORMAT_VERSION) return new Fault(`the footer has format version ${version}`);
  const size = getU64(view, TRAILER.footerSize.at);
  const count = view.getUint32(TRAILER.count.at, true);
  if (size > FOOTER_SIZE_MAX || count > SEGMENT_RECORDS_MAX || size !== footerSize(count))
    return new Fault('the footer claims an impossible size');
  const root = Buffer.from(bytes.subarray(TRAILER.root.at, TRAILER.root.at + TRAILER.root.size)).toString('hex');
  return { root, recordBytes: getU64(view, TRAILER.recordBytes.at), count, footerSize: size };
}

/** Checks a whole footer that begins at byte `at` of its segment. Keeps `bytes`. */
export function decodeFooter(bytes: Buffer, mark: SegmentMark, at: number): Footer | Fault {
  const trailer = decodeTrailer(bytes.subarray(Math.max(0, bytes.byteLength - FOOTER_TRAILER.size)));
  if (trailer instanceof Fault) return trailer;
  if (trailer.footerSize !== bytes.byteLength || at % PAGE_SIZE !== 0) return new Fault('the footer claims an impossible size');
  const crcAt = bytes.byteLength - FOOTER_TRAILER.size + TRAILER.crc.at;
  if (bytes.readUInt32LE(crcAt) !== crc32(bytes.subarray(0, crcAt)))
    return new Fault('the checksum of the footer does not match');
  const head = decodeRecordHeader(bytes, mark, at);
  if (head instanceof Fault) return new Fault(`at the footer's head, ${head.meaning}`);
  if (head.kind !== 'pad' || head.storedSize !== bytes.byteLength - RECORD_HEADER.size)
    return new Fault('the footer has no head of its own size');
  const { root, recordBytes, count } = trailer;
  return checkEntries(bytes, count, at) ?? new Footer(bytes, at, { root, recordBytes, count });
}

/** The checksum says these are the bytes we wrote; this says that we wrote sense, so that readers need no checks. */
function checkEntries(bytes: Buffer, count: number, end: number): Fault | undefined {
  const counts = new Uint32Array(FANOUT_COUNT);
  const view = viewOf(bytes);
  for (let index = 0; index < count; index++) {
    const at = FOOTER_ENTRIES_AT + index * FOOTER_ENTRY.size;
    if (!isPossible(view, at, end)) return new Fault(`entry ${index} of the footer is impossible`);
    if (index > 0 && !inOrder(bytes, at)) return new Fault('the entries of the footer are out of order');
    const first = bytes[at] as number;
    counts[first] = (counts[first] as number) + 1;
  }
  let sum = 0;
  for (let first = 0; first < FANOUT_COUNT; first++) {
    sum += counts[first] as number;
    if (view.getUint32(RECORD_HEADER.size + first * 4, true) !== sum) {
      return new Fault('the fan-out of the footer does not match its entries');
    }
  }
  return undefined;
}

function isPossible(view: DataView, at: number, end: number): boolean {
  const kind = kindNames.get(view.getUint8(at + ENTRY.kind.at));
  const storedSize = view.getUint32(at + ENTRY.storedSize.at, true);
  if (kind === undefined || kind === 'pad' || kind === 'commit' || storedSize > PAYLOAD_SIZE_MAX) return false;
  // The kind is one byte, and the three after it are reserved.
  if (view.getUint32(at + ENTRY.kind.at, true) > 0xff) return false;
  const numbers =
    Number.isSafeInteger(getU64(view, at + ENTRY.sequence.at)) && Number.isSafeInteger(getU64(view, at + ENTRY.batch.at));
  return numbers && getU64(view, at + ENTRY.offset.at) + recordSpan(storedSize) <= end;
}

/** Not before the entry in front of it. */
function inOrder(bytes: Buffer, at: number): boolean {
  const before = at - FOOTER_ENTRY.size;
  for (let index = 0; index < ENTRY.id.size; index++) {
    const difference = (bytes[at + index] as number) - (bytes[before + index] as number);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function decodeEntry(bytes: Buffer, at: number): FooterEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FOOTER_ENTRY.size);
  return {
    id: bytes.toString('hex', at, at + ENTRY.id.size) as BlockId,
    kind: kindNames.get(view.getUint8(ENTRY.kind.at)) as RecordKind,
    offset: getU64(view, ENTRY.offset.at),
    storedSize: view.getUint32(ENTRY.storedSize.at, true),
    sequence: getU64(view, ENTRY.sequence.at),
    batch: getU64(view, ENTRY.batch.at),
  };
}
