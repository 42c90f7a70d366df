import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { systemCodeOf } from '../segment/disk-fault.ts';
import type { DiskSpace, SpaceReading } from './disk-space.ts';

/** Tells the log of troubles of a disk that pass. Whoever is refused comes back soon, so none is told each time. */
export class DiskNotices {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #space: DiskSpace;
  #full = false;
  #floorToldAt = Number.NEGATIVE_INFINITY;
  #refusalToldAt = Number.NEGATIVE_INFINITY;
  #refused: { readonly at: number; readonly why: string } | undefined;

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
    this.#refused = undefined;
  }

  /** Said once a minute at most: free space may go to and fro about the floor. */
  belowFloor(space: SpaceReading): void {
    const now = this.#clock.monotonic();
    if (now - this.#floorToldAt < limits.freeSpaceWarningMs) return;
    this.#floorToldAt = now;
    this.#log.warn({ ...space }, 'Less space is free than the floor: new uploads are refused, reads go on.');
  }

  /** Why the disk takes no writes these seconds; undefined when it took the last one, or was not asked for a while. */
  get trouble(): string | undefined {
    const refused = this.#refused;
    if (refused === undefined || this.#clock.monotonic() - refused.at >= limits.diskTroubleMs) return undefined;
    return `The last write was refused (${refused.why}); the next one may succeed.`;
  }

  /** Said once a minute at most. */
  refused(error: unknown): void {
    const now = this.#clock.monotonic();
    this.#refused = { at: now, why: systemCodeOf(error) };
    if (now - this.#refusalToldAt < limits.freeSpaceWarningMs) return;
    this.#refusalToldAt = now;
    this.#log.warn({ error }, 'The disk did not take a write this time. Nothing is marked; the next one may succeed.');
  }
}
