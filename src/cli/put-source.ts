import { type BigIntStats, closeSync, constants, type Dirent, fstatSync, open, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { QuasarError } from '../core/errors.ts';
import { fileFault } from './file-fault.ts';
import { usage } from './flags.ts';

/** Something named on the command line or found below a folder. */
export type PutSource =
  | { readonly kind: 'file'; readonly path: string; readonly filename: string }
  | { readonly kind: 'pipe'; readonly path: '-'; readonly filename: string }
  /** Nothing that could be stored: left out, and said so. */
  | { readonly kind: 'skipped'; readonly path: string; readonly reason: string }
  /** Should be stored and cannot be read. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly failure: QuasarError };

/**
 * An open file together with what the file system said of it when it was opened. Who opened it closes it (`closeSource`).
 * `size` is a hint, not a promise: some file systems report sizes that their files do not have, so only a read that finds
 * the end tells how many bytes there are.
 */
export interface OpenSource {
  readonly descriptor: number;
  readonly size: number;
}

/**
 * What to store, in the order of the arguments; folders in byte order of the names, so that two runs do the same.
 * Folders are read one at a time: memory is bounded by the largest one.
 */
export async function* listSources(paths: readonly string[], recursive: boolean): AsyncGenerator<PutSource> {
  for (const path of paths) {
    if (path === '-') yield { kind: 'pipe', path: '-', filename: 'stdin' };
    else if (!isFolder(path)) yield { kind: 'file', path, filename: basename(path) };
    else if (recursive) yield* walk(path, path);
    else throw usage(`${path} is a folder; add -r to store what is in it.`);
  }
}

/** Follows a symbolic link: what is named is meant. Whatever cannot be asked is met again, and reported, when it is opened. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function* walk(root: string, folder: string): AsyncGenerator<PutSource> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    yield { kind: 'unreadable', path: folder, failure: fileFault(cause, 'read') };
    return;
  }
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.includes(LOST) && !(await isExact(folder, entry.name)))
      yield { kind: 'unreadable', path, failure: nameFault() };
    else if (entry.isDirectory()) yield* walk(root, path);
    else if (entry.isFile()) yield { kind: 'file', path, filename: relative(root, path) };
    else yield { kind: 'skipped', path, reason: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file' };
  }
}

/** What Node shows in place of bytes that are no UTF-8; the file cannot be opened by such a name. */
const LOST = '\ufffd';

/** The sign may also be a letter of the name, and then opens it, unless another name looks the same. */
async function isExact(folder: string, name: string): Promise<boolean> {
  const alike = (await readdir(folder, { encoding: 'buffer' })).filter((bytes) => bytes.toString() === name);
  return alike.length === 1 && (alike[0] as Buffer).equals(Buffer.from(name));
}

function nameFault(): QuasarError {
  return new QuasarError('file_unreadable', { op: 'cli.put', message: 'Its name is not valid UTF-8. Rename it, then store it.' });
}

const openFile: (path: string, flags: number) => Promise<number> = promisify(open);

/** Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever, and nothing could interrupt it. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** @throws QuasarError `file_unreadable`. */
export async function openSource(path: string): Promise<OpenSource> {
  let descriptor: number | undefined;
  try {
    descriptor = await openFile(path, OPEN_FLAGS);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw unstorable(path, stats);
    return { descriptor, size: stats.size };
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor);
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && path.includes(LOST)) throw nameFault();
    if (code === 'ENXIO')
      throw new QuasarError('file_unreadable', { op: 'cli.put', message: 'It is a socket, not a file.', cause });
    throw fileFault(cause, 'read');
  }
}

function unstorable(path: string, stats: Stats): QuasarError {
  const message = stats.isDirectory()
    ? 'It is a folder.'
    : `It is not a regular file. To store what it gives until its end, use "quasar put - < ${path}".`;
  return new QuasarError('file_unreadable', { op: 'cli.put', message });
}

/** Call when nothing reads it any more. */
export function closeSource({ descriptor }: OpenSource): void {
  closeSync(descriptor);
}

/** What tells that an open file was written to. Asking an open file waits for no disk, and a thread would cost more. */
export function stateOf({ descriptor }: OpenSource): BigIntStats {
  return fstatSync(descriptor, { bigint: true });
}

export function isUnchanged(source: OpenSource, before: BigIntStats): boolean {
  const now = stateOf(source);
  return now.size === before.size && now.mtimeNs === before.mtimeNs;
}

export function fileChanged(): QuasarError {
  return new QuasarError('file_changed', {
    op: 'cli.put',
    message: 'It changed while it was read or sent; nothing of it was stored. Store it again when no program writes to it.',
  });
}
