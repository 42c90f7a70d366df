import { loadavg } from 'node:os';
import { join } from 'node:path';
import { systemClock, toTimestamp } from '../src/core/clock.ts';
import { Closer } from '../src/core/closer.ts';
import { stopAllChildren } from './harness/children.ts';
import type { EarlierBuild } from './harness/earlier-build.ts';
import type { PeerKind } from './harness/file-store.ts';
import { describeCommit, describeMachine, describeVersions } from './harness/machine.ts';
import { buildNativePrograms } from './harness/native-programs.ts';
import type { BenchResults, ScenarioResult } from './harness/results.ts';
import { warmMemory } from './harness/rounds.ts';
import type { Scenario, Stage } from './harness/stage.ts';
import { printScenario } from './harness/terminal-report.ts';
import { repository, roomNeeded, Workspace } from './harness/workspace.ts';

export interface RunWish {
  readonly scenarios: readonly Scenario[];
  readonly runs: number;
  readonly peers?: readonly PeerKind[];
  /** By the name of the peer. */
  readonly peerVersions?: Readonly<Record<string, string>>;
  readonly headlineOnly?: boolean;
  /** A folder on the disk that is to be measured; `data/` of the clone by default. */
  readonly dir?: string | undefined;
  readonly earlier?: EarlierBuild | undefined;
  readonly print: (line: string) => void;
  /** Called with each scenario as it is done: what was measured stays when the run is interrupted. */
  readonly keep?: (results: BenchResults) => Promise<void>;
}

export interface RunOutcome {
  readonly results: BenchResults;
  /** False when a scenario or a candidate failed; what the others showed is in the results all the same. */
  readonly complete: boolean;
}

/** Runs scenarios one after the other and prints each as it is done. Leaves neither servers nor files behind. */
export async function runScenarios(wish: RunWish): Promise<RunOutcome> {
  const { print, peers = [] } = wish;
  const workspace = new Workspace(wish.dir ?? join(repository, 'data'));
  const endOnSignal = () => void stopAllChildren().then(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endOnSignal);
  process.once('exit', () => workspace.remove());
  if (workspace.free < roomNeeded) throw new Error(`the benches need ${roomNeeded / 1e9} GB of disk; --dir names another`);
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > 0.5) print(`The machine is busy (load average ${loadBefore}): these figures will say little.`);

  const { canHash } = await buildNativePrograms();
  const versions = await describeVersions();
  const commit = await describeCommit();
  await warmMemory();
  let complete = true;
  const fail = (what: string, cause: unknown) => {
    complete = false;
    const reason = reasonOf(cause);
    print(`${what} failed: ${reason}`);
    return `${what} failed and is left out: ${reason.split('\n', 1)[0]}`;
  };
  const given = {
    runs: wish.runs,
    headlineOnly: wish.headlineOnly ?? false,
    workspace,
    canHash,
    has: { nginx: versions.nginx !== 'not installed' },
    peers,
    earlier: wish.earlier,
  };
  const surroundings = { machine: describeMachine(workspace.path), versions: { ...versions, ...wish.peerVersions } };
  const results: ScenarioResult[] = [];
  for (const scenario of wish.scenarios) {
    try {
      const result = { ...(await runScenario(scenario, given, fail, print)), commit };
      printScenario(result, print);
      results.push(result);
      await wish.keep?.({ ...surroundings, scenarios: [result] });
    } catch (error) {
      // The others are worth their time all the same.
      fail(scenario.name, error);
    }
  }
  return { results: { ...surroundings, scenarios: results }, complete };
}

async function runScenario(
  scenario: Scenario,
  given: Omit<Stage, 'closer' | 'closeAll' | 'progress' | 'lost'>,
  fail: (what: string, cause: unknown) => string,
  print: (line: string) => void,
): Promise<Omit<ScenarioResult, 'commit'>> {
  let closer = new Closer();
  const closeAll = async () => {
    const closing = closer;
    closer = new Closer();
    for (const fault of await closing.close()) print(`${fault.name} did not close: ${String(fault.cause)}`);
  };
  const stage: Stage = {
    ...given,
    closer: { push: (...step) => closer.push(...step) },
    closeAll,
    progress: (line) => void process.stderr.write(`${elapsed()} ${scenario.name}: ${line}\n`),
    lost: fail,
  };
  const measuredAt = toTimestamp(systemClock.now());
  try {
    const tables = await scenario.run(stage);
    return { name: scenario.name, title: scenario.title, runs: given.runs, measuredAt, load: loadavg()[0] ?? 0, tables };
  } finally {
    await closeAll();
  }
}

function elapsed(): string {
  return `${process.uptime().toFixed(0).padStart(4)} s`;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
