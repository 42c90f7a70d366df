import { BLOCK_ENTRY_SIZE } from '../core/block-list.ts';
import { DIGEST_SIZE } from '../core/digest.ts';
import type { StoredBlock } from './session.ts';

/** Blocks as a checkpoint keeps them: 32 bytes of id, then the size as u32, little-endian. */
export function encodeBlockEntries(blocks: readonly StoredBlock[]): Buffer {
  const bytes = Buffer.allocUnsafe(blocks.length * BLOCK_ENTRY_SIZE);
  let at = 0;
  for (const { id, size } of blocks) {
    bytes.write(id, at, DIGEST_SIZE, 'hex');
    bytes.writeUInt32LE(size, at + DIGEST_SIZE);
    at += BLOCK_ENTRY_SIZE;
  }
  return bytes;
}
