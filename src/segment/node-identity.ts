import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { QuasarError } from '../core/errors.ts';
import { isId, type NodeId } from '../core/ids.ts';
import { replaceFile } from './durable-steps.ts';
import { Fault } from './fault.ts';
import { FORMAT_VERSION, HASH_BLAKE3, NODE_COPY, NODE_COPY_COUNT, NODE_MAGIC, nodePaths, PAGE_SIZE } from './format.ts';
import { getU64, isZero, putU64, viewOf } from './little-endian.ts';
import { readFully, type SegmentFile, type SegmentFiles } from './segment-files.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

const AT = NODE_COPY.fields;

/** What the file NODE says. The store's settings are refused when they differ at start. */
export interface NodeIdentity {
  readonly nodeId: NodeId;
  /** A UUID; a node that stands alone has one, too. */
  readonly clusterId: string;
  readonly createdMs: number;
  readonly segmentSize: number;
  readonly blockSizeMax: number;
}

/** Both copies. */
export function encodeNodeIdentity(identity: NodeIdentity): Buffer {
  const copy = Buffer.alloc(NODE_COPY.size);
  const view = viewOf(copy);
  copy.write(NODE_MAGIC, AT.magic.at, 'latin1');
  view.setUint16(AT.version.at, FORMAT_VERSION, true);
  view.setUint8(AT.hash.at, HASH_BLAKE3);
  view.setUint32(AT.pageSize.at, PAGE_SIZE, true);
  copy.set(uuidToBytes(identity.nodeId), AT.node.at);
  copy.set(uuidToBytes(identity.clusterId), AT.cluster.at);
  putU64(view, AT.created.at, identity.createdMs);
  putU64(view, AT.segmentSize.at, identity.segmentSize);
  view.setUint32(AT.blockSizeMax.at, identity.blockSizeMax, true);
  view.setUint32(AT.crc.at, crc32(copy.subarray(0, AT.crc.at)), true);
  return Buffer.concat(Array.from({ length: NODE_COPY_COUNT }, () => copy));
}

/** One good copy is enough; `repair` says that the other one is bad. */
export function decodeNodeIdentity(bytes: Uint8Array): { identity: NodeIdentity; repair: boolean } | Fault {
  const copies = Array.from({ length: NODE_COPY_COUNT }, (_, index) =>
    decodeCopy(bytes.subarray(index * NODE_COPY.size, (index + 1) * NODE_COPY.size)),
  );
  const good = copies.find((copy) => !(copy instanceof Fault));
  if (good === undefined || good instanceof Fault) return copies[0] as Fault;
  return { identity: good, repair: copies.some((copy) => copy instanceof Fault) };
}

function decodeCopy(bytes: Uint8Array): NodeIdentity | Fault {
  if (bytes.byteLength < NODE_COPY.size) return new Fault('the file NODE is too short');
  const view = viewOf(bytes);
  if (Buffer.from(bytes.subarray(0, AT.magic.size)).toString('latin1') !== NODE_MAGIC)
    return new Fault('there is no node magic: this is no NODE file');
  if (view.getUint32(AT.crc.at, true) !== crc32(bytes.subarray(0, AT.crc.at)))
    return new Fault('the checksum of the file NODE does not match');
  const version = view.getUint16(AT.version.at, true);
  if (version !== FORMAT_VERSION) return new Fault(`the node has format version ${version}`);
  if (view.getUint8(AT.hash.at) !== HASH_BLAKE3) return new Fault(`the node uses unknown hash ${view.getUint8(AT.hash.at)}`);
  if (view.getUint32(AT.pageSize.at, true) !== PAGE_SIZE) return new Fault('the node uses another page size');
  const reserved = [AT.reserved1, AT.reserved2];
  if (!reserved.every((field) => isZero(bytes.subarray(field.at, field.at + field.size))))
    return new Fault('reserved bytes of the file NODE are not zero');
  const nodeId = uuidFromBytes<NodeId>(bytes.subarray(AT.node.at, AT.node.at + AT.node.size));
  const clusterId = uuidFromBytes(bytes.subarray(AT.cluster.at, AT.cluster.at + AT.cluster.size));
  if (!isId(nodeId) || !isId(clusterId)) return new Fault('an id of the file NODE is no UUID');
  const createdMs = getU64(view, AT.created.at);
  const segmentSize = getU64(view, AT.segmentSize.at);
  return { nodeId, clusterId, createdMs, segmentSize, blockSizeMax: view.getUint32(AT.blockSizeMax.at, true) };
}

/**
 * Reads `directory`/NODE and writes it anew when one of its copies is bad; undefined when there is no such file.
 * @throws QuasarError `corrupt` when neither copy is good.
 */
export async function readNodeIdentity(files: SegmentFiles, directory: string): Promise<NodeIdentity | undefined> {
  const file = await openIdentity(files, directory);
  if (file === undefined) return undefined;
  const bytes = Buffer.alloc(NODE_COPY_COUNT * NODE_COPY.size);
  let size: number;
  try {
    size = await readFully(file, bytes, 0);
  } finally {
    await file.close();
  }
  const decoded = decodeNodeIdentity(bytes.subarray(0, size));
  if (decoded instanceof Fault)
    throw new QuasarError('corrupt', {
      op: 'segment.readNodeIdentity',
      message: `Neither copy in NODE is good: ${decoded.meaning}.`,
    });
  if (decoded.repair) await writeNodeIdentity(files, directory, decoded.identity);
  return decoded.identity;
}

async function openIdentity(files: SegmentFiles, directory: string): Promise<SegmentFile | undefined> {
  try {
    return await files.open(join(directory, nodePaths.identity), { access: 'read', direct: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeNodeIdentity(files: SegmentFiles, directory: string, identity: NodeIdentity): Promise<void> {
  return replaceFile(files, join(directory, nodePaths.identity), encodeNodeIdentity(identity));
}
