import { close, constants, fsync, open, type Stats, write } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { CommandContext } from './command.ts';
import type { ContentTarget } from './content-target.ts';
import { fileFault } from './file-fault.ts';
import type { OutputPlace } from './output-place.ts';

/** A device, a pipe, or a descriptor that somebody opened for us: it is written into, and neither replaced nor cleaned up. */
export async function openSpecial(
  place: OutputPlace & { kind: 'special' | 'descriptor' },
  name: string,
  context: CommandContext,
): Promise<ContentTarget> {
  const isPipe = place.stats.isFIFO() || place.stats.isSocket();
  const owned = place.kind === 'special';
  const descriptor = owned ? await openForWriting(place.path, name, place.stats, context) : place.descriptor;
  const parts = { descriptor, name, owned };
  return isPipe ? new PipeTarget(parts, context.signal) : new DescriptorTarget(parts);
}

interface Opened {
  readonly descriptor: number;
  readonly name: string;
  /** False for one that others go on writing to. */
  readonly owned: boolean;
}

/** A pipe has to be waited for until somebody reads it; opening it that way alone could not be interrupted. */
async function openForWriting(path: string, name: string, stats: Stats, { wait, signal }: CommandContext): Promise<number> {
  const flags = constants.O_WRONLY | (stats.isFIFO() ? constants.O_NONBLOCK : 0);
  for (;;) {
    try {
      return await openFile(path, flags);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENXIO' || !stats.isFIFO()) throw fileFault(cause, 'written', name);
    }
    await wait(READER_WAIT_MS, signal);
  }
}

const READER_WAIT_MS = 100;

class DescriptorTarget implements ContentTarget {
  readonly #opened: Opened;
  #closed = false;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  async begin(): Promise<void> {}

  async write(bytes: Uint8Array): Promise<void> {
    const { descriptor, name } = this.#opened;
    let done = 0;
    try {
      while (done < bytes.byteLength) {
        done += (await writeAt(descriptor, bytes, done, bytes.byteLength - done, null)).bytesWritten;
      }
    } catch (cause) {
      throw fileFault(cause, 'written', name);
    }
  }

  async digest(): Promise<undefined> {}

  /** Bytes for a disk are on it; character devices know no such thing. */
  async complete(): Promise<void> {
    const { descriptor, name } = this.#opened;
    await syncFile(descriptor).catch((cause) => {
      if (!UNSYNCABLE.has((cause as NodeJS.ErrnoException).code ?? '')) throw fileFault(cause, 'written', name);
    });
  }

  async damaged(): Promise<string> {
    return '';
  }

  async close(): Promise<undefined> {
    if (this.#closed || !this.#opened.owned) return;
    this.#closed = true;
    await closeFile(this.#opened.descriptor);
  }
}

const UNSYNCABLE = new Set(['EINVAL', 'ENOTSUP', 'EROFS', 'EBADF']);

class PipeTarget implements ContentTarget {
  readonly #socket: Socket;
  readonly #opened: Opened;
  readonly #signal: AbortSignal;

  constructor(opened: Opened, signal: AbortSignal) {
    this.#opened = opened;
    this.#signal = signal;
    this.#socket = new Socket({ fd: opened.descriptor, readable: false, writable: true });
    // Told by the write that failed.
    this.#socket.on('error', () => undefined);
  }

  async begin(): Promise<void> {}

  write(bytes: Uint8Array): Promise<void> {
    return this.#settle((done) => this.#socket.write(bytes, done));
  }

  async digest(): Promise<undefined> {}

  async complete(): Promise<void> {
    if (this.#opened.owned) await this.#settle((done) => this.#socket.end(done));
  }

  async damaged(): Promise<string> {
    return '';
  }

  async close(): Promise<undefined> {
    if (this.#opened.owned) this.#socket.destroy();
  }

  #settle(work: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(this.#signal.reason);
      this.#signal.addEventListener('abort', stop, { once: true });
      work((error) => {
        this.#signal.removeEventListener('abort', stop);
        if (error) reject(fileFault(error, 'written', this.#opened.name));
        else resolve();
      });
    });
  }
}

const openFile: (path: string, flags: number) => Promise<number> = promisify(open);
const writeAt = promisify(write);
const syncFile = promisify(fsync);
const closeFile = promisify(close);
