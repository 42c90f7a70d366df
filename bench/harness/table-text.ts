import { CLIENT_BOUND, isKept, type Row, type Table, type Unit, type Verdict } from './results.ts';

/** How figures read, on the terminal and in the page alike. */

/** Heads and rows, without the columns in which no row has anything. */
export function cellsOf(table: Table): string[][] {
  const heads = ['', `median ${table.unit}`, 'min–max', 'CPU s/GB', 'p50 ms', 'p99 ms', 'failures'];
  const lines = table.rows.map(rowCells);
  const isUsed = (column: number) => lines.some((cells) => cells[column] !== '');
  return [heads, ...lines].map((cells) => cells.filter((_, column) => isUsed(column)));
}

function rowCells({ candidate, median, min, max, cpuSecondsPerGb, p50Ms, p99Ms, failures }: Row): string[] {
  const optional = (value: number | undefined) => (value === undefined ? '' : figure(value));
  return [
    candidate,
    figure(median),
    `${figure(min)}–${figure(max)}`,
    optional(cpuSecondsPerGb),
    optional(p50Ms),
    optional(p99Ms),
    String(failures),
  ];
}

export function verdictText(verdict: Verdict): string {
  const { subject, value, unit, min, max, promise } = verdict;
  const spread = min === undefined || max === undefined ? '' : ` (${figure(min)}–${figure(max)})`;
  const figures = unit === '×' ? `${figure(value)} ×${spread} ${subject}` : `${subject}: ${figure(value)} ${unit}${spread}`;
  if (promise === undefined) return figures;
  const bound = 'atLeast' in promise ? `at least ${promise.atLeast}` : `at most ${promise.atMost}`;
  return `${figures}; promised ${bound}: ${isKept(verdict) ? 'kept' : 'missed'}`;
}

/** Three digits that mean something, and no more. */
export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** Whether the client, and not the server, set this figure. */
export function isClientBound({ ofNull }: Row): boolean {
  return ofNull !== undefined && ofNull > CLIENT_BOUND;
}

export function isLowerBetter(unit: Unit): boolean {
  return unit === 'MB' || unit === 'ms' || unit === 's';
}
