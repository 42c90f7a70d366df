import { QuasarError } from './errors.ts';
import { limits } from './limits.ts';

/**
 * The canonical text of a JSON value (RFC 8785): the same value has the same text, whoever writes it and in whatever
 * order its members came. Numbers are written as ECMAScript does, members sorted by UTF-16 code units, no white space.
 *
 * What JSON cannot hold is refused, never dropped: undefined (also as a member or in an array), NaN and infinities,
 * bigints, functions, symbols, halves of surrogate pairs, objects that are not plain (dates, maps, `toJSON`), and values
 * nested deeper than `limits.canonicalJsonDepthMax`, cycles among them.
 * @throws QuasarError `bad_body`; `details.pointer` is the JSON Pointer of what is refused.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

/** The canonical text in UTF-8: what is hashed and signed. Fresh memory. */
export function canonicalJsonBytes(value: unknown): Buffer {
  return Buffer.from(canonicalJson(value), 'utf8');
}

/** With the u flag a surrogate matches only where it is not part of a pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
/** Printable ASCII without quotation mark and backslash is written as it is: names, ids, times. */
const PLAIN = /^[ !#-[\]-~]*$/;

type Path = (string | number)[];

function write(value: unknown, path: Path): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, path);
    case 'number':
      if (!Number.isFinite(value)) refuse('This number is not finite.', path);
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (path.length >= limits.canonicalJsonDepthMax) refuse('This value is nested too deep.', path);
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path);
    default:
      return refuse(`JSON has no ${typeof value}.`, path);
  }
}

function writeString(text: string, path: Path): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) refuse('This text holds half of a surrogate pair.', path);
  return JSON.stringify(text);
}

function writeArray(items: readonly unknown[], path: Path): string {
  let text = '[';
  for (let index = 0; index < items.length; index++) {
    path.push(index);
    text += (index === 0 ? '' : ',') + write(items[index], path);
    path.pop();
  }
  return `${text}]`;
}

function writeObject(value: object, path: Path): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse('This object is not plain.', path);
  if (Object.getOwnPropertySymbols(value).length > 0) refuse('A member of this object has no name.', path);
  const members = value as Readonly<Record<string, unknown>>;
  let text = '{';
  // Sorting without a comparison function goes by UTF-16 code units, as the RFC wants.
  for (const name of Object.keys(members).sort()) {
    path.push(name);
    text += `${text === '{' ? '' : ','}${writeString(name, path)}:${write(members[name], path)}`;
    path.pop();
  }
  return `${text}}`;
}

function refuse(message: string, path: Path): never {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  throw new QuasarError('bad_body', {
    op: 'core.canonicalJson',
    message,
    details: { pointer: pointer.replace(LONE_SURROGATES, '\ufffd') },
  });
}
