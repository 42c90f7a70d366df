import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { DiskSpace, SpaceReading } from './disk-space.ts';

/** Tells the log of troubles of a disk that pass. Whoever is refused comes back soon, so none is told each time. */
export class DiskNotices {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #space: DiskSpace;
  #full = false;
  #floorToldAt = Number.NEGATIVE_INFINITY;
  #refusalToldAt = Number.NEGATIVE_INFINITY;

  constructor({ log, clock, space }: { log: Log; clock: Clock; space: DiskSpace }) {
    this.#log = log;
    this.#clock = clock;
    this.#space = space;
  }

  /** Said once until a write succeeds again. */
  full(error: unknown): void {
    this.#space.expire();
    if (!this.#full)
      this.#log.error({ error }, 'The disk is full. What was acknowledged is not affected; writes fail until there is room.');
    this.#full = true;
  }

  wrote(): void {
    this.#full = false;
  }

  /** Said once a minute at most: free space may go to and fro about the floor. */
  belowFloor(space: SpaceReading): void {
    const now = this.#clock.monotonic();
    if (now - this.#floorToldAt < limits.freeSpaceWarningMs) return;
    this.#floorToldAt = now;
    this.#log.warn({ ...space }, 'Less space is free than the floor: new uploads are refused, reads go on.');
  }

  /** Said once a minute at most. */
  refused(error: unknown): void {
    const now = this.#clock.monotonic();
    if (now - this.#refusalToldAt < limits.freeSpaceWarningMs) return;
    this.#refusalToldAt = now;
    this.#log.warn({ error }, 'The disk did not take a write this time. Nothing is marked; the next one may succeed.');
  }
}
