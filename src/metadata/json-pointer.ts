import { limits } from '../core/limits.ts';
import { isForbiddenName } from './forbidden-names.ts';
import { TextFault } from './text-fault.ts';

/** The names and indexes of a JSON Pointer (RFC 6901), unescaped. The empty list is the whole value. */
export type PointerPath = readonly string[];

/** Returns what is wrong with the text, as the end of a sentence, instead of throwing: the caller knows whose pointer it is. */
export function parsePointer(text: string): PointerPath | TextFault {
  if (text.length > limits.jsonPointerMax) return new TextFault(`is longer than ${limits.jsonPointerMax} characters`);
  if (text === '') return [];
  if (!text.startsWith('/')) return new TextFault('does not begin with "/"');
  if (/~(?![01])/.test(text)) return new TextFault('has a "~" that is neither "~0" nor "~1"');
  const path = text.slice(1).split('/').map(unescapeName);
  const forbidden = path.find(isForbiddenName);
  return forbidden === undefined ? path : new TextFault(`names the member "${forbidden}", which no metadata has`);
}

export function formatPointer(path: readonly (string | number)[]): string {
  return path.map((name) => `/${escapeName(String(name))}`).join('');
}

/** "~1" before "~0": the other way round "~01" would become "/" . */
function unescapeName(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}

function escapeName(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
