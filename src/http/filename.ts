import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { filenameOfDisposition } from './content-disposition.ts';
import type { Exchange } from './edge.ts';

/**
 * The name a client gives to the bytes it sends: `?filename=` goes before Content-Disposition. Undefined when neither is
 * there. Kept as sent, path and all; `content-disposition.ts` makes it harmless on the way out.
 * @throws QuasarError `bad_parameter`.
 */
export function filenameOf(exchange: Exchange): string | undefined {
  const fromQuery = exchange.query === '' ? null : new URLSearchParams(exchange.query).get('filename');
  if (fromQuery !== null) return fromQuery === '' ? undefined : checkFilename(fromQuery);
  const header = exchange.header('content-disposition');
  const fromHeader = header === undefined ? undefined : filenameOfDisposition(header);
  return fromHeader === undefined || fromHeader === '' ? undefined : checkFilename(fromHeader);
}

/** @throws QuasarError `bad_parameter` for a name that is empty, too long, or holds control or broken characters. */
export function checkFilename(filename: string): string {
  if (filename === '' || Buffer.byteLength(filename) > limits.filenameMax) {
    throw badFilename(`A file name has 1 to ${limits.filenameMax} bytes in UTF-8.`);
  }
  // U+FFFD stands where a percent-encoding was no UTF-8: the name that was meant is lost already.
  if (BROKEN.test(filename)) {
    throw badFilename('A file name holds no control characters and is valid UTF-8.');
  }
  return filename;
}

function badFilename(message: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'http.filename', message, details: { parameter: 'filename' } });
}

const BROKEN = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;
