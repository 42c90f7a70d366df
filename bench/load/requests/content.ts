import { createCipheriv } from 'node:crypto';
import { Dice } from './dice.ts';

/**
 * Bodies that cost little to make and can be made again to be compared with what a server answers. A body is noise of
 * the seed, begun at a place that its number decides, with a mark every 4 KiB that holds the body's number and the place:
 * no two bodies share a page, no two places of a body do, so a store that keeps equal pieces once finds none.
 */
export class Content {
  /** The most that `fill` takes at once. */
  static readonly pieceMax = 256 * 1024;
  readonly #noise: Buffer;
  readonly #seed: number;
  readonly #mark = Buffer.alloc(MARK_SIZE);

  constructor(seed: number) {
    this.#seed = seed;
    const key = Buffer.alloc(16);
    key.writeDoubleLE(seed);
    const noise = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(NOISE_SIZE));
    // The beginning again behind the end: any piece lies in one part.
    this.#noise = Buffer.concat([noise, noise.subarray(0, Content.pieceMax)]);
  }

  /** Where the noise of a body begins; found once for each, since it takes longer than a small fill. */
  startOf(number: number): number {
    return new Dice(this.#seed, number).below(NOISE_SIZE);
  }

  /** Writes the bytes from `offset` on into `target[0, size)`. */
  fill(
    target: Buffer,
    { number, start }: { readonly number: number; readonly start: number },
    offset: number,
    size: number,
  ): void {
    const from = (start + offset) % NOISE_SIZE;
    this.#noise.copy(target, 0, from, from + size);
    const end = offset + size;
    for (let at = offset - (offset % PAGE_SIZE); at < end; at += PAGE_SIZE) {
      this.#mark.writeDoubleLE(number, 0);
      this.#mark.writeDoubleLE(at, 8);
      const first = Math.max(at, offset);
      const last = Math.min(at + MARK_SIZE, end);
      if (first < last) this.#mark.copy(target, first - offset, first - at, last - at);
    }
  }
}

const NOISE_SIZE = 4 * 1024 * 1024;
const PAGE_SIZE = 4096;
const MARK_SIZE = 16;
