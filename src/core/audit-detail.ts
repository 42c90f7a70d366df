/**
 * Makes members the detail of an event: absent ones are left out, texts of clients are cut, and lists keep the items that
 * fit, so that no change is refused because there is much to say about it. `<name>LeftOut` counts the items that do not fit.
 * Two texts and a list, or four texts, with a dozen ids and numbers stay within `limits.auditDetailMax`.
 */
export function auditDetail(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const detail: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    if (!Array.isArray(value)) {
      detail[name] = cut(value);
      continue;
    }
    const items = itemsThatFit(value);
    detail[name] = items;
    if (items.length < value.length) detail[`${name}LeftOut`] = value.length - items.length;
  }
  return detail;
}

/** Cut behind a whole character and marked with an ellipsis when it has more characters than `charactersMax`. */
export function shorten(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const characters = [...text];
  return characters.length <= charactersMax ? text : `${characters.slice(0, charactersMax - 1).join('')}…`;
}

function cut(value: unknown): unknown {
  return typeof value === 'string' ? cutText(value) : value;
}

function cutText(text: string): string {
  if (text.length * ESCAPED_SIZE_MAX <= TEXT_SIZE_MAX || sizeOf(text) <= TEXT_SIZE_MAX) return text;
  let kept = '';
  let size = sizeOf('…');
  for (const character of text) {
    size += sizeOf(character);
    if (size > TEXT_SIZE_MAX) break;
    kept += character;
  }
  return `${kept}…`;
}

function itemsThatFit(all: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  let size = 0;
  for (const item of all.map(cutMembers)) {
    size += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size > LIST_SIZE_MAX) break;
    items.push(item);
  }
  return items;
}

function cutMembers(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return cut(item);
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, cut(value)]));
}

/** Bytes between the quotes. */
function sizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

const TEXT_SIZE_MAX = 832;
const LIST_SIZE_MAX = 1536;
/** `\u0001`. */
const ESCAPED_SIZE_MAX = 6;
