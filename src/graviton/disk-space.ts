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

/**
 * How much room is left when all writes under way have ended. The file system is asked at most every
 * `freeSpaceCheckMs`, and at each look below the floor: in between, what writes will take is subtracted, so that the
 * fastest disk cannot go through the floor unseen.
 */
export class DiskSpace {
  readonly #clock: Clock;
  readonly #floor: FreeSpaceFloor;
  readonly #measure: () => FileSystemSize;
  #reading: SpaceReading;
  #readAt: number;
  /** Bytes of writes under way. */
  #underWay = 0;
  /** Bytes of writes that began after the last look. */
  #begunSince = 0;

  constructor(options: { clock: Clock; floor: FreeSpaceFloor; measure: () => FileSystemSize }) {
    this.#clock = options.clock;
    this.#floor = options.floor;
    this.#measure = options.measure;
    this.#readAt = this.#clock.monotonic();
    this.#reading = this.#read();
  }

  read(): SpaceReading {
    const { freeBytes, floorBytes } = this.#reading;
    const now = this.#clock.monotonic();
    if (now - this.#readAt >= limits.freeSpaceCheckMs || freeBytes - this.#begunSince < floorBytes) {
      this.#readAt = now;
      this.#reading = this.#read();
    }
    return { freeBytes: this.#reading.freeBytes - this.#begunSince, floorBytes };
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

  #read(): SpaceReading {
    const { freeBytes, totalBytes } = this.#measure();
    this.#begunSince = 0;
    return {
      freeBytes: freeBytes - this.#underWay,
      floorBytes: Math.max(this.#floor.bytes, Math.ceil(totalBytes * this.#floor.ratio)),
    };
  }
}

/** A few microseconds on a local disk, so not worth a trip to the thread pool. */
export function measureFileSystem(directory: string): FileSystemSize {
  const { bavail, blocks, bsize } = statfsSync(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
