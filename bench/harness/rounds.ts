import { runChild } from './children.ts';
import { cpuSecondsOf } from './process-tree.ts';
import type { Durability, Role, Row, Sample } from './results.ts';
import { clientBoundNotes, type Taken, toRow, withShareOfNull } from './rows.ts';
import type { Stage } from './stage.ts';

export interface Candidate {
  readonly name: string;
  readonly role: Role;
  readonly durability?: Durability;
  /** The server's process, for CPU time; absent where there is no server. */
  readonly pid?: () => number;
  /** Runs before each measurement, outside of it. */
  readonly prepare?: () => Promise<void>;
  readonly run: (round: number) => Promise<Sample>;
  /** Runs after each measurement, outside of it. */
  readonly finish?: () => Promise<void>;
}

export interface RoundOptions {
  readonly runs: number;
  /** `rotating` unless one candidate needs what the one before it left behind. */
  readonly order?: 'rotating' | 'given';
  /** Where the page cache or other fresh memory takes part: touched once a round, or twice before each candidate. */
  readonly warms?: 'rounds' | 'candidates';
  /** Of latencies, sizes and times. */
  readonly smallerIsBetter?: boolean;
  /** Runs right before each measurement; by default the disk is left to settle. */
  readonly settle?: () => Promise<void>;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** Who was left out and why, and who was held up by the client. */
  readonly notes: readonly string[];
}

/**
 * Measures candidates in turn, each once a round, every round beginning with the next candidate, so that what drifts on
 * the machine meets them alike. A candidate that fails is left out from then on, with all it had shown.
 */
export async function measureInRounds(
  stage: Pick<Stage, 'progress' | 'lost'>,
  candidates: readonly Candidate[],
  options: RoundOptions,
): Promise<Measured> {
  const taken = new Map(candidates.map((candidate) => [candidate, [] as Taken[]]));
  const notes: string[] = [];
  for (let round = 0; round < options.runs; round += 1) {
    if (options.warms === 'rounds') await warmMemory();
    for (const candidate of inTurn(candidates, round, options.order ?? 'rotating')) {
      const samples = taken.get(candidate);
      if (samples === undefined) continue;
      stage.progress(`round ${round + 1} of ${options.runs}: ${candidate.name}`);
      try {
        samples.push(await measureOnce(candidate, round, options));
      } catch (cause) {
        taken.delete(candidate);
        notes.push(stage.lost(candidate.name, cause));
      }
    }
  }
  const rows = withShareOfNull(
    [...taken].map(([candidate, samples]) => toRow(candidate, samples)),
    options.smallerIsBetter ?? false,
  );
  return { rows, notes: [...notes, ...clientBoundNotes(rows)] };
}

function inTurn(candidates: readonly Candidate[], round: number, order: 'rotating' | 'given'): Candidate[] {
  const first = order === 'given' ? 0 : round % candidates.length;
  return [...candidates.slice(first), ...candidates.slice(0, first)];
}

async function measureOnce(candidate: Candidate, round: number, { warms, settle = settleDisk }: RoundOptions): Promise<Taken> {
  await candidate.prepare?.();
  // Twice: the first touch makes the host back the pages, the second shows that it has.
  for (let times = 0; warms === 'candidates' && times < 2; times += 1) await warmMemory();
  await settle();
  const before = candidate.pid && cpuSecondsOf(candidate.pid());
  const sample = await candidate.run(round);
  const after = candidate.pid && cpuSecondsOf(candidate.pid());
  await candidate.finish?.();
  return { ...sample, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
}

/** A virtual machine's memory costs its first user dearly: touched here, so that no candidate pays for it. */
export async function warmMemory(): Promise<void> {
  await runChild('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=2147479552', 'count=1', 'status=none']);
}

/** Leaves no writes or discards of one candidate to the next. */
export async function settleDisk(): Promise<void> {
  await runChild('sync', []);
}
