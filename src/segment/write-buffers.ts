import { PAGE_SIZE } from './format.ts';
import { type SegmentFile, writeFully } from './segment-files.ts';

/** The part of core/slab.ts the writer needs; a Slab is one. */
export interface WriterMemory {
  readonly bytes: Uint8Array;
  copyIn(target: number, source: Uint8Array): void;
  move(target: number, source: number, size: number): void;
  owns(view: Uint8Array): boolean;
}

const BUFFER_COUNT = 2;

/**
 * Gathers one batch into two page-aligned buffers in turn: one fills while the other is being written.
 * The write that `finish` makes is issued after all others have returned: it holds the end of the commit frame, so a
 * frame can not be whole on the disk when an earlier write of its batch failed.
 */
export class WriteBuffers {
  readonly #memory: WriterMemory;
  readonly #at: number;
  readonly #size: number;
  readonly #writes: Promise<void>[] = [];
  #file: SegmentFile | undefined;
  #position = 0;
  #current = 0;
  #used = 0;
  #error: unknown;

  constructor(options: { memory: WriterMemory; at: number; size: number }) {
    this.#memory = options.memory;
    this.#at = options.at;
    this.#size = options.size;
  }

  /** `position` is a page boundary of the file. */
  begin(file: SegmentFile, position: number): void {
    this.#file = file;
    this.#position = position;
    this.#used = 0;
    this.#error = undefined;
  }

  /** How much of `bytes` from `from` on was taken; fewer than all when the buffer is full: `flush`, then go on. */
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

  /** Starts the write of the current buffer and waits until the other one is free. @throws a write's error. */
  async flush(): Promise<void> {
    this.#start();
    await this.#writes[this.#current];
    if (this.#error !== undefined) throw this.#error;
  }

  /** Pads to a page, waits for every write, then writes the rest. @throws a write's error. */
  async finish(): Promise<void> {
    this.pad(PAGE_SIZE);
    await this.settle();
    if (this.#error !== undefined) throw this.#error;
    this.#start();
    await this.settle();
    if (this.#error !== undefined) throw this.#error;
  }

  /** Waits until no write is in flight. Never throws. */
  async settle(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #start(): void {
    const from = this.#at + this.#current * this.#size;
    const bytes = this.#memory.bytes.subarray(from, from + this.#used);
    const file = this.#file as SegmentFile;
    this.#writes[this.#current] = writeFully(file, bytes, this.#position).catch((error: unknown) => {
      this.#error ??= error;
    });
    this.#position += this.#used;
    this.#used = 0;
    this.#current = (this.#current + 1) % BUFFER_COUNT;
  }

  #target(): number {
    return this.#at + this.#current * this.#size + this.#used;
  }
}
