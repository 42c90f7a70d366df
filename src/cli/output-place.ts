import { fstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { fileFault } from './file-fault.ts';
import { usage } from './flags.ts';

/** Where the path after -o leads. */
export type OutputPlace =
  | { readonly kind: 'standard output' }
  /** One that the command was started with, other than standard output. */
  | { readonly kind: 'descriptor'; readonly descriptor: number; readonly stats: Stats }
  /** A device or a pipe: it is written into, and stays. */
  | { readonly kind: 'special'; readonly path: string; readonly stats: Stats }
  | FilePlace;

export interface FilePlace {
  readonly kind: 'file';
  /** Without symbolic links in its last part: they stay, and what they lead to is replaced. */
  readonly path: string;
  readonly folder: string;
  /** Undefined when there is no file yet. */
  readonly existing: Stats | undefined;
}

/** @throws QuasarError `usage` for a folder, `file_unreadable` for what cannot be written. */
export async function placeOf(output: string): Promise<OutputPlace> {
  if (output === '') throw usage('-o names the file to write, and its name is empty.');
  const descriptor = descriptorOf(output);
  if (descriptor === 1) return { kind: 'standard output' };
  try {
    if (descriptor !== undefined) return { kind: 'descriptor', descriptor, stats: fstatSync(descriptor) };
    const stats = statSync(output, { throwIfNoEntry: false });
    if (stats?.isDirectory()) throw usage(`${output} is a folder; -o names the file to write.`);
    if (stats === undefined && output.endsWith('/')) throw usage(`There is no folder ${output}, and -o names the file to write.`);
    if (stats?.isSocket()) throw new QuasarError('file_unreadable', { op: 'cli.output', message: `${output}: It is a socket.` });
    if (stats !== undefined && !stats.isFile()) return { kind: 'special', path: output, stats };
    return await filePlaceOf(output, stats);
  } catch (cause) {
    throw fileFault(cause, 'written', output);
  }
}

/** As `placeOf`, where only a file will do. */
export async function requireFilePlace(output: string): Promise<FilePlace> {
  const place = output === '-' ? undefined : await placeOf(output);
  if (place?.kind === 'file') return place;
  throw new QuasarError('file_unreadable', { op: 'cli.output', message: `${output} is not a regular file.` });
}

async function filePlaceOf(output: string, existing: Stats | undefined): Promise<FilePlace> {
  const path = existing === undefined ? endOfLinks(resolve(output)) : await realpath(output);
  const folder = dirname(path);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() && basename(path) !== '') return { kind: 'file', path, folder, existing };
  throw new QuasarError('file_unreadable', { op: 'cli.output', message: `${output}: There is no folder ${folder}.` });
}

/** Where a symbolic link to nothing leads: the file is made there, as by a shell. */
function endOfLinks(path: string): string {
  let end = path;
  for (let count = 0; count < LINKS_MAX; count++) {
    try {
      end = resolve(dirname(end), readlinkSync(end));
    } catch {
      return end;
    }
  }
  return end;
}

const LINKS_MAX = 40;

/** The name of an open descriptor of this process. Opening it anew would begin at the start of what others wrote before us. */
function descriptorOf(output: string): number | undefined {
  if (output === '-' || output === '/dev/stdout') return 1;
  if (output === '/dev/stderr') return 2;
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(output)?.[1];
  return number === undefined ? undefined : Number(number);
}
