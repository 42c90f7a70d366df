const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/gy;
const TEXT = /[^<]+/gy;
const LOOSE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i;

/** Says why a text is no well-formed XML (of the simple kind that drawings are); undefined when it is. */
export function xmlFault(text: string): string | undefined {
  const open: string[] = [];
  let at = 0;
  const next = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at += match?.[0].length ?? 0;
    return match;
  };
  while (at < text.length) {
    const start = at;
    const match = next(TOKEN) ?? next(TEXT);
    if (match === null) return `no tag at ${start}: ${text.slice(start, start + 40)}`;
    if (LOOSE_AMPERSAND.test(match[0])) return `a loose & in ${match[0]}`;
    const [, closed, opened, , empty] = match;
    if (closed !== undefined && open.pop() !== closed) return `</${closed}> at ${start} closes nothing`;
    if (opened !== undefined && empty === '') open.push(opened);
  }
  return open.length === 0 ? undefined : `<${open.at(-1)}> is not closed`;
}
