import type { Hasher } from '../chunker/hasher.ts';
import { assert } from '../core/assert.ts';
import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { CachedBlock } from './block-cache.ts';
import { hashStretches } from './hash-stretches.ts';
import type { Node } from './node.ts';
import { ReadHabits } from './read-habits.ts';
import { StretchBuffers } from './stretch-buffers.ts';
import { StretchDigests } from './stretch-digests.ts';

export interface StretchReaderOptions {
  readonly node: Pick<Node, 'readPart'>;
  readonly hasher: Pick<Hasher, 'hashStretches'>;
  /** Blocks memory holds whole: what is read again within as many others is worth one of the places. */
  readonly cachedBlocks: number;
  readonly blocksMax?: number;
  readonly readsMax?: number;
}

/** Some bytes of a block. */
export interface BlockPart {
  readonly id: BlockId;
  /** Size of the whole block. */
  readonly size: number;
  /** Where the wanted bytes start and end in the block; end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Whoever got it calls `release` once; the bytes are good until then. */
export interface PartBytes {
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * Reads small parts of blocks that are not in memory without reading the rest of them. A block is verified whole against
 * its id once (`learn`); the digests its stretches had then verify every later read of a part. Nothing is taken on trust,
 * and nothing is judged here: whatever does not fit is left to a read of the whole block, which marks damage.
 */
export class StretchReader {
  readonly #node: Pick<Node, 'readPart'>;
  readonly #hasher: Pick<Hasher, 'hashStretches'>;
  readonly #digests: StretchDigests;
  readonly #buffers: StretchBuffers;
  readonly #habits: ReadHabits;
  readonly #learning = new Set<BlockId>();
  #reads = 0;
  #mismatches = 0;

  constructor({ node, hasher, cachedBlocks, blocksMax, readsMax }: StretchReaderOptions) {
    this.#node = node;
    this.#hasher = hasher;
    this.#digests = new StretchDigests(blocksMax ?? limits.stretchedBlocksMax);
    this.#buffers = new StretchBuffers(readsMax ?? limits.stretchReadsMax);
    this.#habits = new ReadHabits(cachedBlocks);
  }

  /** `mismatches` counts reads that failed or did not fit their digests, and were left to a read of the whole block. */
  get statistics(): { readonly blocks: number; readonly reads: number; readonly mismatches: number; readonly buffers: number } {
    return { blocks: this.#digests.count, reads: this.#reads, mismatches: this.#mismatches, buffers: this.#buffers.lent };
  }

  /**
   * The part, or undefined when the whole block is to be read instead: at once when that is known now. Waits for other
   * reads unless `ahead`; whoever may hold the bytes for as long as a client likes must say `ahead`.
   */
  read(part: BlockPart, { ahead }: { readonly ahead: boolean }): Promise<PartBytes | undefined> | undefined {
    if (!isSmall(part) || this.#digests.use(part.id) !== part.size) return undefined;
    if (this.#habits.note(part.id)) return undefined;
    const buffer = ahead ? this.#buffers.tryLease() : this.#buffers.lease();
    return buffer === undefined ? undefined : this.#readInto(part, buffer);
  }

  /**
   * Who reads the whole block for this part may hand over the digests of its stretches, in hex, once it is verified;
   * undefined when they are not wanted.
   */
  lesson(part: BlockPart): ((stretches: readonly string[]) => void) | undefined {
    if (!this.#isToLearn(part)) return undefined;
    return (stretches) => this.#digests.keep(part.id, part.size, stretches);
  }

  /** Remembers the stretches of a block that a small part of was wanted, unless it has them from a lesson. The block has been verified, and stays put meanwhile. */
  async learn(part: BlockPart, { bytes }: CachedBlock): Promise<void> {
    const { id } = part;
    if (!this.#isToLearn(part)) return;
    this.#learning.add(id);
    try {
      // The slab's memory holds nothing before its first slot, so offsets in it are those lanes use.
      this.#digests.keep(id, bytes.byteLength, await this.#hasher.hashStretches(bytes.byteOffset, bytes.byteLength));
    } finally {
      this.#learning.delete(id);
    }
  }

  #isToLearn(part: BlockPart): boolean {
    return isSmall(part) && !this.#digests.has(part.id) && !this.#learning.has(part.id);
  }

  async #readInto(part: BlockPart, leased: Buffer | Promise<Buffer>): Promise<PartBytes | undefined> {
    const buffer = leased instanceof Promise ? await leased : leased;
    const { first, offset, size } = coverOf(part);
    const target = buffer.subarray(0, size);
    if (!(await this.#isVerified(part.id, { first, offset, target }))) {
      this.#mismatches += 1;
      this.#buffers.release(buffer);
      return undefined;
    }
    this.#reads += 1;
    return new Lent(target.subarray(part.start - offset, part.end - offset), buffer, this.#buffers);
  }

  async #isVerified(id: BlockId, { first, offset, target }: { first: number; offset: number; target: Buffer }): Promise<boolean> {
    try {
      const read = await this.#node.readPart(id, offset, target);
      if (read?.size !== target.byteLength) return false;
      return this.#digests.match(id, first, read.digests ?? hashStretches(target));
    } catch {
      // The read of the whole block meets the same trouble, and says which.
      return false;
    }
  }
}

class Lent implements PartBytes {
  readonly bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #buffers: StretchBuffers;
  #open = true;

  constructor(bytes: Uint8Array, buffer: Buffer, buffers: StretchBuffers) {
    this.bytes = bytes;
    this.#buffer = buffer;
    this.#buffers = buffers;
  }

  release(): void {
    assert(this.#open, 'a part is released once');
    this.#open = false;
    this.#buffers.release(this.#buffer);
  }
}

/** The stretches that hold the part. */
function coverOf({ size, start, end }: BlockPart): { first: number; offset: number; size: number } {
  const { stretchSize } = limits;
  const first = Math.floor(start / stretchSize);
  const offset = first * stretchSize;
  return { first, offset, size: Math.min(size, Math.ceil(end / stretchSize) * stretchSize) - offset };
}

/** More than half of a block is not worth leaving the rest: read whole, it can be kept. */
function isSmall(part: BlockPart): boolean {
  const { size } = coverOf(part);
  return size <= limits.stretchReadMax && 2 * size <= part.size;
}
