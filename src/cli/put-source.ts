import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, type Dirent, fstatSync, lstatSync, open } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
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
 * An open file together with the identity it had when it was opened. Who opened it closes it (`closeSource`). Opening and
 * reading may wait for a disk and go to a thread; what is asked of an open file does not, and a thread costs more.
 */
export interface OpenSource {
  readonly descriptor: number;
  readonly size: number;
  readonly stats: BigIntStats;
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

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
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
    if (entry.name.includes(LOST)) yield { kind: 'unreadable', path, failure: nameFault() };
    else if (entry.isDirectory()) yield* walk(root, path);
    else if (entry.isFile()) yield { kind: 'file', path, filename: relative(root, path) };
    else yield { kind: 'skipped', path, reason: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file' };
  }
}

/** What Node shows in place of bytes that are no UTF-8; the file cannot be opened by such a name. */
const LOST = '\ufffd';

function nameFault(): QuasarError {
  return new QuasarError('file_unreadable', { op: 'cli.put', message: 'Its name is not valid UTF-8. Rename it, then store it.' });
}

const openFile: (path: string, flags: string) => Promise<number> = promisify(open);

/** @throws QuasarError `file_unreadable`. */
export async function openSource(path: string): Promise<OpenSource> {
  let descriptor: number | undefined;
  try {
    descriptor = await openFile(path, 'r');
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw new QuasarError('file_unreadable', { op: 'cli.put', message: 'It is not a regular file.' });
    return { descriptor, size: Number(stats.size), stats };
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw fileFault(cause, 'read');
  }
}

/** Call when nothing reads it any more. */
export function closeSource({ descriptor }: OpenSource): void {
  closeSync(descriptor);
}

/** @throws QuasarError `file_changed` when the file is no longer the one that was opened: what was sent may be a mixture. */
export function assertUnchanged(source: OpenSource): void {
  const now = fstatSync(source.descriptor, { bigint: true });
  if (now.size === source.stats.size && now.mtimeNs === source.stats.mtimeNs) return;
  throw new QuasarError('file_changed', {
    op: 'cli.put',
    message: 'It changed while it was being sent; nothing of it was stored. Store it again when it is complete.',
  });
}

/**
 * The same file and wishes give the same key in every run, so the server continues, or answers again, what it has;
 * a file that was touched gives another.
 */
export function idempotencyKeyOf(path: string, stats: BigIntStats, wishes: readonly (string | undefined)[]): string {
  const parts = [resolve(path), stats.dev, stats.ino, stats.size, stats.mtimeNs, ...wishes.map((wish) => wish ?? '')];
  return `put-${createHash('sha256').update(parts.join('\0')).digest('hex')}`;
}
