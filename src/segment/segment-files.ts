import { close, constants, fchmod, fdatasync, fstat, fsync, ftruncate, open, promises, read, readv, write } from 'node:fs';
import { makeMissing, syncFolder } from '../disk/durable-folder.ts';
import { PAGE_SIZE } from './format.ts';
import { NotAFileError } from './not-a-file.ts';

/**
 * The file system as a segment node uses it: few calls, each one durable step or one system call, so that tests can
 * fail, shorten or forget any of them. Errors are Node's own, with their `code`, but for NotAFileError.
 */
export interface SegmentFiles {
  /** @throws NotAFileError when something else than a file lies there, a link to one included. */
  open(path: string, options: OpenOptions): Promise<SegmentFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** With missing parents. Returns the first folder that was made; undefined when all were there. */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Names in a directory, in no order. */
  list(path: string): Promise<readonly string[]>;
}

export interface OpenOptions {
  /** `create` refuses an existing file. */
  readonly access: 'read' | 'write' | 'create';
  /** O_DIRECT: memory, offset and size of every read and write are multiples of a page. */
  readonly direct: boolean;
}

export interface SegmentFile {
  readonly path: string;
  /** Of the operating system, for who reads in another thread; undefined when there is none. */
  readonly descriptor?: number;
  /** One system call; returns how many bytes it took, which may be fewer. `writeFully` goes on after that. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** One system call; returns how many bytes it gave, 0 at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Scatters one read over several buffers. */
  readVector(into: readonly Uint8Array[], at: number): Promise<number>;
  dataSync(): Promise<void>;
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  chmod(mode: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes all of `bytes`. @throws the file's error; how much was written is then unknown. */
export async function writeFully(file: SegmentFile, bytes: Uint8Array, at: number): Promise<void> {
  let done = await file.write(bytes, at);
  while (done < bytes.byteLength) {
    const more = await file.write(bytes.subarray(done), at + done);
    if (more === 0) throw Object.assign(new Error(`${file.path}: the file takes no more bytes`), { code: 'EIO' });
    done += more;
  }
}

/** Fills `into` as far as the file reaches and returns the count. */
export async function readFully(file: SegmentFile, into: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < into.byteLength) {
    const more = await file.read(done === 0 ? into : into.subarray(done), at + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}

/** The same in whole pages, as O_DIRECT wants it: a file that ends inside a page has given all it has. */
export async function readPages(file: SegmentFile, into: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < into.byteLength && done % PAGE_SIZE === 0) {
    const more = await file.read(done === 0 ? into : into.subarray(done), at + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}

export const diskFiles: SegmentFiles = {
  open: async (path, options) => {
    await refuseOthers(path);
    return new Promise((resolve, reject) => {
      open(path, openFlags(options), 0o600, (error, fd) => (error === null ? resolve(new DiskFile(path, fd)) : reject(error)));
    });
  },
  rename: (from, to) => promises.rename(from, to),
  unlink: (path) => promises.unlink(path),
  makeDirectory: makeMissing,
  list: (path) => promises.readdir(path),
  syncDirectory: syncFolder,
};

/** @throws NotAFileError. What is not there, or cannot be looked at, is for the call itself to tell. */
async function refuseOthers(path: string): Promise<void> {
  const found = await promises.lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw new NotAFileError(path, found);
}

function openFlags({ access, direct }: OpenOptions): number {
  const flags = {
    read: constants.O_RDONLY,
    write: constants.O_RDWR,
    create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  }[access];
  return direct ? flags | constants.O_DIRECT : flags;
}

/** Callbacks of `node:fs` on a bare descriptor: half the cost of a FileHandle on the hot path. */
class DiskFile implements SegmentFile {
  readonly path: string;
  readonly descriptor: number;
  readonly #fd: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.descriptor = fd;
    this.#fd = fd;
  }

  write(bytes: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, 0, bytes.byteLength, at, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, into, 0, into.byteLength, at, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  readVector(into: readonly Uint8Array[], at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      readv(this.#fd, into, at, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  dataSync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fsync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  truncate(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#fd, size, (error) => (error ? reject(error) : resolve()));
    });
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#fd, (error, stats) => (error ? reject(error) : resolve(stats.size)));
    });
  }

  chmod(mode: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fchmod(this.#fd, mode, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      close(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }
}
