import { createHash } from 'node:crypto';
import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { blake3Hasher } from '../core/blake3.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { fileFault } from './file-fault.ts';
import { fileChanged, isUnchanged, type OpenSource, stateOf } from './put-source.ts';
import { formatBytes } from './units.ts';

/**
 * All bytes of a file that fits one request, read to its end whatever size it is said to have; undefined for one that does
 * not. Every byte returned was read from the file. @throws QuasarError `file_unreadable`, `file_changed`.
 */
export async function readWhole(source: OpenSource): Promise<Buffer | undefined> {
  if (source.size > limits.putOneShotMax) return undefined;
  for (let attempt = 0; attempt < limits.putReadAttemptsMax; attempt++) {
    const before = stateOf(source);
    const bytes = await readToEnd(source);
    if (isUnchanged(source, before)) return bytes;
  }
  throw fileChanged();
}

/** Past the size it is said to have, no more than a small file's worth is gathered in memory. */
async function readToEnd({ descriptor, size }: OpenSource): Promise<Buffer | undefined> {
  let memory = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for (;;) {
    while (filled < memory.length) {
      const bytesRead = await readAt(descriptor, memory.subarray(filled), filled);
      if (bytesRead === 0) return memory.subarray(0, filled);
      filled += bytesRead;
    }
    if (endsAt(descriptor, filled)) return memory;
    if (filled >= Math.max(size, limits.putSmallMax)) return undefined;
    const larger = Buffer.allocUnsafeSlow(Math.max(limits.putSmallMax, size));
    memory.copy(larger, 0, 0, filled);
    memory = larger;
  }
}

/** Almost always true where it is asked, and then no disk is waited for: a thread would cost more than the question. */
function endsAt(descriptor: number, at: number): boolean {
  try {
    return readSync(descriptor, Buffer.alloc(1), 0, 1, at) === 0;
  } catch (cause) {
    throw fileFault(cause, 'read');
  }
}

/** What a file holds from its first byte to its end; digests in hex. */
export interface FileContent {
  readonly size: number;
  readonly blake3: string;
  /** Undefined when nobody asked for it. */
  readonly sha256: string | undefined;
}

/** Reads a file once to its end. @throws QuasarError `file_unreadable`, `file_changed`; what `signal` was aborted with. */
export async function contentOf(
  source: OpenSource,
  { signal, withSha256 }: { readonly signal: AbortSignal; readonly withSha256: boolean },
): Promise<FileContent> {
  const memory = Buffer.allocUnsafeSlow(limits.putReadSize);
  for (let attempt = 0; attempt < limits.putReadAttemptsMax; attempt++) {
    const content = await readThrough(source, memory, { signal, withSha256 });
    if (content !== undefined) return content;
  }
  throw fileChanged();
}

/** Undefined when the file was written to meanwhile; one that grows as fast as it is read is left before its end. */
async function readThrough(
  source: OpenSource,
  memory: Buffer,
  { signal, withSha256 }: { readonly signal: AbortSignal; readonly withSha256: boolean },
): Promise<FileContent | undefined> {
  const before = stateOf(source);
  const blake3 = blake3Hasher();
  const sha256 = withSha256 ? createHash('sha256') : undefined;
  let size = 0;
  for (;;) {
    signal.throwIfAborted();
    const bytesRead = await readAt(source.descriptor, memory, size);
    size += bytesRead;
    if ((bytesRead === 0 || size > before.size) && !isUnchanged(source, before)) return undefined;
    if (bytesRead === 0) return { size, blake3: blake3.digest().toString('hex'), sha256: sha256?.digest('hex') };
    if (size > limits.blobSizeMax) throw tooLarge();
    blake3.update(memory.subarray(0, bytesRead));
    sha256?.update(memory.subarray(0, bytesRead));
  }
}

/** Also ends the reading of a file that has no end. */
function tooLarge(): QuasarError {
  const message = `It has more than ${formatBytes(limits.blobSizeMax)}, the most a document may hold; nothing of it was stored.`;
  return new QuasarError('upload_too_large', { op: 'cli.put', message });
}

/**
 * Reads the first `size` bytes of a file from any offset. SHA-256 of the whole is taken on the way, each byte once however
 * often it is sent. A start beyond what is hashed (an earlier run sent the rest) begins at once: the file is then hashed
 * beside the sending, by reads of its own.
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

  /** SHA-256 in hex of the whole file, once everything was read. @throws QuasarError `file_changed` when the file goes on behind `size`. */
  async sha256(): Promise<string> {
    this.#hashBeside();
    await this.#beside;
    if (!endsAt(this.#descriptor, this.size)) throw fileChanged();
    return this.#hash.copy().digest('hex');
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
    if (bytesRead === 0) throw fileChanged();
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
