import { toUSVString } from 'node:util';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { isForbiddenName } from './forbidden-names.ts';
import { formatPointer } from './json-pointer.ts';
import { JsonScanner } from './json-scanner.ts';
import type { JsonValue } from './json-value.ts';

/** What a text may hold at most. The defaults are those of metadata, in `limits`. */
export interface JsonBounds {
  /** Bytes of the text as UTF-8. */
  readonly size: number;
  /** Arrays and objects within each other. */
  readonly depth: number;
  /** Members of all objects and items of all arrays together. */
  readonly keys: number;
  /** UTF-16 units of one string or name. */
  readonly string: number;
}

export const metadataBounds: JsonBounds = {
  size: limits.metadataSizeMax,
  depth: limits.jsonDepthMax,
  keys: limits.jsonKeysMax,
  string: limits.jsonStringMax,
};

/**
 * Parses untrusted JSON (RFC 8259, as narrow as I-JSON) in one pass without recursion, so that there is one reading of it:
 * refused are duplicate names, `__proto__`, `constructor` and `prototype` as names, lone surrogates, U+0000, numbers whose size
 * is beyond 2^53-1 or so small that they would become 0, invalid UTF-8, a byte order mark, and anything after the value.
 * A fraction is rounded to the nearest double as in every reader; -0 becomes 0, as canonical JSON writes it.
 * Errors name the place as a JSON Pointer in `details.path` and the UTF-16 unit in `details.at`.
 * @throws QuasarError `bad_body`; `body_too_large` for more bytes, `metadata_too_large` for more of the rest than the bounds say.
 */
export function parseStrictJson(source: string | Uint8Array, bounds: JsonBounds = metadataBounds): JsonValue {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  if (size > bounds.size) throw new QuasarError('body_too_large', { op, details: { sizeMax: bounds.size } });
  return new StrictParser(typeof source === 'string' ? source : decodeUtf8(source), bounds).parse();
}

/** An array or object that is not closed yet. `name` is where in it the parser stands, undefined before a member's name is read. */
type Open = { readonly array: JsonValue[]; name: number } | OpenObject;

interface OpenObject {
  readonly object: Record<string, JsonValue>;
  name: string | undefined;
}

class StrictParser {
  readonly #scanner: JsonScanner;
  readonly #bounds: JsonBounds;
  readonly #open: Open[] = [];
  #keys = 0;

  constructor(text: string, bounds: JsonBounds) {
    this.#bounds = bounds;
    this.#scanner = new JsonScanner(text, bounds.string, (fault) => this.#fault(fault));
  }

  parse(): JsonValue {
    let value = this.#begin();
    for (;;) {
      // Undefined: an array or object was opened, and its first value comes next.
      while (value === undefined) value = this.#begin();
      const parent = this.#open.at(-1);
      if (parent === undefined) break;
      value = this.#place(parent, value);
    }
    if (!this.#scanner.ended) throw this.#fault('has something after its end');
    return value;
  }

  /** The next scalar or empty array or object; undefined when one with content was opened. */
  #begin(): JsonValue | undefined {
    if (this.#scanner.take('{')) {
      this.#enter({ object: {}, name: undefined });
      if (this.#scanner.take('}')) return this.#leave();
      return this.#member();
    }
    if (this.#scanner.take('[')) {
      this.#enter({ array: [], name: 0 });
      if (this.#scanner.take(']')) return this.#leave();
      return this.#count();
    }
    return this.#scanner.scalar();
  }

  /** Puts a finished value into what it belongs to. Returns that when it ends here, undefined when more follows. */
  #place(parent: Open, value: JsonValue): JsonValue | undefined {
    if ('array' in parent) {
      parent.array.push(value);
      if (this.#scanner.take(']')) return this.#leave();
      if (!this.#scanner.take(',')) throw this.#fault('lacks a "," or "]"');
      parent.name += 1;
      return this.#count();
    }
    parent.object[parent.name as string] = value;
    if (this.#scanner.take('}')) return this.#leave();
    if (!this.#scanner.take(',')) throw this.#fault('lacks a "," or "}"');
    return this.#member();
  }

  #member(): undefined {
    const parent = this.#open.at(-1) as OpenObject;
    parent.name = undefined;
    const name = this.#scanner.name();
    parent.name = name;
    if (isForbiddenName(name)) throw this.#fault('has a name that no object may have');
    if (Object.hasOwn(parent.object, name)) throw this.#fault('is there twice');
    if (!this.#scanner.take(':')) throw this.#fault('lacks a ":" after its name');
    return this.#count();
  }

  #count(): undefined {
    this.#keys += 1;
    if (this.#keys > this.#bounds.keys) throw this.#tooMuch(`more than ${this.#bounds.keys} members and items`);
  }

  #enter(open: Open): void {
    if (this.#open.length === this.#bounds.depth) throw this.#tooMuch(`more than ${this.#bounds.depth} levels`);
    this.#open.push(open);
  }

  #leave(): JsonValue {
    const open = this.#open.pop() as Open;
    return 'array' in open ? open.array : open.object;
  }

  #fault(reason: string): QuasarError {
    const path = this.#path();
    const message = `${path === '' ? 'The JSON text' : `The JSON at ${path}`} ${reason}.`;
    return new QuasarError('bad_body', { op, message, details: { path, at: this.#scanner.at } });
  }

  #tooMuch(what: string): QuasarError {
    const message = `The JSON text has ${what}.`;
    return new QuasarError('metadata_too_large', { op, message, details: { path: this.#path(), at: this.#scanner.at } });
  }

  /** A pointer of a hostile text may be long: what is cut off would not help to find the place. */
  #path(): string {
    const path = formatPointer(this.#open.slice(0, limits.jsonDepthMax).flatMap((open) => open.name ?? []));
    return toUSVString(path.slice(0, limits.jsonPointerMax));
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new QuasarError('bad_body', { op, message: 'The JSON text is not valid UTF-8.', cause, details: { path: '' } });
  }
}

const op = 'metadata.parseJson';
