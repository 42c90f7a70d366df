import { PAYLOAD_SIZE_MAX, RECORD_ALIGNMENT } from '../segment/format.ts';
import type { BlockKind } from './node.ts';

/** Where the index says a block lies. Never authoritative: the record's own header is, and its id. */
export interface IndexEntry {
  readonly segment: number;
  /** Offset of the record's header in the segment. */
  readonly offset: number;
  /** Size of the payload. */
  readonly size: number;
  readonly sequence: number;
  readonly kind: BlockKind;
}

export const INDEX_ENTRY_SIZE = 32;
const AT = { segment: 0, offset: 8, sequence: 16, size: 24, kind: 28 } as const;
const KINDS: readonly BlockKind[] = ['data', 'manifest', 'piece'];

/** Writes 32 bytes at `base`. The bytes never leave the machine, but they keep the segment format's little-endian. */
export function encodeIndexEntry(entry: IndexEntry, into: Buffer, base: number): void {
  putU64(into, base + AT.segment, entry.segment);
  putU64(into, base + AT.offset, entry.offset);
  putU64(into, base + AT.sequence, entry.sequence);
  into.writeUInt32LE(entry.size, base + AT.size);
  into.writeUInt32LE(KINDS.indexOf(entry.kind), base + AT.kind);
}

/** Undefined when the bytes are no entry of ours: the block then counts as not indexed, and is looked for. */
export function decodeIndexEntry(bytes: Buffer): IndexEntry | undefined {
  if (bytes.length !== INDEX_ENTRY_SIZE) return undefined;
  const kind = KINDS[bytes.readUInt32LE(AT.kind)];
  const segment = getU64(bytes, AT.segment);
  const offset = getU64(bytes, AT.offset);
  const size = bytes.readUInt32LE(AT.size);
  const sequence = getU64(bytes, AT.sequence);
  if (kind === undefined || size > PAYLOAD_SIZE_MAX || offset % RECORD_ALIGNMENT !== 0) return undefined;
  if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(offset) || !Number.isSafeInteger(sequence)) return undefined;
  return { segment, offset, size, sequence, kind };
}

const HIGH = 2 ** 32;

/** Two halves instead of a BigInt: a lookup allocates its result and nothing else. */
function getU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH;
}

function putU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value % HIGH, at);
  bytes.writeUInt32LE(Math.floor(value / HIGH), at + 4);
}
