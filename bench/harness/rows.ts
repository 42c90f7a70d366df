import { CLIENT_BOUND, type Durability, type Role, type Row, type Sample } from './results.ts';
import { median, medianOfKnown, sum } from './statistics.ts';

/** A sample with what the server's process tree took for it; undefined where there is no server. */
export interface Taken extends Sample {
  readonly cpuSeconds: number | undefined;
}

export interface RowHead {
  readonly name: string;
  readonly role: Role;
  readonly durability?: Durability;
}

export function toRow({ name, role, durability }: RowHead, taken: readonly Taken[]): Row {
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
    ...(durability === undefined ? {} : { durability }),
  };
}

/** Over all runs together: the kernel counts in steps of 10 ms, too coarse for one. */
function cpuSecondsPerGb(taken: readonly Taken[]): number | undefined {
  const bytes = sum(taken.map((sample) => sample.bytes ?? 0));
  if (bytes === 0 || taken.some(({ cpuSeconds }) => cpuSeconds === undefined)) return undefined;
  return sum(taken.map(({ cpuSeconds = 0 }) => cpuSeconds)) / (bytes / 1e9);
}

/** Gives `ofNull` to every row with a server; nothing where there is no null server in the table. */
export function withShareOfNull(rows: readonly Row[], smallerIsBetter: boolean): Row[] {
  const none = rows.find(({ role }) => role === 'null');
  if (none === undefined) return [...rows];
  return rows.map((row) => {
    if (row === none || row.cpuSecondsPerGb === undefined) return row;
    return { ...row, ofNull: smallerIsBetter ? none.median / row.median : row.median / none.median };
  });
}

/** One line for all of them: the column of shares says how near each came. */
export function clientBoundNotes(rows: readonly Row[]): string[] {
  const names = rows.filter(({ ofNull = 0 }) => ofNull > CLIENT_BOUND).map(({ candidate }) => candidate);
  if (names.length === 0) return [];
  return [`Client-bound, so that it says how fast the client is and nothing about the server: ${names.join('; ')}.`];
}
