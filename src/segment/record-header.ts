import { crc32 } from 'node:zlib';
import type { BlockId } from '../core/digest.ts';
import { Fault } from './fault.ts';
import {
  FORMAT_VERSION,
  PAYLOAD_SIZE_MAX,
  RECORD_HEADER,
  RECORD_MAGIC,
  type RecordKind,
  recordKinds,
  recordSpan,
} from './format.ts';
import { getU64, isZero, putU64, viewOf } from './little-endian.ts';

const AT = RECORD_HEADER.fields;
const kindNames = new Map<number, RecordKind>(Object.entries(recordKinds).map(([name, code]) => [code, name as RecordKind]));

/** In front of every record. Segment, offset and salt keep uploaded bytes from posing as records (INV-4). */
export interface RecordHeader {
  readonly kind: RecordKind;
  /** BLAKE3 of the payload; of a tombstone, the id it buries; of a pad, zeros. */
  readonly id: BlockId;
  readonly storedSize: number;
  /** Node-wide and increasing: which of two records of one id is newer. */
  readonly sequence: number;
  /** Counts the batches of one segment from 1. */
  readonly batch: number;
}

/** What a header must agree with, besides itself. */
export interface SegmentMark {
  readonly segment: number;
  /** Low 32 bits of the superblock's salt. */
  readonly saltBits: number;
}

/** Where an encoder writes: 128 bytes at `base` of `bytes`, of which `view` is the view. */
export interface HeaderTarget {
  /** Offset of the record in its segment. */
  readonly offset: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly base: number;
}

export function encodeRecordHeader(header: RecordHeader, mark: SegmentMark, target: HeaderTarget): void {
  const { bytes, view, base, offset } = target;
  view.setUint32(base + AT.magic.at, RECORD_MAGIC, true);
  view.setUint8(base + AT.version.at, FORMAT_VERSION);
  view.setUint8(base + AT.kind.at, recordKinds[header.kind]);
  view.setUint16(base + AT.flags.at, 0, true);
  view.setUint32(base + AT.storedSize.at, header.storedSize, true);
  view.setUint32(base + AT.rawSize.at, header.storedSize, true);
  bytes.write(header.id, base + AT.id.at, AT.id.size, 'hex');
  putU64(view, base + AT.sequence.at, header.sequence);
  putU64(view, base + AT.batch.at, header.batch);
  putU64(view, base + AT.segment.at, mark.segment);
  putU64(view, base + AT.offset.at, offset);
  view.setUint32(base + AT.salt.at, mark.saltBits, true);
  bytes.fill(0, base + AT.reserved.at, base + AT.crc.at);
  view.setUint32(base + AT.crc.at, crc32(bytes.subarray(base, base + AT.crc.at)), true);
}

/** Decodes the 128 bytes found at byte `offset` of the segment `mark` describes. */
export function decodeRecordHeader(bytes: Uint8Array, mark: SegmentMark, offset: number): RecordHeader | Fault {
  if (bytes.byteLength < RECORD_HEADER.size) return new Fault('the file ends inside the record header');
  const view = viewOf(bytes);
  if (view.getUint32(AT.magic.at, true) !== RECORD_MAGIC) return new Fault('there is no record magic');
  if (view.getUint32(AT.crc.at, true) !== crc32(bytes.subarray(0, AT.crc.at)))
    return new Fault('the checksum of the record header does not match');
  if (view.getUint8(AT.version.at) !== FORMAT_VERSION)
    return new Fault(`the record has format version ${view.getUint8(AT.version.at)}`);
  return checkPlace(view, mark, offset) ?? readFields(bytes, view);
}

function checkPlace(view: DataView, mark: SegmentMark, offset: number): Fault | undefined {
  if (getU64(view, AT.segment.at) !== mark.segment) return new Fault('the record belongs to another segment');
  if (getU64(view, AT.offset.at) !== offset) return new Fault('the record belongs to another offset');
  if (view.getUint32(AT.salt.at, true) !== mark.saltBits) return new Fault('the record carries another salt');
  return undefined;
}

function readFields(bytes: Uint8Array, view: DataView): RecordHeader | Fault {
  const kind = kindNames.get(view.getUint8(AT.kind.at));
  if (kind === undefined) return new Fault(`the record is of unknown kind ${view.getUint8(AT.kind.at)}`);
  if (view.getUint16(AT.flags.at, true) !== 0) return new Fault('the record carries flags that version 1 does not know');
  const storedSize = view.getUint32(AT.storedSize.at, true);
  // A pad spans a footer and is never read as a payload, so only its own reader bounds it.
  if (kind !== 'pad' && storedSize > PAYLOAD_SIZE_MAX) return new Fault(`the record claims ${storedSize} bytes`);
  if (view.getUint32(AT.rawSize.at, true) !== storedSize)
    return new Fault('stored and raw size differ in a record without compression');
  if (!isZero(bytes.subarray(AT.reserved.at, AT.crc.at))) return new Fault('reserved bytes of the record header are not zero');
  const sequence = getU64(view, AT.sequence.at);
  const batch = getU64(view, AT.batch.at);
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(batch))
    return new Fault('sequence or batch of the record is out of range');
  const id = Buffer.from(bytes.buffer, bytes.byteOffset + AT.id.at, AT.id.size).toString('hex') as BlockId;
  return { kind, id, storedSize, sequence, batch };
}

/** Where the record behind this one may begin. */
export function recordEnd(offset: number, storedSize: number): number {
  return offset + recordSpan(storedSize);
}
