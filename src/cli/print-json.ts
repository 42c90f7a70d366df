import { printable, type Terminal } from './terminal.ts';

/** JSON for people: indented, a line at a time. */
export async function printIndentedJson(terminal: Terminal, value: unknown, indent: string): Promise<void> {
  for (const line of JSON.stringify(value, null, 2).split('\n')) await terminal.print(`${indent}${printable(line)}`);
}
