import type { ScenarioResult, Table } from './results.ts';
import { cellsOf, verdictText } from './table-text.ts';

export function printScenario({ name, title, tables }: ScenarioResult, print: (line: string) => void): void {
  print(`\n${name}: ${title}`);
  for (const table of tables) printTable(table, print);
}

function printTable(table: Table, print: (line: string) => void): void {
  print(`\n  ${table.title}`);
  if (table.rows.length > 0) for (const line of aligned(cellsOf(table))) print(`    ${line}`);
  for (const verdict of table.verdicts) print(`    = ${verdictText(verdict)}`);
  for (const note of table.notes) print(`    ${note}`);
}

/** Names to the left, figures to the right. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0));
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd());
}
