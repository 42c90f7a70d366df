import { assert } from './assert.ts';
import { BLOCK_ENTRY_SIZE } from './block-list.ts';
import { type BlockId, DIGEST_SIZE, digestToHex } from './digest.ts';
import { limits } from './limits.ts';
import { MANIFEST_VERSION, type ManifestFault, PAGE_AT, PAGE_MAGIC, readNumber, viewOf } from './manifest-format.ts';

export interface PageFields {
  readonly index: number;
  readonly firstOffset: number;
  /** Encoded entries, as `BlockList.entries` gives them. */
  readonly entries: Uint8Array;
}

export function encodeManifestPage(fields: PageFields): Buffer {
  const count = fields.entries.length / BLOCK_ENTRY_SIZE;
  assert(Number.isInteger(count) && count >= 1 && count <= limits.manifestPageEntries, 'a page has 1 to 4,096 entries');
  const page = Buffer.alloc(PAGE_AT.entries + fields.entries.length);
  page.writeUInt32LE(PAGE_MAGIC, PAGE_AT.magic);
  page.writeUInt16LE(MANIFEST_VERSION, PAGE_AT.version);
  page.writeUInt32LE(fields.index, PAGE_AT.index);
  page.writeUInt32LE(count, PAGE_AT.count);
  page.writeBigUInt64LE(BigInt(fields.index * limits.manifestPageEntries), PAGE_AT.firstEntry);
  page.writeBigUInt64LE(BigInt(fields.firstOffset), PAGE_AT.firstOffset);
  page.set(fields.entries, PAGE_AT.entries);
  return page;
}

export function isManifestPage(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(PAGE_AT.magic, true) === PAGE_MAGIC;
}

/** Copies: the page may be read from a slot. */
export function decodeManifestPage(bytes: Uint8Array): ManifestPage | ManifestFault {
  if (bytes.length < PAGE_AT.entries) return { fault: 'it is shorter than a page header' };
  const view = viewOf(bytes);
  if (view.getUint32(PAGE_AT.magic, true) !== PAGE_MAGIC) return { fault: 'it does not start with the magic of a page' };
  const version = view.getUint16(PAGE_AT.version, true);
  if (version !== MANIFEST_VERSION) return { fault: `its version is ${version}, known is ${MANIFEST_VERSION}` };
  if (view.getUint16(PAGE_AT.reserved, true) !== 0) return { fault: 'its reserved bytes are not zero' };
  const count = view.getUint32(PAGE_AT.count, true);
  if (count === 0 || count > limits.manifestPageEntries) return { fault: `its entry count is ${count}` };
  if (bytes.length !== PAGE_AT.entries + count * BLOCK_ENTRY_SIZE) return { fault: 'its length does not fit its entry count' };

  const index = view.getUint32(PAGE_AT.index, true);
  const firstEntry = readNumber(view, PAGE_AT.firstEntry);
  const firstOffset = readNumber(view, PAGE_AT.firstOffset);
  if (firstEntry === undefined || firstEntry !== index * limits.manifestPageEntries)
    return { fault: 'its first entry does not fit its index' };
  if (firstOffset === undefined || firstOffset > limits.blobSizeMax)
    return { fault: 'its first offset lies beyond the largest blob' };

  const ids = Buffer.allocUnsafeSlow(count * DIGEST_SIZE);
  const offsets = new Float64Array(count + 1);
  offsets[0] = firstOffset;
  for (let entry = 0; entry < count; entry++) {
    const at = PAGE_AT.entries + entry * BLOCK_ENTRY_SIZE;
    const size = view.getUint32(at + DIGEST_SIZE, true);
    if (size === 0 || size > limits.blockSizeMax) return { fault: `entry ${entry} has size ${size}` };
    ids.set(bytes.subarray(at, at + DIGEST_SIZE), entry * DIGEST_SIZE);
    offsets[entry + 1] = (offsets[entry] as number) + size;
  }
  return new ManifestPage({ index, firstEntry, ids, offsets });
}

/** One decoded page. Indexes count within the page; offsets are those of the blob. */
export class ManifestPage {
  readonly index: number;
  /** Index of entry 0 in the whole manifest. */
  readonly firstEntry: number;
  readonly count: number;
  readonly #ids: Buffer;
  /** Offset of each entry, then the end of the last. */
  readonly #offsets: Float64Array;

  /** @internal Made by `decodeManifestPage`. */
  constructor(fields: { index: number; firstEntry: number; ids: Buffer; offsets: Float64Array }) {
    this.index = fields.index;
    this.firstEntry = fields.firstEntry;
    this.count = fields.offsets.length - 1;
    this.#ids = fields.ids;
    this.#offsets = fields.offsets;
  }

  get firstOffset(): number {
    return this.#offsets[0] as number;
  }

  /** Offset after the page's last byte. */
  get end(): number {
    return this.#offsets[this.count] as number;
  }

  /** Bytes it occupies, for caches. */
  get memorySize(): number {
    return this.#ids.length + this.#offsets.byteLength;
  }

  idAt(entry: number): BlockId {
    assert(entry < this.count, 'the entry is on the page');
    return digestToHex<BlockId>(this.#ids.subarray(entry * DIGEST_SIZE, (entry + 1) * DIGEST_SIZE));
  }

  offsetAt(entry: number): number {
    assert(entry < this.count, 'the entry is on the page');
    return this.#offsets[entry] as number;
  }

  sizeAt(entry: number): number {
    assert(entry < this.count, 'the entry is on the page');
    return (this.#offsets[entry + 1] as number) - (this.#offsets[entry] as number);
  }

  /** The entry that holds the byte at `offset`, which must lie on this page. */
  entryAt(offset: number): number {
    assert(offset >= this.firstOffset && offset < this.end, 'the offset is on the page');
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#offsets[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Entries that cover the bytes from `start` up to `end` as far as they lie on this page; end exclusive, may be empty. */
  entriesCovering(start: number, end: number): { readonly first: number; readonly end: number } {
    if (start >= end || start >= this.end || end <= this.firstOffset) return { first: 0, end: 0 };
    return { first: this.entryAt(Math.max(start, this.firstOffset)), end: this.entryAt(Math.min(end, this.end) - 1) + 1 };
  }
}

/** Offset in the blob of a page's first byte, for the root page's list. Trusts the page: we have just encoded it. */
export function firstOffsetOf(page: Uint8Array): number {
  return Number(viewOf(page).getBigUint64(PAGE_AT.firstOffset, true));
}

/** Index in the blob of a page's first block. Trusts the page, too. */
export function firstEntryOf(page: Uint8Array): number {
  return Number(viewOf(page).getBigUint64(PAGE_AT.firstEntry, true));
}
