import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/**
 * What a request head must be before a handler sees it, whatever the server underneath lets through: one reading of where
 * the body ends, one Host, one spelling of a path. Pure; `test/contract/edge.contract.ts` holds both servers to it.
 *
 * A fault here means that the sender and we may disagree about where the next request starts, so the connection is closed.
 */
export interface RequestHead {
  /** As in the request line: `1.1`. */
  readonly version: string;
  readonly method: string;
  /** Raw, without the query. */
  readonly path: string;
  readonly query: string;
  /** Flat: name in lower case, value, name, value; in the order received, duplicates kept. */
  readonly headers: readonly string[];
  /** Of an absolute target: it counts instead of Host. */
  readonly authority?: string | undefined;
  /** Who read the head has refused names that are no tokens, and values with control characters. */
  readonly checked?: boolean;
  /** Why the head could not be read at all; nothing else of it means anything then. */
  readonly fault?: QuasarError;
}

export interface HeadVerdict {
  readonly fault: QuasarError | undefined;
  /** No other request follows on this connection: the client says so, or speaks HTTP/1.0. */
  readonly closes: boolean;
  /** As `Exchange.bodySize`. */
  readonly bodySize: number | undefined;
}

const NO_BODY: HeadVerdict = { fault: undefined, closes: false, bodySize: 0 };
const CHUNKED: HeadVerdict = { fault: undefined, closes: true, bodySize: undefined };

export function inspectHead(head: RequestHead): HeadVerdict {
  const headers = head.headers;
  if (head.fault !== undefined) return broken(head.fault);
  if (!VERSIONS.has(head.version)) return refused('http_version_unsupported');
  if (headers.length > 2 * limits.httpHeadersMax) {
    return refused('headers_too_large', `A request has at most ${limits.httpHeadersMax} headers.`);
  }
  let size: string | undefined;
  let coding: string | undefined;
  let closes = head.version === '1.0';
  let hosts = 0;
  let bytes = head.path.length + head.query.length;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    bytes += name.length + value.length;
    if (head.checked !== true) {
      if (!TOKEN.test(name)) return refused('bad_request', 'A header name is empty or holds a character that is not allowed.');
      if (!FIELD_VALUE.test(value)) return refused('bad_request', `The value of ${name} holds a control character.`);
    }
    if (name === 'content-length') {
      if (size !== undefined) return refused('bad_request', 'Content-Length was sent twice.');
      size = value;
    } else if (name === 'transfer-encoding') {
      if (coding !== undefined) return refused('bad_request', 'Transfer-Encoding was sent twice.');
      coding = value;
    } else if (name === 'host') {
      hosts += 1;
      if (hosts > 1) return refused('bad_request', 'Host was sent twice.');
      if (!HOST.test(value)) return refused('bad_request', 'Host is not a name or address with an optional port.');
    } else if (name === 'connection') closes ||= CLOSE.test(value);
  }
  if (bytes > limits.httpHeadMax) return refused('headers_too_large');
  if (hosts === 0 && head.version !== '1.0') return refused('bad_request', 'Host is missing.');
  const fault = methodFault(head.method) ?? authorityFault(head.authority) ?? targetFault(head);
  if (fault !== undefined) return broken(fault);
  const verdict = bodyVerdict(head, size, coding);
  return closes && !verdict.closes ? { ...verdict, closes } : verdict;
}

function bodyVerdict({ method, version }: RequestHead, size: string | undefined, coding: string | undefined): HeadVerdict {
  if (coding !== undefined) {
    // Who speaks it may not know what it forwards (RFC 9112 section 6.1).
    if (version === '1.0') return refused('bad_request', 'HTTP/1.0 has no Transfer-Encoding.');
    if (size !== undefined) return refused('bad_request', 'Content-Length and Transfer-Encoding exclude each other.');
    if (coding.toLowerCase() !== 'chunked') return refused('bad_request', 'The only Transfer-Encoding taken here is chunked.');
    if (method === 'GET' || method === 'HEAD') return refused('bad_request', `${method} takes no chunked body.`);
    return CHUNKED;
  }
  if (size === undefined || size === '0') return NO_BODY;
  if (!DIGITS.test(size)) return refused('bad_request', 'Content-Length is not a number of bytes.');
  return { fault: undefined, closes: false, bodySize: Number(size) };
}

function methodFault(method: string): QuasarError | undefined {
  return METHODS.has(method) ? undefined : fault('method_unknown');
}

function authorityFault(authority: string | undefined): QuasarError | undefined {
  if (authority === undefined || (authority !== '' && HOST.test(authority))) return undefined;
  return fault('bad_request', 'The request target does not name a host with an optional port.');
}

function targetFault({ method, path, query }: RequestHead): QuasarError | undefined {
  if (path === '*' && query === '' && method === 'OPTIONS') return undefined;
  if (path.length + query.length > limits.pathMax) {
    return fault('uri_too_long', `Path and query together have at most ${limits.pathMax} characters.`);
  }
  if (query !== '' && !QUERY.test(query))
    return fault('bad_request', 'The query holds a character that must be percent-encoded.');
  return PLAIN_PATH.test(path) ? undefined : pathFault(path);
}

function pathFault(path: string): QuasarError | undefined {
  if (!path.startsWith('/')) return fault('bad_request', 'The request target must start with "/".');
  if (!PATH.test(path)) return fault('bad_request', 'The path holds a character that must be percent-encoded.');
  for (const segment of path.split('/')) {
    const decoded = decodeSegment(segment);
    if (decoded === undefined) return fault('bad_request', 'The path holds an invalid percent-encoding.');
    // An IRI in a segment has encoded slashes. Whoever decodes them before splitting must not get out of the segment.
    if (decoded.split('/').some((part) => part === '.' || part === '..')) {
      return fault('bad_request', 'The path holds a dot segment.');
    }
    if (UNSAFE_DECODED.test(decoded)) {
      return fault('bad_request', 'The path holds an encoded control character or backslash.');
    }
  }
  return undefined;
}

/** Undefined when the percent-encoding or the UTF-8 behind it is broken. */
export function decodeSegment(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** True when a value may stand in a header we write: a line break in one would start another header. */
export function isWritableHeaderValue(value: string): boolean {
  return WRITABLE_VALUE.test(value);
}

type GuardCode = 'bad_request' | 'http_version_unsupported' | 'method_unknown' | 'uri_too_long' | 'headers_too_large';

function refused(code: GuardCode, message?: string): HeadVerdict {
  return broken(fault(code, message));
}

function broken(why: QuasarError): HeadVerdict {
  return { fault: why, closes: true, bodySize: undefined };
}

function fault(code: GuardCode, message?: string): QuasarError {
  return new QuasarError(code, { op: 'http.guard', ...(message === undefined ? {} : { message }) });
}

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1']);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const FIELD_VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;
const WRITABLE_VALUE = /^[\x20-\x7e]*$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const HOST = /^[A-Za-z0-9._~:[\]-]*$/;
/** Below 10^15, so that sums of sizes stay exact. */
const DIGITS = /^\d{1,15}$/;
const QUERY = /^[\x21-\x7e]+$/;
const PATH = /^[\x21\x24-\x3b\x3d\x40-\x5b\x5d\x5f\x61-\x7a\x7e]+$/;
/** What nearly every request asks for: nothing encoded, no dots. */
const PLAIN_PATH = /^\/[A-Za-z0-9/:_~-]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const UNSAFE_DECODED = /[\x00-\x1f\x7f-\x9f\\]/;
