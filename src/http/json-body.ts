import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Exchange } from './edge.ts';

export interface JsonBodyOptions {
  /** An empty body is then undefined instead of a fault. */
  readonly optional?: boolean;
}

/**
 * Reads a small JSON body. Undefined only for an empty body that is `optional`.
 * @throws QuasarError `unsupported_media_type`, `body_too_large`, `bad_body`, `cancelled`.
 */
export async function readJsonBody(exchange: Exchange, options: JsonBodyOptions = {}): Promise<unknown> {
  if (exchange.bodySize !== undefined && exchange.bodySize > limits.jsonBodyMax) throw tooLarge();
  const bytes = await collect(exchange);
  if (bytes.byteLength === 0) {
    if (options.optional) return undefined;
    throw badBody('The body is empty; a JSON object is expected.');
  }
  const contentType = exchange.header('content-type');
  if (contentType !== undefined && !JSON_TYPE.test(contentType.trim())) {
    throw new QuasarError('unsupported_media_type', {
      op: 'http.readJson',
      message: 'The body of this route is application/json in UTF-8.',
    });
  }
  return parseJson(bytes);
}

/** JSON that every reader understands alike: UTF-8, bounded depth, finite numbers, no keys that reach into prototypes. */
export function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const message = cause instanceof SyntaxError ? 'The body is not valid JSON.' : 'The body is not valid UTF-8.';
    throw badBody(message, cause);
  }
  checkValue(value, 0);
  return value;
}

function checkValue(value: unknown, depth: number): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw badBody('A number in the body is out of range.');
  if (value === null || typeof value !== 'object') return;
  if (depth >= DEPTH_MAX) throw badBody(`The body is nested deeper than ${DEPTH_MAX} levels.`);
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') throw badBody('"__proto__" is not a field name.');
    checkText(key);
    checkValue(member, depth + 1);
  }
}

function checkText(text: string): void {
  if (/\p{Cs}/u.test(text)) throw badBody('A string in the body holds half a surrogate pair.');
}

function collect(exchange: Exchange): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    exchange.readBody({
      chunk(bytes) {
        size += bytes.byteLength;
        if (size <= limits.jsonBodyMax) chunks.push(Buffer.from(bytes));
        else reject(tooLarge());
      },
      end: () => resolve(Buffer.concat(chunks)),
      gone: () => reject(new QuasarError('cancelled', { op: 'http.readJson' })),
    });
  });
}

function tooLarge(): QuasarError {
  return new QuasarError('body_too_large', { op: 'http.readJson', details: { sizeMax: limits.jsonBodyMax } });
}

function badBody(message: string, cause?: unknown): QuasarError {
  return new QuasarError('bad_body', { op: 'http.readJson', message, cause });
}

const DEPTH_MAX = 32;
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
