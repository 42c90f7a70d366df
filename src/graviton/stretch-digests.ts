import { assert } from '../core/assert.ts';
import { type BlockId, DIGEST_SIZE } from '../core/digest.ts';
import { limits } from '../core/limits.ts';

/**
 * What the stretches of verified blocks hash to, so that one of them can be verified without the rest of its block.
 * Lives in memory only and is bounded: the block that was longest not asked for makes room. A block's digests are a row
 * of raw bytes; rows come in pages, allocated when the first block needs them.
 */
export class StretchDigests {
  readonly #countMax: number;
  /** In order of last use, oldest first. */
  readonly #rows = new Map<BlockId, number>();
  readonly #sizes: Uint32Array;
  readonly #pages: Buffer[] = [];

  constructor(countMax: number) {
    this.#countMax = countMax;
    this.#sizes = new Uint32Array(countMax);
  }

  get count(): number {
    return this.#rows.size;
  }

  has(id: BlockId): boolean {
    return this.#rows.has(id);
  }

  /** Size of the block when its digests are known, which counts as a use. */
  use(id: BlockId): number | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    this.#rows.delete(id);
    this.#rows.set(id, row);
    return this.#sizes[row];
  }

  /** Takes the digests (in hex, in order) of a block that has just been verified against its id. */
  keep(id: BlockId, size: number, digests: readonly string[]): void {
    assert(digests.length === Math.ceil(size / limits.stretchSize), 'every stretch has a digest');
    const row = this.#rows.get(id) ?? this.#freeRow();
    this.#rows.delete(id);
    this.#rows.set(id, row);
    this.#sizes[row] = size;
    const { page, at } = this.#place(row);
    for (const [index, digest] of digests.entries()) page.write(digest, at + index * DIGEST_SIZE, 'hex');
  }

  /** Whether the stretches from number `first` on, as far as the block is known, have these digests (in hex, in order). */
  match(id: BlockId, first: number, digests: readonly string[]): boolean {
    const row = this.#rows.get(id);
    if (row === undefined) return false;
    const { page, at } = this.#place(row);
    let digestAt = at + first * DIGEST_SIZE;
    for (const digest of digests) {
      if (page.toString('hex', digestAt, digestAt + DIGEST_SIZE) !== digest) return false;
      digestAt += DIGEST_SIZE;
    }
    return true;
  }

  #freeRow(): number {
    if (this.#rows.size < this.#countMax) return this.#rows.size;
    const [oldest] = this.#rows;
    assert(oldest !== undefined, 'a full table has an oldest row');
    this.#rows.delete(oldest[0]);
    return oldest[1];
  }

  #place(row: number): { page: Buffer; at: number } {
    const index = Math.floor(row / PAGE_ROWS);
    const page = this.#pages[index] ?? Buffer.allocUnsafeSlow(PAGE_ROWS * ROW_SIZE);
    this.#pages[index] = page;
    return { page, at: (row % PAGE_ROWS) * ROW_SIZE };
  }
}

const ROW_SIZE = (limits.blockSizeMax / limits.stretchSize) * DIGEST_SIZE;
/** A page of 128 KiB: a store of a few hundred megabytes needs one or two. */
const PAGE_ROWS = 256;
