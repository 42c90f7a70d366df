import { randomBytes } from 'node:crypto';

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
  random: (size) => randomBytes(size),
};

/** RFC 3339, UTC, milliseconds: the one form in which times leave the program. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
