import { type Bound, CLIENT_BOUND, isWithin, type Row, type Table, type Unit, type Verdict } from './results.ts';

/** How figures read, on the terminal and in the page alike. */

/** A column of words, which stands to the left; figures stand to the right. */
export const DURABILITY_HEAD = 'synced before the reply';

/** Heads and rows, without the columns in which no row has anything. */
export function cellsOf(table: Table): string[][] {
  const heads = [
    '',
    `median ${table.unit}`,
    'min–max',
    'of null server',
    'CPU s/GB',
    'p50 ms',
    'p99 ms',
    'failures',
    DURABILITY_HEAD,
  ];
  const lines = table.rows.map(rowCells);
  const isUsed = (column: number) => lines.some((cells) => cells[column] !== '');
  return [heads, ...lines].map((cells) => cells.filter((_, column) => isUsed(column)));
}

function rowCells(row: Row): string[] {
  const { candidate, median, min, max, samples, cpuSecondsPerGb, p50Ms, p99Ms, failures } = row;
  const optional = (value: number | undefined) => (value === undefined ? '' : figure(value));
  return [
    candidate,
    figure(median),
    samples.length === 1 ? '' : `${figure(min)}–${figure(max)}`,
    shareOfNull(row),
    optional(cpuSecondsPerGb),
    optional(p50Ms),
    optional(p99Ms),
    String(failures),
    durabilityText(row),
  ];
}

function shareOfNull(row: Row): string {
  if (row.ofNull === undefined) return '';
  return `${isClientBound(row) ? 'client-bound ' : ''}${row.ofNull.toFixed(2)}`;
}

/** Empty for rows that are not about uploads. */
export function durabilityText({ durability }: Row): string {
  if (durability === undefined) return '';
  return durability.durable ? durability.words : `not durable: ${durability.words}`;
}

export function verdictText(verdict: Verdict): string {
  const { subject, unit, promise, aim } = verdict;
  const figures = unit === '×' ? `${verdictFigure(verdict)} ${subject}` : `${subject}: ${verdictFigure(verdict)}`;
  const goals = [
    ...(promise === undefined ? [] : [`promised ${boundText(promise)}`]),
    ...(aim === undefined ? [] : [`aim ${boundText(aim)}`]),
  ];
  return goals.length === 0 ? figures : `${figures}; ${goals.join(', ')}: ${judgement(verdict)}`;
}

/** In words; empty when nothing was promised or aimed at. */
export function judgement(verdict: Verdict): string {
  const { promise, aim, value } = verdict;
  const reached = aim !== undefined && isWithin(aim, value);
  if (promise === undefined) return aim === undefined ? '' : reached ? 'aim reached' : 'aim not reached';
  if (!isWithin(promise, value)) return 'missed';
  return reached ? 'kept, aim reached' : 'kept';
}

/** With its unit, and its spread where it has one. */
export function verdictFigure({ value, unit, min, max }: Verdict): string {
  const spread = min === undefined || max === undefined || min === max ? '' : ` (${figure(min)}–${figure(max)})`;
  return `${figure(value)} ${unit}${spread}`;
}

function boundText(bound: Bound): string {
  return 'atLeast' in bound ? `at least ${bound.atLeast}` : `at most ${bound.atMost}`;
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
  return unit === 'MB' || unit === 'µs' || unit === 'ms' || unit === 's';
}
