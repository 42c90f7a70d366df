/** What a run of the benches produces; `docs/benchmarks/results.json` holds it as it stands here. */

export type Unit = 'MB/s' | 'requests/s' | 'files/s' | 'MB' | 'µs' | 'ms' | 's';

/** One run of one candidate. */
export interface Sample {
  readonly value: number;
  /** Bytes that went through, for CPU time a gigabyte. */
  readonly bytes?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Answers that were not 2xx, and connections that broke off. */
  readonly failures?: number;
}

/**
 * What a candidate is: ours, the machine's own limit in native code, another program, or the native server that sends or
 * swallows the same bytes and does nothing else: how fast the client could be at all.
 */
export type Role = 'quasar' | 'ceiling' | 'peer' | 'null';

/** What a program has done for an upload when it answers, as far as its source says. */
export interface Durability {
  /** Whether everything it needs to serve the file after a power failure was synced. */
  readonly durable: boolean;
  /** A few words for the table: `data and names synced`, `nothing synced`. */
  readonly words: string;
}

export interface Row {
  readonly candidate: string;
  readonly role: Role;
  /** In the order they were taken. */
  readonly samples: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** User and system time of the server's process tree, over all runs; absent where there is no server. */
  readonly cpuSecondsPerGb?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly failures: number;
  /** Of rows about uploads. */
  readonly durability?: Durability;
  /** Its median over that of the null server in the same table. Above `CLIENT_BOUND` the row proves nothing. */
  readonly ofNull?: number;
}

/** A candidate this near to the null server is held up by the client. */
export const CLIENT_BOUND = 0.8;

/** One figure of ours against what DESIGN promises for it. */
export interface Verdict {
  readonly subject: string;
  readonly value: number;
  /** Of the same figure, run by run; absent where there is one run or one figure of all. */
  readonly min?: number;
  readonly max?: number;
  readonly unit: Unit | '×';
  readonly promise?: Bound;
  /** What we want to reach beyond the promise. */
  readonly aim?: Bound;
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

export interface Table {
  readonly title: string;
  readonly unit: Unit;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly runs: number;
  /** RFC 3339. */
  readonly measuredAt: string;
  readonly commit: string;
  /** Load average of the last minute, at the end: far more than two a core means that others used the machine. */
  readonly load: number;
  /** Of what took part; in the results file, where scenarios may be of different runs. */
  readonly versions?: Readonly<Record<string, string>>;
  readonly tables: readonly Table[];
}

export interface BenchResults {
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly scenarios: readonly ScenarioResult[];
}

/** Undefined when nothing was promised. */
export function isKept({ promise, value }: Verdict): boolean | undefined {
  return promise === undefined ? undefined : isWithin(promise, value);
}

export function isWithin(bound: Bound, value: number): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
}
