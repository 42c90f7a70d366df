import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { limits } from '../core/limits.ts';
import { fileFault } from './file-fault.ts';

/** Where content goes. Bytes are borrowed until `write` settles. */
export interface ContentTarget {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is there and checked. */
  complete(): Promise<void>;
  /** Everything is there and wrong. Resolves with a sentence about where it is kept, or ''. */
  damaged(): Promise<string>;
  /** Releases what is open; an incomplete file stays, to be continued. Idempotent. */
  close(): Promise<void>;
}

export class StreamTarget implements ContentTarget {
  readonly #stream: Writable;
  readonly #signal: AbortSignal;

  constructor(stream: Writable, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /** A stream may hold on to the bytes until it calls back, whatever `write` returns. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(this.#signal.reason);
      this.#signal.addEventListener('abort', stop, { once: true });
      this.#stream.write(bytes, (error) => {
        this.#signal.removeEventListener('abort', stop);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async complete(): Promise<void> {}

  async damaged(): Promise<string> {
    return '';
  }

  async close(): Promise<void> {}
}

/**
 * A file that appears under its name only when it is complete: until then its bytes are in FILE.part, and FILE.part.of
 * holds the ETag they belong to, so that a later run continues only what it may.
 */
export class FileTarget implements ContentTarget {
  readonly #path: string;
  #handle: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get #part(): string {
    return `${this.#path}.part`;
  }

  get #owner(): string {
    return `${this.#path}.part.of`;
  }

  /** Bytes that an earlier run left, when they belong to `etag`; 0 otherwise. */
  async resumableSize(etag: string): Promise<number> {
    const owner = await readFile(this.#owner, 'utf8').catch(() => undefined);
    if (owner !== etag) return 0;
    this.#handle = await open(this.#part, 'r+').catch(() => undefined);
    return (await this.#handle?.stat())?.size ?? 0;
  }

  /** SHA-256 state over the first `size` bytes that are there; the target then goes on behind them. */
  async adopt(size: number): Promise<{ hash: ReturnType<typeof createHash>; adopted: number }> {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(limits.putReadSize);
    let adopted = 0;
    while (this.#handle !== undefined && adopted < size) {
      const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, size - adopted), adopted);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      adopted += bytesRead;
    }
    await this.#handle?.truncate(adopted);
    this.#at = adopted;
    return { hash, adopted };
  }

  #at = 0;

  /** Starts an empty part that belongs to `etag`; without one, no later run will continue it. */
  async begin(etag: string | undefined): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    this.#at = 0;
    try {
      await rm(this.#owner, { force: true });
      this.#handle = await open(this.#part, 'w+');
      if (etag !== undefined) await writeFile(this.#owner, etag);
    } catch (cause) {
      throw fileFault(cause, 'written', this.#path);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.byteLength) {
        const { bytesWritten } = await (this.#handle as FileHandle).write(bytes, done, bytes.byteLength - done, this.#at);
        done += bytesWritten;
        this.#at += bytesWritten;
      }
    } catch (cause) {
      throw fileFault(cause, 'written', this.#path);
    }
  }

  async complete(): Promise<void> {
    await this.#handle?.sync();
    await this.close();
    await rename(this.#part, this.#path).catch((cause) => {
      throw fileFault(cause, 'written', this.#path);
    });
    await rm(this.#owner, { force: true });
  }

  async damaged(): Promise<string> {
    await this.close();
    await rename(this.#part, `${this.#path}.damaged`);
    await rm(this.#owner, { force: true });
    return ` What came is kept in ${this.#path}.damaged.`;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}
