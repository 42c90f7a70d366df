import { isDeepStrictEqual, parseArgs } from 'node:util';
import { ArgumentFault } from './arguments.ts';
import { compareRatios, type Movement, renderMoves } from './harness/compare.ts';
import type { BenchResults } from './harness/results.ts';
import { readResults } from './harness/results-file.ts';
import { runScenarios } from './run-scenarios.ts';
import { groups, scenarios } from './scenarios/all.ts';

const RUNS_DEFAULT = 3;
const HELP = `npm run bench:quick -- [--runs N] [--dir DIR]

Measures the headline rows beside nginx and the ceilings, and compares their ratios with docs/benchmarks/results.json.
Writes nothing there.

  --runs N   how often each candidate is measured (${RUNS_DEFAULT})
  --dir DIR  a folder on the disk that is to be measured (data/ of the clone)

Exits with 0, with 1 when a ratio got worse by more than both spreads or could not be measured, with 2 when the command
line cannot be understood.
`;

/**
 * Resolves with the exit code.
 * @throws ArgumentFault
 */
export async function quick(words: readonly string[], print: (line: string) => void): Promise<number> {
  const wish = readWish(words);
  if (wish === undefined) {
    print(HELP);
    return 0;
  }
  const before = readResults();
  if (before === undefined) throw new Error('there is no docs/benchmarks/results.json to compare with; npm run bench makes one');
  const wanted = scenarios.filter(({ name }) => groups.headline?.includes(name));
  const { results, complete } = await runScenarios({ ...wish, scenarios: wanted, headlineOnly: true, print });
  return report(before, results, print) && complete ? 0 : 1;
}

/** Undefined when help is wanted. */
function readWish(words: readonly string[]): { readonly runs: number; readonly dir: string | undefined } | undefined {
  const { runs, dir, help } = parse(words);
  if (help) return undefined;
  const count = Number(runs);
  if (!Number.isInteger(count) || count < 1) throw new ArgumentFault(`--runs takes a whole number of at least 1, not ${runs}`);
  return { runs: count, dir };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        runs: { type: 'string', default: String(RUNS_DEFAULT) },
        dir: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new ArgumentFault((error as Error).message.split('. ', 1)[0] as string);
  }
}

/** Prints what moved, and returns whether all is well. */
function report(before: BenchResults, now: BenchResults, print: (line: string) => void): boolean {
  const moves = compareRatios(before.scenarios, now.scenarios);
  const count = (movement: Movement) => moves.filter((move) => move.movement === movement).length;
  const measured = before.scenarios.map(({ name, measuredAt, commit }) => `${name} of ${measuredAt.slice(0, 10)} at ${commit}`);
  const compared = now.scenarios.map(({ name }) => measured.find((text) => text.startsWith(`${name} of `)) ?? `${name}, never`);
  print(`\nCompared with results.json: ${compared.join('; ')}.`);
  if (!isDeepStrictEqual(before.machine, now.machine)) {
    print(`Those are of another machine (${Object.values(before.machine).join(', ')}).`);
    print('Only ratios are compared, and they too differ from machine to machine.');
  }
  print('');
  for (const line of renderMoves(moves)) print(line);
  print('\nA ratio has moved when its two spreads, from the least to the most of their rounds, have nothing in common.');
  print(
    `${count('worse')} worse, ${count('better')} better, ${count('within')} within their spread, ${count('new')} not measured before.`,
  );
  const comparable = moves.length - count('new');
  if (comparable === 0) print('Nothing could be compared.');
  return count('worse') === 0 && comparable > 0;
}
