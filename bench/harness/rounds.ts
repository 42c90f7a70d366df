import { runChild } from './children.ts';
import { cpuSecondsOf } from './process-tree.ts';
import type { Role, Row, Sample, Verdict } from './results.ts';
import { median, medianOfKnown, sum } from './statistics.ts';

export interface Candidate {
  readonly name: string;
  readonly role: Role;
  /** The server's process, for CPU time; absent where there is no server. */
  readonly pid?: () => number;
  /** Runs before each measurement, outside of it. */
  readonly prepare?: () => Promise<void>;
  readonly run: (round: number) => Promise<Sample>;
}

export interface RoundOptions {
  readonly runs: number;
  /** Whether the page cache or other fresh memory takes part. */
  readonly warms?: boolean;
  readonly progress: (line: string) => void;
}

interface Taken extends Sample {
  readonly cpuSeconds: number | undefined;
}

/**
 * Measures candidates in turn, each once a round, every round beginning with the next candidate, so that what drifts on
 * the machine meets them alike. Between two measurements the disk is left to settle.
 */
export async function measureInRounds(
  candidates: readonly Candidate[],
  { runs, warms = false, progress }: RoundOptions,
): Promise<Row[]> {
  const taken = candidates.map((): Taken[] => []);
  for (let round = 0; round < runs; round += 1) {
    if (warms) await warmMemory();
    for (let turn = 0; turn < candidates.length; turn += 1) {
      const index = (round + turn) % candidates.length;
      const candidate = candidates[index] as Candidate;
      progress(`round ${round + 1} of ${runs}: ${candidate.name}`);
      taken[index]?.push(await measureOnce(candidate, round));
    }
  }
  return candidates.map((candidate, index) => toRow(candidate, taken[index] ?? []));
}

async function measureOnce(candidate: Candidate, round: number): Promise<Taken> {
  await candidate.prepare?.();
  await settleDisk();
  const before = candidate.pid && cpuSecondsOf(candidate.pid());
  const sample = await candidate.run(round);
  const after = candidate.pid && cpuSecondsOf(candidate.pid());
  return { ...sample, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
}

function toRow({ name, role }: Candidate, taken: readonly Taken[]): Row {
  const samples = taken.map(({ value }) => value);
  const cpu = cpuSecondsPerGb(taken);
  const p50Ms = medianOfKnown(taken.map((sample) => sample.p50Ms));
  const p99Ms = medianOfKnown(taken.map((sample) => sample.p99Ms));
  return {
    candidate: name,
    role,
    samples,
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    ...(cpu === undefined ? {} : { cpuSecondsPerGb: cpu }),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p99Ms === undefined ? {} : { p99Ms }),
    failures: sum(taken.map(({ failures = 0 }) => failures)),
  };
}

/** Over all runs together: the kernel counts in steps of 10 ms, too coarse for one. */
function cpuSecondsPerGb(taken: readonly Taken[]): number | undefined {
  const bytes = sum(taken.map((sample) => sample.bytes ?? 0));
  if (bytes === 0 || taken.some(({ cpuSeconds }) => cpuSeconds === undefined)) return undefined;
  return sum(taken.map(({ cpuSeconds = 0 }) => cpuSeconds)) / (bytes / 1e9);
}

/**
 * Ours over another's, from the medians; the spread is that of the ratios within each round. Of several others the one
 * that is picked counts: the slower of two ceilings, the better of two settings of a peer.
 */
export function ratio(
  rows: readonly Row[],
  options: {
    readonly ours: string;
    readonly others: readonly string[];
    readonly pick: 'slowest' | 'fastest';
    readonly subject: string;
    readonly promise?: Verdict['promise'];
  },
): Verdict[] {
  const ours = rows.find(({ candidate }) => candidate === options.ours);
  const others = rows.filter(({ candidate }) => options.others.includes(candidate));
  if (ours === undefined || others.length === 0) return [];
  const direction = options.pick === 'slowest' ? 1 : -1;
  const other = others.reduce((best, row) => (direction * (row.median - best.median) < 0 ? row : best));
  const each = ours.samples.map((sample, round) => sample / (other.samples[round] ?? Number.NaN));
  return [
    {
      subject: `${options.subject} (${other.candidate})`,
      value: ours.median / other.median,
      min: Math.min(...each),
      max: Math.max(...each),
      unit: '×',
      ...(options.promise === undefined ? {} : { promise: options.promise }),
    },
  ];
}

/** A virtual machine's memory costs its first user dearly: touched here, so that no candidate pays for it. */
export async function warmMemory(): Promise<void> {
  await runChild('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=2147479552', 'count=1', 'status=none']);
}

/** Leaves no writes or discards of one candidate to the next. */
export async function settleDisk(): Promise<void> {
  await runChild('sync', []);
}
