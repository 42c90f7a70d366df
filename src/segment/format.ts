/**
 * Every magic number, size and offset of segment format v1, as data and in this one place.
 * docs/format/segment-v1.md is the specification; test/format compares its tables with this file.
 * All integers are little-endian. A CRC is CRC-32 (IEEE, as zlib computes it). A hash is BLAKE3-256.
 */

export const FORMAT_VERSION = 1;
/** The only hash of v1: BLAKE3-256. */
export const HASH_BLAKE3 = 1;

export const PAGE_SIZE = 4096;
export const RECORD_ALIGNMENT = 64;
export const PAYLOAD_SIZE_MAX = 1024 * 1024;
/** A footer holds at most this many entries, so it is read in one piece: 4 MiB and two pages. */
export const SEGMENT_RECORDS_MAX = 65_536;

export type FieldType = 'bytes' | 'u8' | 'u16' | 'u32' | 'u64';

export interface Field {
  readonly at: number;
  readonly size: number;
  readonly type: FieldType;
}

export interface Structure<Names extends string = string> {
  readonly size: number;
  readonly fields: Readonly<Record<Names, Field>>;
}

const u8 = (at: number): Field => ({ at, size: 1, type: 'u8' });
const u16 = (at: number): Field => ({ at, size: 2, type: 'u16' });
const u32 = (at: number): Field => ({ at, size: 4, type: 'u32' });
const u64 = (at: number): Field => ({ at, size: 8, type: 'u64' });
const bytes = (at: number, size: number): Field => ({ at, size, type: 'bytes' });

/** Eight ASCII bytes in front of the two files a person may open by hand. */
export const SUPERBLOCK_MAGIC = 'QUASARSG';
export const NODE_MAGIC = 'QUASARND';
/** Four ASCII bytes, read as a little-endian u32. */
export const RECORD_MAGIC = magic('QREC');
export const FOOTER_MAGIC = magic('QFTR');
export const MANIFEST_MAGIC = magic('QMFE');

export const SUPERBLOCK = {
  size: PAGE_SIZE,
  fields: {
    magic: bytes(0, 8),
    version: u16(8),
    hash: u8(10),
    reserved1: bytes(11, 1),
    pageSize: u32(12),
    segment: u64(16),
    salt: u64(24),
    node: bytes(32, 16),
    created: u64(48),
    segmentSize: u64(56),
    reserved2: bytes(64, 4028),
    crc: u32(4092),
  },
} as const satisfies Structure;

export const RECORD_HEADER = {
  size: 128,
  fields: {
    magic: u32(0),
    version: u8(4),
    kind: u8(5),
    flags: u16(6),
    storedSize: u32(8),
    rawSize: u32(12),
    id: bytes(16, 32),
    sequence: u64(48),
    batch: u64(56),
    segment: u64(64),
    offset: u64(72),
    salt: u32(80),
    reserved: bytes(84, 40),
    crc: u32(124),
  },
} as const satisfies Structure;

export const recordKinds = { data: 1, manifest: 2, piece: 3, tombstone: 4, commit: 5, pad: 6 } as const;
export type RecordKind = keyof typeof recordKinds;
/** Kinds that carry content under its own id; the others are marks of the format itself. */
export type ContentKind = 'data' | 'manifest' | 'piece';

/** The payload of a `commit` record. */
export const COMMIT_FRAME = {
  size: 64,
  fields: {
    begin: u64(0),
    end: u64(8),
    count: u32(16),
    reserved: bytes(20, 4),
    lastSequence: u64(24),
    runningHash: bytes(32, 32),
  },
} as const satisfies Structure;

/** Header and payload: what the end of a batch takes before it is padded to a page. */
export const FRAME_SPAN = RECORD_HEADER.size + COMMIT_FRAME.size;

/** A footer is: a `pad` record header, the fan-out, the entries, zeros, and the trailer as the file's last bytes. */
export const FANOUT_COUNT = 256;
export const FANOUT_SIZE = FANOUT_COUNT * 4;
export const FOOTER_ENTRIES_AT = RECORD_HEADER.size + FANOUT_SIZE;

export const FOOTER_ENTRY = {
  size: 64,
  fields: {
    id: bytes(0, 32),
    offset: u64(32),
    storedSize: u32(40),
    kind: u8(44),
    reserved: bytes(45, 3),
    sequence: u64(48),
    batch: u64(56),
  },
} as const satisfies Structure;

export const FOOTER_TRAILER = {
  size: 64,
  fields: {
    root: bytes(0, 32),
    recordBytes: u64(32),
    footerSize: u64(40),
    count: u32(48),
    version: u16(52),
    reserved: bytes(54, 2),
    magic: u32(56),
    crc: u32(60),
  },
} as const satisfies Structure;

export const FOOTER_SIZE_MAX = footerSize(SEGMENT_RECORDS_MAX);

/** One of two equal pages of the file NODE. */
export const NODE_COPY = {
  size: PAGE_SIZE,
  fields: {
    magic: bytes(0, 8),
    version: u16(8),
    hash: u8(10),
    reserved1: bytes(11, 1),
    pageSize: u32(12),
    node: bytes(16, 16),
    cluster: bytes(32, 16),
    created: u64(48),
    segmentSize: u64(56),
    blockSizeMax: u32(64),
    reserved2: bytes(68, 4024),
    crc: u32(4092),
  },
} as const satisfies Structure;
export const NODE_COPY_COUNT = 2;

/** In front of every entry of MANIFEST; the body of the entry's kind follows, padded with zeros to 8 bytes. */
export const MANIFEST_HEADER = {
  size: 32,
  fields: {
    magic: u32(0),
    version: u8(4),
    kind: u8(5),
    reserved: bytes(6, 2),
    size: u32(8),
    crc: u32(12),
    number: u64(16),
    time: u64(24),
  },
} as const satisfies Structure;
export const MANIFEST_ALIGNMENT = 8;
export const MANIFEST_ENTRY_SIZE_MAX = 8192;
export const MANIFEST_REASON_MAX = 1024;
export const MANIFEST_REPLACED_MAX = 256;

export const manifestKinds = {
  create: 1,
  seal: 2,
  replace: 3,
  drop: 4,
  suspect: 5,
  damage: 6,
  accept: 7,
  whole: 8,
  lost: 9,
} as const;
export type ManifestKind = keyof typeof manifestKinds;

export const MANIFEST_CREATE = { size: 16, fields: { segment: u64(0), salt: u64(8) } } as const satisfies Structure;

export const MANIFEST_SEAL = {
  size: 64,
  fields: {
    segment: u64(0),
    fileSize: u64(8),
    recordBytes: u64(16),
    count: u32(24),
    reserved: bytes(28, 4),
    root: bytes(32, 32),
  },
} as const satisfies Structure;

/** Followed by `count` segment ids as u64. */
export const MANIFEST_REPLACE = {
  size: 16,
  fields: { segment: u64(0), count: u32(8), reserved: bytes(12, 4) },
} as const satisfies Structure;

export const MANIFEST_DROP = { size: 8, fields: { segment: u64(0) } } as const satisfies Structure;

/** Followed by `reasonSize` bytes of UTF-8. Segment 0 means the whole node. */
export const MANIFEST_SUSPECT = {
  size: 16,
  fields: { segment: u64(0), reasonSize: u32(8), reserved: bytes(12, 4) },
} as const satisfies Structure;

/** Followed by `reasonSize` bytes of UTF-8. */
export const MANIFEST_DAMAGE = {
  size: 56,
  fields: { segment: u64(0), offset: u64(8), id: bytes(16, 32), reasonSize: u32(48), reserved: bytes(52, 4) },
} as const satisfies Structure;

/** Followed by `reasonSize` bytes of UTF-8: who took the disk back, and why. */
export const MANIFEST_ACCEPT = { size: 8, fields: { reasonSize: u32(0), reserved: bytes(4, 4) } } as const satisfies Structure;

export const MANIFEST_WHOLE = {
  size: 48,
  fields: { segment: u64(0), offset: u64(8), id: bytes(16, 32) },
} as const satisfies Structure;

/** Followed by `reasonSize` bytes of UTF-8: who gave the segment up, and why. */
export const MANIFEST_LOST = {
  size: 16,
  fields: { segment: u64(0), reasonSize: u32(8), reserved: bytes(12, 4) },
} as const satisfies Structure;

/** Paths below a node's directory. */
export const nodePaths = {
  identity: 'NODE',
  manifest: 'MANIFEST',
  lock: 'LOCK',
  segments: 'seg',
  index: 'idx',
  quarantine: 'quarantine',
  scrub: 'SCRUB',
  readOnly: 'READ-ONLY',
} as const;

const SEGMENT_FILE = /^([0-9a-f]{16})\.seg$/;

/** `0000000000000001.seg`: sixteen hex digits of the segment's id. */
export function segmentFileName(segment: number): string {
  return `${segment.toString(16).padStart(16, '0')}.seg`;
}

/** The id in a segment's file name; undefined when the name is no such name. */
export function parseSegmentFileName(name: string): number | undefined {
  const digits = SEGMENT_FILE.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const segment = Number.parseInt(digits, 16);
  return Number.isSafeInteger(segment) && segment > 0 ? segment : undefined;
}

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Bytes a record takes in a segment: header, payload, zeros up to the next record. */
export function recordSpan(storedSize: number): number {
  return RECORD_HEADER.size + alignUp(storedSize, RECORD_ALIGNMENT);
}

/** Bytes of a footer with `count` entries, whole pages. */
export function footerSize(count: number): number {
  return alignUp(FOOTER_ENTRIES_AT + count * FOOTER_ENTRY.size + FOOTER_TRAILER.size, PAGE_SIZE);
}

function magic(text: string): number {
  let value = 0;
  for (let index = text.length - 1; index >= 0; index--) value = value * 256 + text.charCodeAt(index);
  return value;
}
