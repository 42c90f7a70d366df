import type { Hasher } from '../chunker/hasher.ts';
import { QuasarError } from '../core/errors.ts';
import type { Slot } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { StoredBlock } from './session.ts';

/** Reads the bytes after the last cut back to the front of a slot, verified. Returns their size. */
export async function readPiece(
  piece: StoredBlock,
  slot: Slot,
  { node, hasher }: { readonly node: Node; readonly hasher: Hasher },
): Promise<number> {
  const op = 'upload.readPiece';
  const size = await node.readBlock(piece.id, slot.bytes);
  if (size === undefined) throw new QuasarError('block_missing', { op });
  if (size === piece.size && (await hasher.hashBlock(slot.at, size)) === piece.id) return size;
  const again = await node.readBlockFromDisk(piece.id, slot.bytes);
  if (again === piece.size && (await hasher.hashBlock(slot.at, again)) === piece.id) return again;
  throw new QuasarError('corrupt', { op });
}
