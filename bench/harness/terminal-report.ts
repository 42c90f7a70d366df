import type { ScenarioResult, Table } from './results.ts';
import { cellsOf, DURABILITY_HEAD, verdictText } from './table-text.ts';

export function printScenario({ name, title, tables }: ScenarioResult, print: (line: string) => void): void {
  print(`\n${name}: ${title}`);
  for (const table of tables) printTable(table, print);
}

function printTable(table: Table, print: (line: string) => void): void {
  print(`\n  ${table.title}`);
  if (table.rows.length > 0) for (const line of aligned(cellsOf(table), ['', DURABILITY_HEAD])) print(`    ${line}`);
  for (const verdict of table.verdicts) print(`    = ${verdictText(verdict)}`);
  for (const note of table.notes) print(`    ${note}`);
}

/** Columns of words, named by their heads, to the left and figures to the right. */
export function aligned(lines: readonly (readonly string[])[], words: readonly string[]): string[] {
  const [heads = []] = lines;
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return words.includes(heads[column] ?? '') ? cell.padEnd(width) : cell.padStart(width);
  };
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd());
}
