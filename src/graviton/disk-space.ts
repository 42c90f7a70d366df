import { statfsSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';

export interface FreeSpaceFloor {
  /** Share of the file system, 0 to 1. */
  readonly ratio: number;
  readonly bytes: number;
}

export interface SpaceReading {
  readonly freeBytes: number;
  readonly floorBytes: number;
}

export interface FileSystemSize {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** How much room is left, asked of the file system at most every `freeSpaceCheckMs`. */
export class DiskSpace {
  readonly #clock: Clock;
  readonly #floor: FreeSpaceFloor;
  readonly #measure: () => FileSystemSize;
  #reading: SpaceReading;
  #readAt: number;

  constructor(options: { clock: Clock; floor: FreeSpaceFloor; measure: () => FileSystemSize }) {
    this.#clock = options.clock;
    this.#floor = options.floor;
    this.#measure = options.measure;
    this.#readAt = this.#clock.monotonic();
    this.#reading = this.#read();
  }

  read(): SpaceReading {
    const now = this.#clock.monotonic();
    if (now - this.#readAt >= limits.freeSpaceCheckMs) {
      this.#readAt = now;
      this.#reading = this.#read();
    }
    return this.#reading;
  }

  /** Forgets the last reading: the disk has just said that it is full. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  #read(): SpaceReading {
    const { freeBytes, totalBytes } = this.#measure();
    return { freeBytes, floorBytes: Math.max(this.#floor.bytes, Math.ceil(totalBytes * this.#floor.ratio)) };
  }
}

/** A few microseconds on a local disk, so not worth a trip to the thread pool. */
export function measureFileSystem(directory: string): FileSystemSize {
  const { bavail, blocks, bsize } = statfsSync(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
