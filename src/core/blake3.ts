import { Blake3Hasher } from '@napi-rs/blake-hash';
import type { BlockId } from './digest.ts';

/**
 * BLAKE3-256 of `bytes`: 32 bytes. Reads views of shared memory in place; nobody may write them meanwhile.
 * Synchronous: about 7.7 GB/s on one core, 1 us for a few bytes.
 */
export function blake3(bytes: Uint8Array): Buffer {
  return Buffer.from(blockIdOf(bytes), 'hex');
}

/** The same in hex, as the id of a block with these bytes. */
export function blockIdOf(bytes: Uint8Array): BlockId {
  // The library frees its buffers and states in turns of the event loop, and a lane's thread has none between two jobs.
  // One state, and text as result, leave nothing to free; and they are three times as fast for a few bytes.
  reused ??= new Blake3Hasher();
  reused.reset();
  reused.update(bytes);
  return reused.digest('hex') as BlockId;
}

let reused: Blake3Hasher | undefined;

/** Streaming BLAKE3-256. `digest` may be asked for at any time and leaves the state as it is. */
export interface Blake3State {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
  /** Back to no bytes. Threads without an event loop must reuse their states: they are freed by none else. */
  reset(): void;
}

export function blake3Hasher(): Blake3State {
  const state = new Blake3Hasher();
  return {
    update: (bytes) => {
      state.update(bytes);
    },
    digest: () => Buffer.from(state.digest('hex'), 'hex'),
    reset: () => state.reset(),
  };
}
