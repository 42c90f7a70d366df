import { createHash } from 'node:crypto';
import { blockIdOf } from '../core/blake3.ts';
import type { Sha256 } from '../core/digest.ts';
import type { WholeDigests } from './hasher.ts';

/** Both digests of a blob that lies in one piece. */
export function hashWhole(bytes: Uint8Array): WholeDigests {
  return {
    blake3: blockIdOf(bytes),
    sha256: createHash('sha256').update(bytes).digest('hex') as Sha256,
  };
}
