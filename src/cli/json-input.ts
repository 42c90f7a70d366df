import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { fileFault } from './file-fault.ts';
import type { Terminal } from './terminal.ts';
import { formatBytes } from './units.ts';

/**
 * The text of a file, or of standard input for `-`, that is one JSON value. It is not written anew: the server sees it as
 * it stands, and may be stricter.
 * @throws QuasarError `file_unreadable`; `body_too_large` for more than a request may hold.
 */
export async function readJson(path: string, terminal: Terminal): Promise<string> {
  const name = inputName(path);
  const text = await readText(path === '-' ? terminal.stdin : createReadStream(path), name);
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new QuasarError('file_unreadable', {
      op: 'cli.readJson',
      message: `${name} is not JSON: ${(cause as Error).message}.`,
      cause,
    });
  }
  return text;
}

/** What messages call it. */
export function inputName(path: string): string {
  return path === '-' ? 'Standard input' : path;
}

async function readText(source: Readable, name: string): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of source as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size > limits.jsonBodyMax) throw tooLarge(name);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw notText(name, cause);
    throw fileFault(cause, 'read', name);
  }
}

function tooLarge(name: string): QuasarError {
  const message = `${name} is larger than ${formatBytes(limits.jsonBodyMax)}, the most a request may hold.`;
  return new QuasarError('body_too_large', { op: 'cli.readJson', message });
}

function notText(name: string, cause: unknown): QuasarError {
  return new QuasarError('file_unreadable', { op: 'cli.readJson', message: `${name} is not UTF-8 text.`, cause });
}
