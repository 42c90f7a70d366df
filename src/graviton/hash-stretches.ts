import { blockIdOf } from '../core/blake3.ts';
import { limits } from '../core/limits.ts';

/** BLAKE3-256 in hex of each stretch of `bytes`, which begin with one; the last may be short. */
export function hashStretches(bytes: Uint8Array): readonly string[] {
  const digests: string[] = [];
  for (let from = 0; from < bytes.byteLength; from += limits.stretchSize) {
    digests.push(blockIdOf(bytes.subarray(from, from + limits.stretchSize)));
  }
  return digests;
}
