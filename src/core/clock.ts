import { randomBytes, randomFillSync } from 'node:crypto';

/** The only place that reads time and randomness, so that tests can hold both still. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** Monotonic milliseconds with fraction; only differences mean something. */
  monotonic(): number;
  /** Fresh, cryptographically strong random bytes. */
  random(size: number): Uint8Array;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: (size) => (size > POOL_SIZE ? randomBytes(size) : takeFromPool(size)),
};

/** Ids are made three a request; one call of the generator costs as much for 16 bytes as for 4,096. */
const POOL_SIZE = 4096;
const pool = Buffer.allocUnsafeSlow(POOL_SIZE);
let taken = POOL_SIZE;

/** Copies out, and leaves nothing of it behind in the pool. */
function takeFromPool(size: number): Uint8Array {
  if (taken + size > POOL_SIZE) {
    randomFillSync(pool);
    taken = 0;
  }
  const bytes = Uint8Array.prototype.slice.call(pool, taken, taken + size);
  pool.fill(0, taken, taken + size);
  taken += size;
  return bytes;
}

/** RFC 3339, UTC, milliseconds: the one form in which times leave the program. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
