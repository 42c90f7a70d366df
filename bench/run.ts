import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock, toTimestamp } from '../src/core/clock.ts';
import { Closer } from '../src/core/closer.ts';
import { stopAllChildren } from './harness/children.ts';
import { describeCommit, describeMachine, describeVersions } from './harness/machine.ts';
import { buildNativePrograms } from './harness/native-programs.ts';
import type { ScenarioResult } from './harness/results.ts';
import { writeResults } from './harness/results-file.ts';
import { warmMemory } from './harness/rounds.ts';
import type { Scenario, Stage } from './harness/stage.ts';
import { printScenario } from './harness/terminal-report.ts';
import { repository, roomNeeded, Workspace } from './harness/workspace.ts';
import { download100mb } from './scenarios/download-100mb.ts';
import { fairness } from './scenarios/fairness.ts';
import { memory } from './scenarios/memory.ts';
import { ranges } from './scenarios/ranges.ts';
import { smallFiles } from './scenarios/small-files.ts';
import { start } from './scenarios/start.ts';
import { upload100mb } from './scenarios/upload-100mb.ts';

const scenarios: readonly Scenario[] = [upload100mb, download100mb, ranges, smallFiles, fairness, memory, start];
const RUNS_DEFAULT = 5;
const HELP = `npm run bench -- [--only NAME]… [--runs N] [--dir DIR]

Measures Quasar beside native programs and nginx, and writes docs/benchmarks/.

  --only NAME  this scenario only: ${scenarios.map(({ name }) => name).join(', ')}
  --runs N     how often each candidate is measured (${RUNS_DEFAULT})
  --dir DIR    a folder on the disk that is to be measured (data/ of the clone)
`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: String(RUNS_DEFAULT) },
    dir: { type: 'string', default: join(repository, 'data') },
    help: { type: 'boolean', default: false },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);

if (flags.help) print(HELP);
else await bench();

async function bench(): Promise<void> {
  const wanted = wantedScenarios(flags.only ?? []);
  const runs = Number(flags.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number of at least 1');
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > 0.5) print(`The machine is busy (load average ${loadBefore}): these figures will say little.`);
  const workspace = new Workspace(flags.dir);
  const endOnSignal = () => void stopAllChildren().then(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endOnSignal);
  process.once('exit', () => workspace.remove());
  if (workspace.free < roomNeeded) throw new Error(`the benches need ${roomNeeded / 1e9} GB of disk; --dir names another`);

  const { canHash } = await buildNativePrograms();
  const versions = await describeVersions();
  const installed = (name: string) => versions[name] !== 'not installed';
  const commit = await describeCommit();
  await warmMemory();

  const results: ScenarioResult[] = [];
  const has = { nginx: installed('nginx'), wrk: installed('wrk') };
  for (const scenario of wanted) {
    try {
      const result = { ...(await runScenario(scenario, { runs, workspace, canHash, has, peers: [] })), commit };
      printScenario(result, print);
      results.push(result);
    } catch (error) {
      // The others are worth their time all the same.
      print(`\n${scenario.name} failed: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  writeResults(
    { machine: describeMachine(workspace.path), versions, scenarios: results },
    scenarios.map(({ name }) => name),
  );
  print('\nWritten: docs/benchmarks/README.md and docs/benchmarks/results.json');
}

function elapsed(): string {
  return `${process.uptime().toFixed(0).padStart(4)} s`;
}

async function runScenario(
  scenario: Scenario,
  given: Omit<Stage, 'closer' | 'closeAll' | 'progress'>,
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
  };
  const measuredAt = toTimestamp(systemClock.now());
  try {
    const tables = await scenario.run(stage);
    return { name: scenario.name, title: scenario.title, runs: given.runs, measuredAt, load: loadavg()[0] ?? 0, tables };
  } finally {
    await closeAll();
  }
}

function wantedScenarios(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}\n\n${HELP}`);
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));
}
