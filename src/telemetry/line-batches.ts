import { writeSync } from 'node:fs';

/** Takes lines with the line break at their end. */
export interface LineOutput {
  write(line: string): void;
}

export interface LineBatchesOptions {
  /** Open for writing. */
  readonly descriptor: number;
  /** A batch leaves when it has so many characters, or by `flush`. */
  readonly sizeMax: number;
  /** The line that stands in the place of lines dropped because their reader was too slow. */
  readonly describeDropped: (count: number) => string;
  /** Called once, when the descriptor can no longer be written: what comes after is dropped. */
  readonly onFailure: (error: Error) => void;
}

/** A reader that takes nothing for so long gets no more waiting at the end of the process. */
const PATIENCE_MS = 2000;
const RETRY_MS = 20;
/** Characters kept for a reader that has stopped (`| less`): beyond it lines are dropped, and counted. */
const WAITING_MAX = 16 * 1024 * 1024;

/**
 * Gathers lines and writes them as one text: a system call a line would be felt. It is a synchronous call, which costs
 * less than a hop to a thread, and leaves nothing under way that an exit could cut off.
 */
export class LineBatches implements LineOutput {
  readonly #options: LineBatchesOptions;
  #lines = '';
  /** What the reader of a pipe had no room for. */
  #rest: Uint8Array = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #dropped = 0;
  #failed = false;

  constructor(options: LineBatchesOptions) {
    this.#options = options;
  }

  write(line: string): void {
    if (this.#failed) return;
    if (this.#lines.length >= WAITING_MAX) {
      this.#dropped++;
      return;
    }
    this.#lines += line;
    if (this.#lines.length >= this.#options.sizeMax && this.#retry === undefined) this.flush();
  }

  /** Writes what there is. What a slow reader does not take now follows later, in order. */
  flush(): void {
    if (this.#tryWrite()) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.flush();
    }, RETRY_MS).unref();
  }

  /** Returns when all is written, or the reader has taken nothing for two seconds. */
  flushSync(): void {
    let waited = 0;
    let left = this.#rest.byteLength;
    while (!this.#tryWrite() && waited < PATIENCE_MS) {
      waited = this.#rest.byteLength === left ? waited + RETRY_MS : 0;
      left = this.#rest.byteLength;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }

  /** @returns false when the reader must be waited for. */
  #tryWrite(): boolean {
    try {
      for (;;) {
        while (this.#rest.byteLength > 0) this.#rest = this.#rest.subarray(writeSync(this.#options.descriptor, this.#rest));
        if (this.#lines === '') return true;
        this.#rest = Buffer.from(this.#lines + this.#tellDropped());
        this.#lines = '';
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      this.#rest = Buffer.alloc(0);
      this.#lines = '';
      this.#failed = true;
      this.#options.onFailure(error as Error);
      return true;
    }
  }

  #tellDropped(): string {
    if (this.#dropped === 0) return '';
    const line = this.#options.describeDropped(this.#dropped);
    this.#dropped = 0;
    return line;
  }
}
