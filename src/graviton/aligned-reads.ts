import { PAGE_SIZE, PAYLOAD_SIZE_MAX, recordSpan } from '../segment/format.ts';
import { readFully, readPages, type SegmentFile } from '../segment/segment-files.ts';

/**
 * Reads of any offset and size from a file that may be open with O_DIRECT, through one page-aligned window. Everything
 * else is the file's own. One reader at a time.
 */
export class AlignedReads implements SegmentFile {
  readonly path: string;
  readonly #file: SegmentFile;
  readonly #window: Uint8Array;

  /** `window` is page-aligned, some pages long, and belongs to this file while it is read. */
  constructor(file: SegmentFile, window: Uint8Array) {
    this.path = file.path;
    this.#file = file;
    this.#window = window;
  }

  /**
   * The bytes at `at`, fewer only at the end of the file; good until the next read. `size` and what stands before `at`
   * in its page must fit into the window.
   */
  async view(at: number, size: number): Promise<Uint8Array> {
    const shift = at % PAGE_SIZE;
    const wanted = Math.ceil((shift + size) / PAGE_SIZE) * PAGE_SIZE;
    const got = await readPages(this.#file, this.#window.subarray(0, wanted), at - shift);
    return this.#window.subarray(shift, Math.max(shift, Math.min(got, shift + size)));
  }

  /** Like any read it may give less than asked for. */
  async read(into: Uint8Array, at: number): Promise<number> {
    const bytes = await this.view(at, Math.min(into.byteLength, this.#window.byteLength - PAGE_SIZE));
    into.set(bytes);
    return bytes.byteLength;
  }

  async readVector(into: readonly Uint8Array[], at: number): Promise<number> {
    let done = 0;
    for (const part of into) {
      const got = await readFully(this, part, at + done);
      done += got;
      if (got < part.byteLength) break;
    }
    return done;
  }

  write(bytes: Uint8Array, at: number): Promise<number> {
    return this.#file.write(bytes, at);
  }

  dataSync(): Promise<void> {
    return this.#file.dataSync();
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  chmod(mode: number): Promise<void> {
    return this.#file.chmod(mode);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const WASM_PAGE_SIZE = 65_536;
/** The largest record, wherever in a page it begins. */
const WINDOW_SIZE = Math.ceil((recordSpan(PAYLOAD_SIZE_MAX) + 2 * PAGE_SIZE) / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;

/** Page-aligned memory for reads, as only WebAssembly gives it. */
export function alignedWindow(): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: WINDOW_SIZE / WASM_PAGE_SIZE }).buffer);
}
