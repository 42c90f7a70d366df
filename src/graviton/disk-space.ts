import { type StatsFs, statfsSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';

export interface FreeSpaceFloor {
  /** Share of the file system, 0 to 1. */
  readonly ratio: number;
  readonly bytes: number;
}

export interface SpaceReading {
  /** Undefined where the file system does not say how large it is: writes go on until it says that it is full. */
  readonly freeBytes: number | undefined;
  readonly floorBytes: number;
}

export interface FileSystemSize {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * How much room is left when all writes under way have ended. The file system is asked at most every
 * `freeSpaceCheckMs`, and at each look below the floor: in between, what writes will take is subtracted, so that the
 * fastest disk cannot go through the floor unseen. A file system that does not answer, or does not say how large it is
 * (some that go over a network do not), has an unknown size, not none.
 */
export class DiskSpace {
  readonly #clock: Clock;
  readonly #floor: FreeSpaceFloor;
  readonly #measure: () => FileSystemSize | undefined;
  #reading: SpaceReading;
  #readAt: number;
  /** Bytes of writes under way. */
  #underWay = 0;
  /** Bytes of writes that began after the last look. */
  #begunSince = 0;

  constructor(options: { clock: Clock; floor: FreeSpaceFloor; measure: () => FileSystemSize | undefined }) {
    this.#clock = options.clock;
    this.#floor = options.floor;
    this.#measure = options.measure;
    this.#readAt = this.#clock.monotonic();
    this.#reading = this.#read();
  }

  read(): SpaceReading {
    const now = this.#clock.monotonic();
    if (now - this.#readAt >= limits.freeSpaceCheckMs || isBelowFloor(this.#left())) {
      this.#readAt = now;
      this.#reading = this.#read();
    }
    return this.#left();
  }

  /** Call before up to `bytes` are written, and what it returns when they are. */
  take(bytes: number): () => void {
    this.#underWay += bytes;
    this.#begunSince += bytes;
    return () => {
      this.#underWay -= bytes;
    };
  }

  /** Forgets the last reading: the disk has just said that it is full. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /** Of the last reading, when all that began since then is written. */
  #left(): SpaceReading {
    const { freeBytes, floorBytes } = this.#reading;
    return { freeBytes: freeBytes === undefined ? undefined : freeBytes - this.#begunSince, floorBytes };
  }

  #read(): SpaceReading {
    const size = this.#measure();
    this.#begunSince = 0;
    if (size === undefined) return { freeBytes: undefined, floorBytes: this.#floor.bytes };
    const { freeBytes, totalBytes } = size;
    return {
      freeBytes: freeBytes - this.#underWay,
      floorBytes: Math.max(this.#floor.bytes, Math.ceil(totalBytes * this.#floor.ratio)),
    };
  }
}

/** Less is free than the floor; never where nobody knows. */
export function isBelowFloor({ freeBytes, floorBytes }: SpaceReading): boolean {
  return freeBytes !== undefined && freeBytes < floorBytes;
}

/** A few microseconds on a local disk, so not worth a trip to the thread pool. Undefined where it does not say. */
export function measureFileSystem(directory: string): FileSystemSize | undefined {
  try {
    return sizeFrom(statfsSync(directory));
  } catch {
    return undefined;
  }
}

/** A file system of no blocks at all does not say how many it has. */
export function sizeFrom({ bavail, blocks, bsize }: Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'>): FileSystemSize | undefined {
  const totalBytes = blocks * bsize;
  return totalBytes > 0 ? { freeBytes: bavail * bsize, totalBytes } : undefined;
}
