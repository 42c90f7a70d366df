import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { fileFault } from './file-fault.ts';

/**
 * Reads a file of known size from any offset. SHA-256 of the whole is taken on the way, each byte once however often it
 * is sent. A start beyond what is hashed (an earlier run sent the rest) begins at once: the file is then hashed beside
 * the sending, by reads of its own.
 */
export class FileBytes {
  readonly size: number;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  readonly #buffers: readonly [Buffer, Buffer];
  #hashedTo = 0;
  #beside: Promise<void> | undefined;
  #stopped = false;

  /** `descriptor` of an open file, which outlives this. */
  constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.size = size;
    this.#buffers = [this.#newBuffer(), this.#newBuffer()];
  }

  async *from(offset: number): AsyncGenerator<Buffer> {
    if (offset > this.#hashedTo) this.#hashBeside();
    let turn = 0;
    let at = offset;
    let next = this.#readAhead(at, turn);
    try {
      while (at < this.size) {
        const chunk = await next;
        turn ^= 1;
        next = this.#readAhead(at + chunk.length, turn);
        if (this.#beside === undefined) this.#absorb(chunk, at);
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
    this.#hashBeside();
    await this.#beside;
    return this.#hash.digest('hex');
  }

  /** Resolves when no read is under way any more. The file may be closed then. */
  async settle(): Promise<void> {
    this.#stopped = true;
    await this.#beside?.catch(() => undefined);
  }

  #hashBeside(): void {
    this.#beside ??= this.#hashRest();
    // Its failure is told by `sha256`.
    this.#beside.catch(() => undefined);
  }

  async #hashRest(): Promise<void> {
    const buffer = this.#newBuffer();
    while (this.#hashedTo < this.size && !this.#stopped) {
      this.#absorb(await this.#read(this.#hashedTo, buffer), this.#hashedTo);
    }
  }

  #newBuffer(): Buffer {
    return Buffer.allocUnsafeSlow(Math.max(1, Math.min(limits.putReadSize, this.size)));
  }

  #absorb(chunk: Buffer, at: number): void {
    const known = this.#hashedTo - at;
    if (known >= chunk.length) return;
    this.#hash.update(chunk.subarray(known));
    this.#hashedTo = at + chunk.length;
  }

  /** Its failure is told when the chunk is asked for. */
  #readAhead(at: number, turn: number): Promise<Buffer> {
    const chunk = this.#read(at, this.#buffers[turn] as Buffer);
    chunk.catch(() => undefined);
    return chunk;
  }

  async #read(at: number, buffer: Buffer): Promise<Buffer> {
    const wanted = Math.min(buffer.length, this.size - at);
    if (wanted <= 0) return buffer.subarray(0, 0);
    const bytesRead = await readAt(this.#descriptor, buffer.subarray(0, wanted), at);
    if (bytesRead === 0)
      throw new QuasarError('file_changed', { op: 'cli.put', message: 'It became shorter while it was being sent.' });
    return buffer.subarray(0, bytesRead);
  }
}

/** Returns how many bytes came, 0 at the end of the file. @throws QuasarError `file_unreadable`. */
export async function readAt(descriptor: number, into: Uint8Array, at: number): Promise<number> {
  try {
    return (await readFile(descriptor, into, 0, into.byteLength, at)).bytesRead;
  } catch (cause) {
    throw fileFault(cause, 'read');
  }
}

const readFile = promisify(read);
