/** A header or trailer line as name, in lower case, and value; undefined when it is none (RFC 9112 section 5). */
export function readFieldLine(line: string): { readonly name: string; readonly value: string } | undefined {
  const colon = line.indexOf(':');
  const name = nameOf(line.slice(0, Math.max(0, colon)));
  if (name === undefined) return undefined;
  return { name, value: utf8(trimmed(line, colon + 1)) };
}

/** In lower case; undefined when it is no token. */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = text.toLowerCase();
  if (!TOKEN.test(name)) return undefined;
  if (names.size < NAMES_MAX && text.length <= NAME_MAX) names.set(text, name);
  return name;
}

/** Without spaces and tabs around it, and without any other character that a trim of the language would take. */
function trimmed(line: string, from: number): string {
  let at = from;
  let end = line.length;
  while (at < end && isBlank(line.charCodeAt(at))) at += 1;
  while (end > at && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(at, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Lines come as Latin-1, one character a byte; values are UTF-8. */
export function utf8(latin1: string): string {
  return ASCII.test(latin1) ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8');
}

/** As they were sent, those that came first: clients send the same few for ever. */
const names = new Map<string, string>();
const NAMES_MAX = 256;
const NAME_MAX = 40;

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is meant.
const ASCII = /^[\x00-\x7f]*$/;
