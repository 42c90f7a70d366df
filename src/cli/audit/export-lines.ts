import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { limits } from '../../core/limits.ts';
import { fileFault } from '../file-fault.ts';

/**
 * The lines of an export, cut at U+000A alone: an event may hold U+2028, where other readers cut. Of a line that is longer
 * than one may be only as much comes as shows it. What is no UTF-8 comes as U+FFFD, which no hash fits.
 * @throws QuasarError `file_unreadable`.
 */
export async function* readExportLines(file: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { signal }) as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = (lines.pop() as string).slice(0, limits.auditLineMax + 1);
      yield* lines;
    }
  } catch (cause) {
    throw fileFault(cause, 'read', file);
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
