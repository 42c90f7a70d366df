import { PAGE_SIZE } from './format.ts';
import { type SegmentFile, writeFully } from './segment-files.ts';

/** The part of core/slab.ts the writer needs; a Slab is one. */
export interface WriterMemory {
  readonly bytes: Uint8Array;
  copyIn(target: number, source: Uint8Array): void;
  move(target: number, source: number, size: number): void;
  owns(view: Uint8Array): boolean;
}

/** Two are being written while the third fills. More at once would take the threads that others read with. */
export const WRITE_BUFFER_COUNT = 3;

/** Page-aligned buffers: one fills while the others are being written. */
export class WriteBuffers {
  readonly #memory: WriterMemory;
  readonly #at: number;
  readonly #size: number;
  /** Each resolves when its write has returned, well or badly. */
  readonly #inFlight = new Set<Promise<void>>();
  /** Buffers that neither fill nor are being written; writes return in any order. */
  readonly #free = Array.from({ length: WRITE_BUFFER_COUNT - 1 }, (_, index) => index + 1);
  #current = 0;
  #used = 0;

  /** `size` of one buffer, whole pages; `at` is on a page. */
  constructor(options: { memory: WriterMemory; at: number; size: number }) {
    this.#memory = options.memory;
    this.#at = options.at;
    this.#size = options.size;
  }

  /** How much of `bytes` from `from` on was taken; fewer than all when the buffer is full: `start`, then go on. */
  put(bytes: Uint8Array, from: number): number {
    const size = Math.min(bytes.byteLength - from, this.#size - this.#used);
    const target = this.#target();
    if (this.#memory.owns(bytes)) this.#memory.move(target, bytes.byteOffset + from, size);
    else this.#memory.copyIn(target, size === bytes.byteLength ? bytes : bytes.subarray(from, from + size));
    this.#used += size;
    return size;
  }

  /** Zeros up to a multiple of `unit`; a buffer's size is such a multiple, so they always fit. */
  pad(unit: number): void {
    const rest = this.#used % unit;
    if (rest === 0) return;
    const target = this.#target();
    this.#memory.bytes.fill(0, target, target + unit - rest);
    this.#used += unit - rest;
  }

  get full(): boolean {
    return this.#used === this.#size;
  }

  /** Another write may start: a buffer is left to fill meanwhile. */
  get mayStart(): boolean {
    return this.#free.length > 0;
  }

  /**
   * Writes what the current buffer holds, zeros up to a page included, and turns to a free one: only when `mayStart`.
   * Resolves with the error of the write, so that nobody needs to wait for it at once.
   */
  start(file: SegmentFile, position: number): { size: number; returned: Promise<unknown> } {
    this.pad(PAGE_SIZE);
    const size = this.#used;
    const buffer = this.#current;
    const from = this.#at + buffer * this.#size;
    const returned = writeFully(file, this.#memory.bytes.subarray(from, from + size), position).then(
      () => undefined,
      (error: unknown) => error,
    );
    const inFlight = returned.then(() => {
      this.#inFlight.delete(inFlight);
      this.#free.push(buffer);
    });
    this.#inFlight.add(inFlight);
    this.#current = this.#free.pop() as number;
    this.#used = 0;
    return { size, returned };
  }

  /** Waits until one of the writes in flight, if there are any, has returned. Never throws. */
  async oneReturned(): Promise<void> {
    if (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
  }

  /** Forgets what was put since the last `start`. */
  drop(): void {
    this.#used = 0;
  }

  /** Waits until no write is in flight. Never throws. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #target(): number {
    return this.#at + this.#current * this.#size + this.#used;
  }
}
