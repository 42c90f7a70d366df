import { limits } from '../core/limits.ts';
import { unauthenticated } from './bearer-fault.ts';

/** The members of a header or a payload. A map, so that no name of a claim meets a prototype. */
export type JwtObject = ReadonlyMap<string, unknown>;

export interface JwtParts {
  readonly header: JwtObject;
  /** Not trusted before the signature is. */
  readonly payload: JwtObject;
}

/**
 * Takes a compact JWS apart, more strictly than RFC 7515 demands: base64url in its one canonical spelling, UTF-8, JSON
 * objects in which no name stands twice at any depth. Parsers that disagree on any of these read different tokens.
 * @throws QuasarError `unauthenticated` with `token_malformed`.
 */
export function splitJwt(token: string): JwtParts {
  const parts = token.split('.', 4);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw malformed('not three parts');
  }
  decode(signature, 'signature');
  return { header: parseObject(header, 'header'), payload: parseObject(payload, 'payload') };
}

function parseObject(part: string, what: string): JwtObject {
  const text = decodeUtf8(decode(part, what), what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the parser's own words, which quote what it read.
    throw malformed(`${what} is not JSON`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed(`${what} is not a JSON object`);
  checkMembers(text, what);
  return new Map(Object.entries(value));
}

function decode(part: string, what: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw malformed(`${what} is not canonical base64url`);
  return bytes;
}

function decodeUtf8(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(`${what} is not UTF-8`);
  }
}

/** Walks over text that is known to be JSON, so that strings and brackets are all there is to tell apart. */
function checkMembers(json: string, what: string): void {
  /** The names seen in each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  for (const [token, colon] of json.matchAll(STRING_OR_BRACKET)) {
    if (token === '}' || token === ']') open.pop();
    else if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (colon !== undefined) note(open.at(-1), JSON.parse(token.slice(0, -colon.length)), what);
    if (open.length > limits.tokenJsonDepthMax) throw malformed(`${what} is nested too deep`);
  }
}

function note(names: Set<string> | undefined, name: string, what: string): void {
  if (names?.has(name)) throw malformed(`${what} has a member twice`);
  names?.add(name);
}

function malformed(log: string): Error {
  return unauthenticated('token_malformed', { log });
}

/** A string that a colon follows is a name. */
const STRING_OR_BRACKET = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
