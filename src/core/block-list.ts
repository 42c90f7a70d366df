import { assert } from './assert.ts';
import { type BlockId, DIGEST_SIZE, digestToHex } from './digest.ts';

/** Bytes of one entry: the block's id, then its size as u32, little-endian. The same in checkpoints and manifest pages. */
export const BLOCK_ENTRY_SIZE = DIGEST_SIZE + 4;

/**
 * The blocks of a blob in order, 36 bytes each: a blob of 1 TiB has a million blocks, and as objects their list alone
 * would outweigh every other buffer of the program.
 */
export class BlockList {
  #entries: Buffer;
  #count = 0;
  #size = 0;

  constructor(capacity = 4) {
    this.#entries = Buffer.allocUnsafe(capacity * BLOCK_ENTRY_SIZE);
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of all blocks together. */
  get size(): number {
    return this.#size;
  }

  push(id: BlockId, size: number): void {
    const at = this.#count * BLOCK_ENTRY_SIZE;
    if (at === this.#entries.length) this.#grow();
    this.#entries.write(id, at, DIGEST_SIZE, 'hex');
    this.#entries.writeUInt32LE(size, at + DIGEST_SIZE);
    this.#count += 1;
    this.#size += size;
  }

  /** Adds encoded entries, as `entries` gives them. Copies. */
  append(entries: Uint8Array): void {
    assert(entries.byteLength % BLOCK_ENTRY_SIZE === 0, 'entries come whole');
    const start = this.#count * BLOCK_ENTRY_SIZE;
    const end = start + entries.byteLength;
    while (end > this.#entries.length) this.#grow();
    this.#entries.set(entries, start);
    for (let at = start; at < end; at += BLOCK_ENTRY_SIZE) this.#size += this.#entries.readUInt32LE(at + DIGEST_SIZE);
    this.#count += entries.byteLength / BLOCK_ENTRY_SIZE;
  }

  idAt(index: number): BlockId {
    assert(index < this.#count, 'the block is in the list');
    const at = index * BLOCK_ENTRY_SIZE;
    return digestToHex<BlockId>(this.#entries.subarray(at, at + DIGEST_SIZE));
  }

  sizeAt(index: number): number {
    assert(index < this.#count, 'the block is in the list');
    return this.#entries.readUInt32LE(index * BLOCK_ENTRY_SIZE + DIGEST_SIZE);
  }

  /** Encoded entries from `start` to `end`, borrowed until the next `push`. */
  entries(start: number, end = this.#count): Buffer {
    assert(start <= end && end <= this.#count, 'the slice is in the list');
    return this.#entries.subarray(start * BLOCK_ENTRY_SIZE, end * BLOCK_ENTRY_SIZE);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafe(this.#entries.length * 2);
    this.#entries.copy(larger);
    this.#entries = larger;
  }
}
