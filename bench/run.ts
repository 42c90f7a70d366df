import { ArgumentFault, type BenchRun, chooseScenarios, RUNS_DEFAULT, readArguments } from './arguments.ts';
import { findEarlierBuild } from './harness/earlier-build.ts';
import { assertForResults, writeResults } from './harness/results-file.ts';
import { choosePeers, peerKinds } from './peers/all.ts';
import { runScenarios } from './run-scenarios.ts';
import { groups, scenarios } from './scenarios/all.ts';

const HELP = `npm run bench -- [SCENARIO…] [--peers LIST] [--runs N] [--dir DIR] [--out DIR] [--spine DIR]
npm run bench -- load …          drives one server, this machine's or another (load --help)
npm run bench -- quick           compares the headline figures with the committed ones (quick --help)

Measures Quasar beside native programs, nginx and, when asked, other servers, and writes docs/benchmarks/.

  SCENARIO     by name, the beginning of one, or a group; all when none is named
               ${scenarios.map(({ name }) => name).join(', ')}
               ${Object.entries(groups)
                 .map(([name, members]) => `${name}: ${members.join(', ')}`)
                 .join('\n               ')}
  --peers LIST all, none (default), or of ${peerKinds.map(({ name }) => name).join(',')}
  --runs N     how often each candidate is measured (${RUNS_DEFAULT})
  --dir DIR    a folder on the disk that is to be measured (data/ of the clone)
  --out DIR    where results and page go (docs/benchmarks/)
  --spine DIR  a built clone of the version before records, access and audit, beside which records and decisions are measured

Exits with 0, with 1 when something failed and is left out, with 2 when the command line cannot be understood.
`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ArgumentFault ? 2 : 1;
}

async function main(): Promise<number> {
  const command = readArguments(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      print(HELP);
      return 0;
    case 'load':
      return (await import('./load/main.ts')).load([...command.rest]);
    case 'quick':
      return (await import('./quick.ts')).quick(command.rest, print);
    case 'run':
      return bench(command);
  }
}

async function bench(wish: BenchRun): Promise<number> {
  const wanted = chooseScenarios(scenarios, groups, wish.scenarios);
  if (wish.out !== undefined) assertForResults(wish.out);
  const earlier = wish.spine === undefined ? undefined : await findEarlierBuild(wish.spine);
  const { kinds, versions, skipped } = await choose(wish.peers);
  for (const line of skipped) print(line);
  const order = scenarios.map(({ name }) => name);
  const said = new Set<string>();
  const { complete } = await runScenarios({
    scenarios: wanted,
    runs: wish.runs,
    peers: kinds,
    peerVersions: versions,
    dir: wish.dir,
    earlier,
    print,
    keep: async (results) => {
      for (const line of await writeResults(results, order, wish.out)) said.add(line);
    },
  });
  for (const line of said) print(line);
  print(`\nWritten: README.md and results.json in ${wish.out ?? 'docs/benchmarks'}`);
  return complete ? 0 : 1;
}

async function choose(list: string) {
  const names = list === 'all' ? list : list.split(',').filter((name) => name !== '' && name !== 'none');
  const known = peerKinds.map(({ name }) => name);
  const unknown = names === 'all' ? undefined : names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ArgumentFault(`no peer is called ${unknown}; there are ${known.join(', ')}`);
  return choosePeers(names);
}
