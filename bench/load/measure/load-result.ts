import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { LoadPlan } from '../plan/plan.ts';
import { newHistogram, type RowTally } from './recorder.ts';
import type { OwnLoad } from './self-watch.ts';
import type { WorkerResult } from './worker-result.ts';

/** In milliseconds. */
export interface Percentiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One row of the table: a kind of request, slow clients and continued uploads apart. */
export interface LoadRow {
  readonly name: string;
  /** Answered well, of those that were due in the measured time. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Of documents, sent or read. */
  readonly bytes: number;
  /** From when a request was due; undefined when none was answered. */
  readonly latencyMs: Percentiles | undefined;
  /** From when it was sent. */
  readonly serviceMs: Percentiles | undefined;
  /** How many failed, by what went wrong. */
  readonly faults: Readonly<Record<string, number>>;
}

/** What a run measured; --json writes it as it stands. */
export interface LoadResult {
  /** RFC 3339. */
  readonly startedAt: string;
  readonly plan: LoadPlan;
  /** A person ended it. */
  readonly wasInterrupted: boolean;
  /** Length of the measured time. */
  readonly seconds: number;
  readonly rows: readonly LoadRow[];
  readonly requests: number;
  readonly failures: number;
  readonly requestsPerSecond: number;
  /** All bytes that moved within the measured time, bodies sent and all that was received. */
  readonly sentBytesPerSecond: number;
  readonly receivedBytesPerSecond: number;
  /** Between due and sent: how long requests stood in line. */
  readonly waitMs: Percentiles | undefined;
  /** The longest line, of all workers together. */
  readonly queueMax: number;
  readonly due: number;
  readonly unfinished: number;
  readonly cut: number;
  readonly resumed: number;
  readonly verified: number;
  /** Of some faults, what the server said. */
  readonly explanations: readonly string[];
  readonly generator: Generator;
}

/** How the load generator itself fared. */
export interface Generator {
  readonly workers: readonly OwnLoad[];
  /** Sent later than planned although a connection was free. */
  readonly lateCount: number;
  /** Reasons why it may have been what held things up; none when it was not. */
  readonly bottlenecks: readonly string[];
}

/** Above this a worker may have no time left for an answer that has come. */
const CPU_SHARE_MAX = 0.8;
/** More than so many sent late, of those that were due, and the plan was not kept. */
const LATE_SHARE_MAX = 0.01;
/** Answers lay unread for so long, now and then: latencies are ours rather than the server's. */
const LAG_P99_MAX_MS = 50;

export function mergeResults(
  plan: LoadPlan,
  workers: readonly WorkerResult[],
  { startedAt, wasInterrupted }: { readonly startedAt: string; readonly wasInterrupted: boolean },
): LoadResult {
  const seconds = Math.max(...workers.map(({ windowMs }) => windowMs)) / 1000;
  const perSecond = (value: number) => (seconds === 0 ? 0 : value / seconds);
  const total = (value: (worker: WorkerResult) => number) => workers.reduce((sum, worker) => sum + value(worker), 0);
  const names = [...new Set(workers.flatMap(({ rows }) => Object.keys(rows)))].sort();
  const tallies = names.map((name) => workers.flatMap(({ rows }) => rows[name] ?? []));
  const rows = names.map((name, index) => mergeRow(name, tallies[index] ?? [], perSecond));
  const due = total((worker) => worker.due);
  return {
    startedAt,
    plan,
    wasInterrupted,
    seconds,
    rows,
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    failures: rows.reduce((sum, row) => sum + failuresOf(row), 0),
    requestsPerSecond: rows.reduce((sum, row) => sum + row.requestsPerSecond, 0),
    sentBytesPerSecond: perSecond(total(({ sent }) => sent)),
    receivedBytesPerSecond: perSecond(total(({ received }) => received)),
    waitMs: percentilesOf(workers.map(({ wait }) => wait)),
    queueMax: total(({ queueMax }) => queueMax),
    due,
    unfinished: total(({ unfinished }) => unfinished),
    cut: total(({ cut }) => cut),
    resumed: total(({ resumed }) => resumed),
    verified: total(({ verified }) => verified),
    explanations: [...new Set(workers.flatMap(({ explanations }) => explanations))],
    generator: judgeGenerator(workers, due),
  };
}

export function failuresOf({ faults }: Pick<LoadRow, 'faults'>): number {
  return Object.values(faults).reduce((sum, count) => sum + count, 0);
}

function mergeRow(name: string, tallies: readonly RowTally[], perSecond: (value: number) => number): LoadRow {
  const total = (value: (tally: RowTally) => number) => tallies.reduce((sum, tally) => sum + value(tally), 0);
  const faults: Record<string, number> = {};
  for (const tally of tallies)
    for (const [fault, count] of Object.entries(tally.faults)) faults[fault] = (faults[fault] ?? 0) + (count ?? 0);
  return {
    name,
    requests: total(({ requests }) => requests),
    requestsPerSecond: perSecond(total(({ inTime }) => inTime)),
    bytes: total(({ bytes }) => bytes),
    latencyMs: percentilesOf(tallies.map(({ latency }) => latency)),
    serviceMs: percentilesOf(tallies.map(({ service }) => service)),
    faults,
  };
}

/** Of histograms of microseconds, added up. */
function percentilesOf(encoded: readonly string[]): Percentiles | undefined {
  const sum = newHistogram();
  for (const text of encoded) sum.add(decodeFromCompressedBase64(text) as Histogram);
  if (sum.totalCount === 0) return undefined;
  const at = (percentile: number) => sum.getValueAtPercentile(percentile) / 1000;
  return { mean: sum.mean / 1000, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: sum.maxValue / 1000 };
}

function judgeGenerator(workers: readonly WorkerResult[], due: number): Generator {
  const lateCount = workers.reduce((sum, worker) => sum + worker.lateCount, 0);
  const busiest = Math.max(...workers.map(({ own }) => own.cpuShare));
  const bottlenecks: string[] = [];
  if (busiest > CPU_SHARE_MAX) bottlenecks.push(`a worker took ${Math.round(busiest * 100)} % of a core; give it more --workers`);
  if (lateCount > due * LATE_SHARE_MAX)
    bottlenecks.push(
      `${lateCount} of ${due} requests were sent later than planned; quiet this machine, give it more --workers or a lower --rate`,
    );
  const lag = Math.max(...workers.map(({ own }) => own.lagP99Ms));
  if (lag > LAG_P99_MAX_MS)
    bottlenecks.push(`a worker came to its work ${Math.round(lag)} ms late (p99); this machine has too much else to do`);
  return { workers: workers.map(({ own }) => own), lateCount, bottlenecks };
}
