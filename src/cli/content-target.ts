import type { Writable } from 'node:stream';
import { QuasarError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { type FilePlace, placeOf } from './output-place.ts';
import { ReplacedFile } from './replaced-file.ts';
import { openSpecial } from './special-target.ts';
import { TerminalGuard } from './terminal-guard.ts';

/** Where content goes. Bytes are borrowed until `write` settles. */
export interface ContentTarget {
  /** Called before the first byte; `content` names what the bytes are the beginning of, when that can be continued. */
  begin(content: string | undefined): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** SHA-256 in hex of what is there, read back; undefined where nothing can be. */
  digest(): Promise<string | undefined>;
  /** Everything is there and checked. */
  complete(): Promise<void>;
  /** Everything is there and wrong. Resolves with a sentence about where it is kept, or ''. */
  damaged(): Promise<string>;
  /** Releases what is open. Resolves with the name under which an incomplete file waits to be continued. Idempotent. */
  close(): Promise<string | undefined>;
}

/** Of -o; standard output without it. A new file gets `mode`, less the umask. @throws QuasarError `usage`, `file_unreadable`. */
export async function openTarget(
  output: string | undefined,
  context: CommandContext,
  { mode = 0o666 }: { readonly mode?: number } = {},
): Promise<ContentTarget> {
  const { terminal, signal } = context;
  if (output === undefined) return new StreamTarget(terminal.stdout, signal, terminal.shown ? new TerminalGuard() : undefined);
  const place = await placeOf(output);
  switch (place.kind) {
    case 'file':
      return new FileTarget(place, mode);
    case 'standard output':
      return new StreamTarget(terminal.stdout, signal);
    case 'descriptor':
      return place.descriptor === 2 ? new StreamTarget(terminal.stderr, signal) : openSpecial(place, output, context);
    default:
      return openSpecial(place, output, context);
  }
}

export class StreamTarget implements ContentTarget {
  readonly #stream: Writable;
  readonly #signal: AbortSignal;
  readonly #guard: TerminalGuard | undefined;

  constructor(stream: Writable, signal: AbortSignal, guard?: TerminalGuard) {
    this.#stream = stream;
    this.#signal = signal;
    this.#guard = guard;
  }

  async begin(): Promise<void> {}

  /** A stream may hold on to the bytes until it calls back, whatever `write` returns. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#guard?.admit(bytes);
    await new Promise<void>((resolve, reject) => {
      const stop = () => reject(this.#signal.reason);
      this.#signal.addEventListener('abort', stop, { once: true });
      this.#stream.write(bytes, (error) => {
        this.#signal.removeEventListener('abort', stop);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async digest(): Promise<undefined> {}

  async complete(): Promise<void> {}

  async damaged(): Promise<string> {
    return '';
  }

  async close(): Promise<undefined> {}
}

export class FileTarget implements ContentTarget {
  readonly #place: FilePlace;
  readonly #mode: number;
  #file: ReplacedFile | undefined;
  #resumable = false;

  constructor(place: FilePlace, mode: number) {
    this.#place = place;
    this.#mode = mode;
  }

  /** True when an earlier run may have left something to continue. */
  leftUnfinished(): Promise<boolean> {
    return ReplacedFile.leftUnfinished(this.#place);
  }

  /** Goes on behind what an earlier run left of the same content, when it is at most `sizeMax`; `see` is shown those bytes. */
  async resume(content: string, sizeMax: number, see: (bytes: Uint8Array) => void): Promise<number> {
    const file = await ReplacedFile.resume(this.#place, content);
    if (file === undefined) return 0;
    if (file.size === 0 || file.size > sizeMax) {
      await file.discard();
      return 0;
    }
    this.#file = file;
    this.#resumable = true;
    await file.cutTo(await file.readBack(file.size, see));
    return file.size;
  }

  async begin(content: string | undefined): Promise<void> {
    const mode = this.#mode;
    await this.#file?.discard();
    this.#file = await ReplacedFile.create(this.#place, content === undefined ? { mode } : { content, mode });
    this.#resumable = content !== undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#use((file) => file.write(bytes));
  }

  digest(): Promise<string> {
    return this.#use((file) => file.digest());
  }

  async complete(): Promise<void> {
    await this.#use((file) => file.complete());
    this.#file = undefined;
  }

  async damaged(): Promise<string> {
    const kept = await this.#use((file) => file.setAside());
    this.#file = undefined;
    return ` What came is kept in ${kept}.`;
  }

  async close(): Promise<string | undefined> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return undefined;
    if (this.#resumable && file.size > 0) return file.leave();
    await file.discard();
    return undefined;
  }

  /** A file that failed is gone, and nothing of it is left to close. */
  async #use<T>(work: (file: ReplacedFile) => Promise<T>): Promise<T> {
    try {
      return await work(this.#file as ReplacedFile);
    } catch (error) {
      await this.#file?.discard();
      this.#file = undefined;
      throw error;
    }
  }
}

/** Compares what was written with what the disk gives back. @throws QuasarError `corrupt`. */
export async function assertOnDisk(target: ContentTarget, sha256: string): Promise<void> {
  const stored = await target.digest();
  if (stored === undefined || stored === sha256) return;
  const kept = await target.damaged();
  throw new QuasarError('corrupt', {
    op: 'cli.output',
    message: `The disk does not give back what was written. Check the disk and its memory, then run the command again.${kept}`,
  });
}
