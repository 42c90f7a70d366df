import { figure } from '../harness/table-text.ts';
import { failuresOf, type LoadResult, type LoadRow, type Percentiles } from './measure/load-result.ts';
import type { LoadPlan } from './plan/plan.ts';
import { formatSizeSpread } from './plan/size-spread.ts';

/** What the command prints before a run, so that it can be done again. */
export function planText(plan: LoadPlan): string[] {
  const { loop, connections, workers, seed } = plan;
  const how =
    loop.kind === 'closed'
      ? `${connections} connections${loop.thinkMs === 0 ? '' : `, ${loop.thinkMs} ms of thinking`}`
      : `${loop.rate} requests a second (${loop.arrivals}) over at most ${connections} connections`;
  const mix = plan.mix.map(({ kind, weight }) => `${kind} ${weight}`).join(', ');
  const parts = [mix];
  if (plan.paths.length > 0) parts.push(`${plan.paths.length} documents that are there`);
  if (plan.paths.length === 0 || plan.mix.some(({ kind }) => kind === 'upload'))
    parts.push(`documents of ${formatSizeSpread(plan.size)}`);
  if (plan.mix.some(({ kind }) => kind === 'range')) parts.push(`ranges of ${formatSizeSpread(plan.rangeSize)}`);
  return [
    `${plan.driver} at ${plan.url}: ${parts.join('; ')}`,
    `${how}; ${workers} ${workers === 1 ? 'worker' : 'workers'}; seed ${seed}`,
  ];
}

/** The table and all that must be said beside it. */
export function resultText(result: LoadResult): string[] {
  const { requests, seconds, requestsPerSecond, sentBytesPerSecond, receivedBytesPerSecond, failures } = result;
  return [
    ...aligned([HEADS, ...result.rows.map(cellsOf)]).map((line) => `  ${line}`),
    '',
    `${requests.toLocaleString('en')} requests in ${figure(seconds)} s: ${figure(requestsPerSecond)}/s; ` +
      `${figure(sentBytesPerSecond / 1e6)} MB/s sent, ${figure(receivedBytesPerSecond / 1e6)} MB/s received`,
    ...queueText(result),
    ...countsText(result),
    failures === 0 ? 'no failures' : `${failures.toLocaleString('en')} failures: ${faultsText(result.rows)}`,
    ...result.explanations.map((line) => `  ${line}`),
    ...generatorText(result),
    ...(result.wasInterrupted ? ['interrupted: this is what was measured until then'] : []),
  ];
}

const HEADS = ['', 'requests', '/s', 'MB', 'p50 ms', 'p90', 'p99', 'p99.9', 'max', 'failures'];

function cellsOf(row: LoadRow): string[] {
  const { name, requests, requestsPerSecond, bytes, latencyMs } = row;
  return [
    name,
    requests.toLocaleString('en'),
    figure(requestsPerSecond),
    figure(bytes / 1e6),
    ...percentileCells(latencyMs),
    String(failuresOf(row)),
  ];
}

function percentileCells(times: Percentiles | undefined): string[] {
  if (times === undefined) return ['', '', '', '', ''];
  return [times.p50, times.p90, times.p99, times.p999, times.max].map(figure);
}

function queueText({ plan, waitMs, queueMax, due }: LoadResult): string[] {
  if (plan.loop.kind === 'closed' || waitMs === undefined) return [];
  return [
    `${due.toLocaleString('en')} were due; they waited to be sent ${figure(waitMs.p50)} ms (p50), ${figure(waitMs.p99)} ms (p99), ` +
      `${figure(waitMs.max)} ms at most; at most ${queueMax} at a time waited for a connection`,
  ];
}

function countsText({ unfinished, cut, resumed, verified, wasInterrupted }: LoadResult): string[] {
  const lines = [`${verified.toLocaleString('en')} bodies and digests compared`];
  if (cut > 0)
    lines.push(`${cut.toLocaleString('en')} cut as planned, ${resumed.toLocaleString('en')} of these continued to their end`);
  const howCounted = wasInterrupted ? 'they do not count' : 'they count with the time they had waited';
  if (unfinished > 0) lines.push(`${unfinished.toLocaleString('en')} not answered by the end; ${howCounted}`);
  return lines;
}

function faultsText(rows: readonly LoadRow[]): string {
  return rows
    .flatMap(({ name, faults }) => Object.entries(faults).map(([fault, count]) => `${name}: ${count} × ${fault}`))
    .join('; ');
}

function generatorText({ generator }: LoadResult): string[] {
  const { workers, bottlenecks } = generator;
  const cpu = Math.max(...workers.map(({ cpuShare }) => cpuShare));
  const lag = Math.max(...workers.map(({ lagP99Ms }) => lagP99Ms));
  const own = `load generator: busiest worker ${Math.round(cpu * 100)} % of a core, its timers late by ${figure(lag)} ms (p99)`;
  return [own, ...bottlenecks.map((reason) => `THE LOAD GENERATOR WAS THE BOTTLENECK: ${reason}`)];
}

/** Names to the left, figures to the right. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0));
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd());
}
