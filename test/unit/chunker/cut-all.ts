import type { Cutter } from '../../../src/chunker/cutter.ts';

/** Sizes of all blocks of `bytes`, given to the cutter in portions that arrive as a client might send them. */
export function cutAll(cutter: Cutter, bytes: Uint8Array, portions: readonly number[] = [bytes.length]): number[] {
  const sizes: number[] = [];
  let start = 0;
  let end = 0;
  for (let turn = 0; end < bytes.length || start < bytes.length; turn++) {
    end = Math.min(bytes.length, end + (portions[turn % portions.length] as number));
    for (let size = cutter.cut(bytes, start, end, end === bytes.length); size > 0; ) {
      sizes.push(size);
      start += size;
      size = start < end ? cutter.cut(bytes, start, end, end === bytes.length) : 0;
    }
  }
  return sizes;
}

/** Bytes that compress to nothing and are the same on every machine: xorshift32 from `seed`. */
export function noise(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}
