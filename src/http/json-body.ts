import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { JsonValue } from '../metadata/json-value.ts';
import { metadataBounds, parseStrictJson } from '../metadata/strict-json.ts';
import { announcedDigests, verifierOf } from './body-digests.ts';
import type { Exchange } from './edge.ts';

export interface JsonBodyOptions {
  /** An empty body reads as undefined instead of being refused. */
  readonly optional: boolean;
  /** A media type that is taken beside application/json. */
  readonly alsoType?: string;
}

/**
 * The whole JSON body of a request, at most `limits.jsonBodyMax` bytes, of which there is one reading
 * (metadata/strict-json.ts).
 * @throws QuasarError `body_too_large`, `unsupported_media_type`, `bad_body`, `digest_mismatch`, `upload_stalled`, `cancelled`; and
 * what refuses the request by now, when its body took so long that it may no longer.
 */
export async function readJsonBody(exchange: Exchange, options: JsonBodyOptions): Promise<JsonValue | undefined> {
  if (exchange.bodySize !== 0 || !options.optional) requireJsonType(exchange, options);
  const bytes = verified(await readBytes(exchange), exchange);
  const confirmed = exchange.confirm?.();
  if (confirmed !== undefined) await confirmed;
  return bytes.byteLength === 0 && options.optional ? undefined : parseJson(bytes);
}

/** Decided before the body is read, so that a client that asks first need not send it. */
function requireJsonType(exchange: Exchange, options: JsonBodyOptions): void {
  const contentType = exchange.header('content-type');
  if (contentType !== undefined && !isTaken(contentType, options.alsoType)) {
    throw new QuasarError('unsupported_media_type', {
      op: 'http.readBody',
      message: 'The body of this route is application/json in UTF-8.',
    });
  }
}

function isTaken(contentType: string, alsoType: string | undefined): boolean {
  if (JSON_TYPE.test(contentType)) return true;
  return mediaTypeOf(contentType) === alsoType && UTF8_OR_NOTHING.test(contentType);
}

/** In lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** @throws QuasarError `bad_body`. */
export function parseJson(bytes: Uint8Array): JsonValue {
  try {
    return parseStrictJson(bytes, BOUNDS);
  } catch (error) {
    if (!isQuasarError(error, 'metadata_too_large')) throw error;
    const { message, details } = error;
    throw new QuasarError('bad_body', { op: 'http.parseBody', message, details, cause: error });
  }
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
      gone: (fault) => {
        clearTimeout(timer);
        reject(fault ?? new QuasarError('cancelled', { op }));
      },
    });
  });
}

/** @throws QuasarError `digest_mismatch`: it is no other body than the one its sender meant. */
function verified(bytes: Buffer, exchange: Exchange): Buffer {
  const digest = verifierOf(announcedDigests(exchange));
  digest?.observe(bytes);
  digest?.verify();
  return bytes;
}

function tooLarge(op: string): QuasarError {
  return new QuasarError('body_too_large', { op, details: { sizeMax: limits.jsonBodyMax } });
}

const BOUNDS = { ...metadataBounds, size: limits.jsonBodyMax };
/** The form type is what curl -d sends by itself; the body tells whether it is JSON. */
const JSON_TYPE = /^\s*(?:application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?|application\/x-www-form-urlencoded\s*)$/i;
/** The parameters of a type. */
const UTF8_OR_NOTHING = /^[^;]*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
