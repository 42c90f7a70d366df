import hocon from '@pushcorn/hocon-parser';
import { Tokenizer } from '@pushcorn/hocon-parser/lib/core/Tokenizer.js';
import { ConfigFault } from './config-fault.ts';
import { outlineOf } from './hocon-outline.ts';

export interface HoconEntry {
  readonly value: unknown;
  readonly line: number;
}

/**
 * Reads HOCON as operators know it: `key = value`, blocks, comments, `${?NAME}` from `env`. Keys come flat, joined with
 * dots; a key whose `${?NAME}` is not set is left out. docs/adr/0004-hocon-library.md tells what is not supported.
 * @throws ConfigFault with the line.
 */
export async function readHocon(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Map<string, HoconEntry>> {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    const outline = outlineOf(new Tokenizer().tokenize(source, true));
    const lines = new Map<string, number>();
    for (const { key, line, optional } of outline) {
      const before = lines.get(key);
      if (before !== undefined && !optional)
        throw new ConfigFault(`"${key}" is set twice, the first time in line ${before}`, line);
      lines.set(key, line);
    }
    const tree = await hocon.parse({ text: source, strict: true, env: false, scope: definedOnly(env) });
    return flatten(tree, lines);
  } catch (error) {
    throw error instanceof ConfigFault ? error : libraryFault(error);
  }
}

function flatten(tree: unknown, lines: ReadonlyMap<string, number>): Map<string, HoconEntry> {
  const entries = new Map<string, HoconEntry>();
  const visit = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      entries.set(path, { value, line: lines.get(path) ?? 1 });
      return;
    }
    for (const [name, inner] of Object.entries(value)) visit(inner, path === '' ? name : `${path}.${name}`);
  };
  if (tree !== undefined) visit(tree, '');
  return entries;
}

/** The library names the place inside its message: `… (Source: …, Token: { value: "c", line: 3, col: 2 })`. */
function libraryFault(error: unknown): ConfigFault {
  const text = error instanceof Error ? error.message : String(error);
  const line = /line: (\d+)/.exec(text)?.[1];
  const token = /Token: \{ value: "(.*?)", line/s.exec(text)?.[1];
  const sentence = text.replace(/\s*(\(Source: |Token: |\(line: |\(text: ).*$/s, '').replace(/[.!]$/, '');
  const near = token === undefined || token === '${' ? '' : ` near "${token}"`;
  return new ConfigFault(
    `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}${near}`,
    line === undefined ? undefined : Number(line),
    error,
  );
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
