import { readFully, type SegmentFile } from './segment-files.ts';

/** Reads a file of any size through one bounded window. Views it returns are good until the next call. */
export class WindowReader {
  readonly #file: SegmentFile;
  readonly #end: number;
  readonly #window: Buffer;
  #at = 0;
  #size = 0;

  /** Nothing at or behind `end` is ever read. */
  constructor(file: SegmentFile, options: { end: number; windowSize: number }) {
    this.#file = file;
    this.#end = options.end;
    this.#window = Buffer.allocUnsafe(options.windowSize);
  }

  get end(): number {
    return this.#end;
  }

  get windowSize(): number {
    return this.#window.byteLength;
  }

  /** Up to `size` bytes at `at`, fewer only at the end. More than a window is read into memory of its own. */
  async read(at: number, size: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(size, this.#end - at));
    if (wanted > this.#window.byteLength) return this.#readApart(at, wanted);
    if (at < this.#at || at + wanted > this.#at + this.#size) await this.#fill(at);
    const from = at - this.#at;
    return this.#window.subarray(from, from + Math.min(wanted, this.#size - from));
  }

  async #readApart(at: number, size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, await readFully(this.#file, bytes, at));
  }

  async #fill(at: number): Promise<void> {
    const size = Math.max(0, Math.min(this.#window.byteLength, this.#end - at));
    this.#at = at;
    this.#size = 0;
    this.#size = await readFully(this.#file, this.#window.subarray(0, size), at);
  }
}
