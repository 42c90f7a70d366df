import { assert } from '../core/assert.ts';
import { BLOCK_ENTRY_SIZE } from '../core/block-list.ts';
import { type BlockId, DIGEST_SIZE, digestToHex } from '../core/digest.ts';
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

/** Appends to `into`. */
export function decodeBlockEntries(bytes: Buffer, into: StoredBlock[]): void {
  assert(bytes.length % BLOCK_ENTRY_SIZE === 0, 'a checkpoint holds whole entries');
  for (let at = 0; at < bytes.length; at += BLOCK_ENTRY_SIZE) {
    const id = digestToHex<BlockId>(bytes.subarray(at, at + DIGEST_SIZE));
    into.push({ id, size: bytes.readUInt32LE(at + DIGEST_SIZE) });
  }
}
