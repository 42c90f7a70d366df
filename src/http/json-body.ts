import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Exchange } from './edge.ts';

export interface JsonBodyOptions {
  /** An empty body reads as undefined instead of being refused. */
  readonly optional: boolean;
}

/**
 * The whole JSON body of a request, at most `limits.jsonBodyMax` bytes of valid UTF-8.
 * @throws QuasarError `body_too_large`, `unsupported_media_type`, `bad_body`, `upload_stalled`, `cancelled`.
 */
export async function readJsonBody(exchange: Exchange, options: JsonBodyOptions): Promise<unknown> {
  const bytes = await readBytes(exchange);
  if (bytes.byteLength === 0 && options.optional) return undefined;
  const contentType = exchange.header('content-type');
  if (contentType !== undefined && !JSON_TYPE.test(contentType)) {
    throw new QuasarError('unsupported_media_type', {
      op: 'http.readBody',
      message: 'The body of this route is application/json in UTF-8.',
    });
  }
  return parseJson(bytes);
}

/** Refuses what parsers are known to disagree on: invalid UTF-8, lone surrogates, `__proto__`, depth, numbers beyond 2^53. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badBody('The body is not valid JSON.', cause);
  }
  check(value, 0);
  return value;
}

function readBytes(exchange: Exchange): Promise<Buffer> {
  const op = 'http.readBody';
  if (exchange.bodySize !== undefined && exchange.bodySize > limits.jsonBodyMax) throw tooLarge(op);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    // A body this small needs no rate: the whole of it has a time.
    const timer = setTimeout(() => reject(new QuasarError('upload_stalled', { op })), limits.jsonBodyMs);
    exchange.readBody({
      chunk: (bytes) => {
        size += bytes.byteLength;
        if (size > limits.jsonBodyMax) reject(tooLarge(op));
        else parts.push(Buffer.from(bytes));
      },
      end: () => {
        clearTimeout(timer);
        resolve(Buffer.concat(parts));
      },
      gone: () => {
        clearTimeout(timer);
        reject(new QuasarError('cancelled', { op }));
      },
    });
  });
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badBody('The body is not valid UTF-8.', cause);
  }
}

function check(value: unknown, depth: number): void {
  if (depth > DEPTH_MAX) throw badBody(`The body is nested deeper than ${DEPTH_MAX} levels.`);
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'number') checkNumber(value);
  else if (Array.isArray(value)) for (const item of value) check(item, depth + 1);
  else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) {
      if (name === '__proto__') throw badBody('"__proto__" is not a field name.');
      checkText(name);
      check(item, depth + 1);
    }
  }
}

function checkText(text: string): void {
  if (LONE_SURROGATE.test(text)) throw badBody('A string of the body has half a surrogate pair.');
}

function checkNumber(value: number): void {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return;
  throw badBody('A number of the body is beyond 2^53.');
}

function tooLarge(op: string): QuasarError {
  return new QuasarError('body_too_large', { op, details: { sizeMax: limits.jsonBodyMax } });
}

function badBody(message: string, cause?: unknown): QuasarError {
  return new QuasarError('bad_body', { op: 'http.parseBody', message, ...(cause === undefined ? {} : { cause }) });
}

const DEPTH_MAX = 32;
/** The form type is what curl -d sends by itself; the body tells whether it is JSON. */
const JSON_TYPE = /^\s*(?:application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?|application\/x-www-form-urlencoded\s*)$/i;
const LONE_SURROGATE = /\p{Surrogate}/u;
