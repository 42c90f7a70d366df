import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { syncName } from '../disk/durable-folder.ts';
import { fileFault } from './file-fault.ts';
import type { FilePlace } from './output-place.ts';
import { PartNames, tagOf } from './part-name.ts';

/**
 * A file that appears under its name only when it is complete and on the disk. Until then its bytes are beside it, under a
 * name of their own: two commands that write the same file never write into each other, and the last to end stays. What was
 * there keeps its mode and owner, and stays whole when something fails.
 */
export class ReplacedFile {
  readonly #place: FilePlace;
  readonly #names: PartNames;
  readonly #tag: string;
  #handle: FileHandle | undefined;
  #own: string;
  #size = 0;

  private constructor(place: FilePlace, tag: string) {
    this.#place = place;
    this.#tag = tag;
    this.#names = new PartNames(place.path);
    this.#own = join(place.folder, this.#names.own(tag));
  }

  /**
   * `content` names what the bytes are the beginning of. A file that is not there yet gets `mode`, less the umask.
   * @throws QuasarError `file_unreadable`.
   */
  static async create(
    place: FilePlace,
    { content = '', mode = 0o666 }: { content?: string; mode?: number } = {},
  ): Promise<ReplacedFile> {
    const file = new ReplacedFile(place, tagOf(content));
    await file.#guard(async () => {
      if (place.existing !== undefined) accessSync(place.path, constants.W_OK);
      file.#handle = await open(file.#own, 'wx+', place.existing === undefined ? mode : OWNER_ONLY).catch((cause) => {
        throw folderFault(place, cause);
      });
      await file.#takeAfter();
      await file.#removeAbandoned();
    });
    return file;
  }

  /** The largest part that an earlier command left of the same content, taken over; undefined when there is none. */
  static async resume(place: FilePlace, content: string): Promise<ReplacedFile | undefined> {
    const file = new ReplacedFile(place, tagOf(content));
    return (await file.#guard(() => file.#takeOver())) ? file : undefined;
  }

  /** True when an earlier command left something unfinished of this file. */
  static async leftUnfinished({ folder, path }: FilePlace): Promise<boolean> {
    const names = new PartNames(path);
    return (await namesIn(folder)).some((name) => names.abandonedTag(name) !== undefined);
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    await this.#guard(async () => {
      while (done < bytes.byteLength) {
        const { bytesWritten } = await this.#open.write(bytes, done, bytes.byteLength - done, this.#size);
        done += bytesWritten;
        this.#size += bytesWritten;
      }
    });
  }

  /** SHA-256 in hex of what the file holds, read back after it was synced. @throws QuasarError `corrupt` when its size is another. */
  async digest(): Promise<string> {
    await this.#guard(() => this.#open.sync());
    const hash = createHash('sha256');
    const size = await this.readBack(Number.POSITIVE_INFINITY, (bytes) => hash.update(bytes));
    if (size !== this.#size) {
      const message = `${this.#place.path}: The disk holds ${size} bytes where ${this.#size} were written. Check the disk, then run the command again.`;
      throw new QuasarError('corrupt', { op: 'cli.output', message });
    }
    return hash.digest('hex');
  }

  /** Reads up to `end` from the start; returns where it ended. */
  async readBack(end: number, see: (bytes: Uint8Array) => void): Promise<number> {
    const memory = Buffer.allocUnsafeSlow(limits.putReadSize);
    let at = 0;
    while (at < end) {
      const wanted = Math.min(memory.length, end - at);
      const { bytesRead } = await this.#guard(() => this.#open.read(memory, 0, wanted, at));
      if (bytesRead === 0) break;
      see(memory.subarray(0, bytesRead));
      at += bytesRead;
    }
    return at;
  }

  /** Forgets what lies behind `size`, and goes on there. */
  async cutTo(size: number): Promise<void> {
    await this.#guard(() => this.#open.truncate(size));
    this.#size = size;
  }

  /** Gives the file its name, durably. */
  async complete(): Promise<void> {
    await this.#guard(async () => {
      await this.#open.sync();
      await this.#close();
      await rename(this.#own, this.#place.path);
      await syncName(this.#place.path).catch(unlessUnknown);
    });
  }

  /** Under another name, for somebody to look at. Returns that name. */
  async setAside(): Promise<string> {
    const aside = `${this.#place.path}.damaged`;
    await this.#guard(async () => {
      await this.#close();
      await rename(this.#own, aside);
    });
    return aside;
  }

  /** Leaves it for a later command to continue. Returns its name. */
  async leave(): Promise<string> {
    const waiting = join(this.#place.folder, this.#names.waiting(this.#tag));
    await this.#close();
    await rename(this.#own, waiting);
    return waiting;
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#own, { force: true });
  }

  get #open(): FileHandle {
    if (this.#handle === undefined) throw new Error('The file is closed.');
    return this.#handle;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** Mode and owner of what it replaces, before a byte of it is there. */
  async #takeAfter(): Promise<void> {
    const { existing } = this.#place;
    if (existing === undefined) return;
    const { uid, gid } = await this.#open.stat();
    if (uid !== existing.uid || gid !== existing.gid) {
      await this.#open.chown(existing.uid, existing.gid).catch((cause) => {
        throw this.#otherOwner(cause);
      });
    }
    await this.#open.chmod(existing.mode & 0o7777);
  }

  #otherOwner(cause: unknown): QuasarError {
    const message = `${this.#place.path}: It belongs to another user or group, and would change hands. Remove it first, or write to another file.`;
    return new QuasarError('file_unreadable', { op: 'cli.output', message, cause });
  }

  async #takeOver(): Promise<boolean> {
    const candidates = (await namesIn(this.#place.folder)).filter((name) => this.#names.abandonedTag(name) === this.#tag);
    for (const name of candidates) {
      try {
        // Whoever renames it has it; another command that wants it too finds it gone.
        await rename(join(this.#place.folder, name), this.#own);
      } catch {
        continue;
      }
      this.#handle = await open(this.#own, 'r+');
      this.#size = (await this.#handle.stat()).size;
      await this.#takeAfter();
      await this.#removeAbandoned();
      return true;
    }
    return false;
  }

  /** Of other contents, or of commands that were killed. */
  async #removeAbandoned(): Promise<void> {
    for (const name of await namesIn(this.#place.folder)) {
      if (this.#names.abandonedTag(name) !== undefined) await rm(join(this.#place.folder, name), { force: true });
    }
  }

  /** What fails leaves nothing behind: a full disk gets its room back. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      await this.discard().catch(() => undefined);
      throw fileFault(cause, 'written', this.#place.path);
    }
  }
}

/** A folder that may be written and not read holds nothing we could find. */
function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

const OWNER_ONLY = 0o600;

/** File systems that know no sync of a folder say so, and that is no failure. */
function unlessUnknown(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP' && error.code !== 'ENOSYS') throw error;
}

/** The file itself may well be writable: what is missing is room for a name beside it. Other faults pass. */
function folderFault({ path, folder }: FilePlace, cause: NodeJS.ErrnoException): unknown {
  const { code = '' } = cause;
  if (!NO_NAME.has(code)) return cause;
  const message = `${path}: It is written beside its place first, and ${folder} takes no new file (${code}). Write to another folder, or to standard output.`;
  return new QuasarError('file_unreadable', { op: 'cli.output', message, cause });
}

const NO_NAME = new Set(['EACCES', 'EPERM', 'ENOENT', 'EROFS']);
