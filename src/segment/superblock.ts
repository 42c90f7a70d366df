import { crc32 } from 'node:zlib';
import { isId, type NodeId } from '../core/ids.ts';
import { Fault } from './fault.ts';
import { FORMAT_VERSION, HASH_BLAKE3, PAGE_SIZE, SUPERBLOCK, SUPERBLOCK_MAGIC } from './format.ts';
import { getU64, isZero, putU64, viewOf } from './little-endian.ts';
import type { SegmentMark } from './record-header.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

const AT = SUPERBLOCK.fields;

/** The first page of a segment: whose it is, and the salt that its record headers repeat. */
export interface Superblock {
  /** Positive, unique within the node, increasing with creation. */
  readonly segment: number;
  readonly salt: bigint;
  readonly nodeId: NodeId;
  readonly createdMs: number;
  /** The size the segment was meant to reach; informative. */
  readonly segmentSize: number;
}

export function encodeSuperblock(superblock: Superblock): Buffer {
  const bytes = Buffer.alloc(SUPERBLOCK.size);
  const view = viewOf(bytes);
  bytes.write(SUPERBLOCK_MAGIC, AT.magic.at, 'latin1');
  view.setUint16(AT.version.at, FORMAT_VERSION, true);
  view.setUint8(AT.hash.at, HASH_BLAKE3);
  view.setUint32(AT.pageSize.at, PAGE_SIZE, true);
  putU64(view, AT.segment.at, superblock.segment);
  view.setBigUint64(AT.salt.at, superblock.salt, true);
  bytes.set(uuidToBytes(superblock.nodeId), AT.node.at);
  putU64(view, AT.created.at, superblock.createdMs);
  putU64(view, AT.segmentSize.at, superblock.segmentSize);
  view.setUint32(AT.crc.at, crc32(bytes.subarray(0, AT.crc.at)), true);
  return bytes;
}

export function decodeSuperblock(bytes: Uint8Array): Superblock | Fault {
  if (bytes.byteLength < SUPERBLOCK.size) return new Fault('the file ends inside the superblock');
  const view = viewOf(bytes);
  const magic = Buffer.from(bytes.subarray(0, AT.magic.size)).toString('latin1');
  if (magic !== SUPERBLOCK_MAGIC) return new Fault('there is no segment magic: this is no segment file');
  if (view.getUint32(AT.crc.at, true) !== crc32(bytes.subarray(0, AT.crc.at)))
    return new Fault('the checksum of the superblock does not match');
  if (view.getUint16(AT.version.at, true) !== FORMAT_VERSION) {
    return new Fault(`the segment has format version ${view.getUint16(AT.version.at, true)}`);
  }
  if (view.getUint8(AT.hash.at) !== HASH_BLAKE3) return new Fault(`the segment uses unknown hash ${view.getUint8(AT.hash.at)}`);
  if (view.getUint32(AT.pageSize.at, true) !== PAGE_SIZE) return new Fault('the segment uses another page size');
  return readFields(bytes, view);
}

function readFields(bytes: Uint8Array, view: DataView): Superblock | Fault {
  const reserved = [AT.reserved1, AT.reserved2];
  if (!reserved.every((field) => isZero(bytes.subarray(field.at, field.at + field.size)))) {
    return new Fault('reserved bytes of the superblock are not zero');
  }
  const segment = getU64(view, AT.segment.at);
  const createdMs = getU64(view, AT.created.at);
  const segmentSize = getU64(view, AT.segmentSize.at);
  if (![segment, createdMs, segmentSize].every(Number.isSafeInteger) || segment === 0)
    return new Fault('a number of the superblock is out of range');
  const nodeId = uuidFromBytes<NodeId>(bytes.subarray(AT.node.at, AT.node.at + AT.node.size));
  if (!isId(nodeId)) return new Fault('the node id of the superblock is no UUID');
  return { segment, salt: view.getBigUint64(AT.salt.at, true), nodeId, createdMs, segmentSize };
}

/** What every record header of the segment repeats. */
export function segmentMark(superblock: Superblock): SegmentMark {
  return { segment: superblock.segment, saltBits: Number(superblock.salt & 0xffff_ffffn) };
}
