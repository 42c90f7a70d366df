import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/**
 * Reads a file of known size from any offset, hashing each byte once however often it is sent: SHA-256 follows the
 * highest byte seen, and a start beyond it first reads what lies between.
 */
export class FileBytes {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #buffers: readonly [Buffer, Buffer];
  #hashedTo = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
    const bufferSize = Math.max(1, Math.min(limits.putReadSize, size));
    this.#buffers = [Buffer.allocUnsafeSlow(bufferSize), Buffer.allocUnsafeSlow(bufferSize)];
  }

  /**
   * The bytes from `offset` to the end. A chunk is borrowed until the next is asked for; the next is read meanwhile.
   * One reader at a time. @throws QuasarError `file_changed` when the file has become shorter.
   */
  async *from(offset: number): AsyncGenerator<Buffer> {
    if (offset > this.#hashedTo) await this.#hashTo(offset);
    let turn = 0;
    let at = offset;
    let next = this.#readAhead(at, turn);
    try {
      while (at < this.size) {
        const chunk = await next;
        turn ^= 1;
        next = this.#readAhead(at + chunk.length, turn);
        this.#absorb(chunk, at);
        yield chunk;
        at += chunk.length;
      }
    } finally {
      // The reader may have left in the middle: its buffers are free again only when the read is over.
      await next.catch(() => undefined);
    }
  }

  /** SHA-256 in hex of the whole file. Call once, last. */
  async sha256(): Promise<string> {
    await this.#hashTo(this.size);
    return this.#hash.digest('hex');
  }

  async #hashTo(end: number): Promise<void> {
    while (this.#hashedTo < end) {
      const chunk = await this.#read(this.#hashedTo, 0);
      this.#absorb(chunk, this.#hashedTo);
    }
  }

  #absorb(chunk: Buffer, at: number): void {
    const known = this.#hashedTo - at;
    if (known >= chunk.length) return;
    this.#hash.update(chunk.subarray(known));
    this.#hashedTo = at + chunk.length;
  }

  /** Its failure is told when the chunk is asked for. */
  #readAhead(at: number, turn: number): Promise<Buffer> {
    const chunk = this.#read(at, turn);
    chunk.catch(() => undefined);
    return chunk;
  }

  async #read(at: number, turn: number): Promise<Buffer> {
    const buffer = this.#buffers[turn] as Buffer;
    const wanted = Math.min(buffer.length, this.size - at);
    if (wanted <= 0) return buffer.subarray(0, 0);
    const { bytesRead } = await this.#handle.read(buffer, 0, wanted, at);
    if (bytesRead === 0)
      throw new QuasarError('file_changed', { op: 'cli.put', message: 'It became shorter while it was being sent.' });
    return buffer.subarray(0, bytesRead);
  }
}
