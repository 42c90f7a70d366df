import { parseArgs } from 'node:util';

/** What was typed behind `npm run bench --`. */
export type BenchCommand =
  | { readonly kind: 'help' }
  /** Programs of their own, which take the words behind theirs. */
  | { readonly kind: 'load' | 'quick'; readonly rest: readonly string[] }
  | BenchRun;

export interface BenchRun {
  readonly kind: 'run';
  /** Names, prefixes or groups of scenarios; none for all of them. */
  readonly scenarios: readonly string[];
  /** As it was typed: names with commas, `all` or `none`. */
  readonly peers: string;
  readonly runs: number;
  readonly dir?: string;
  readonly out?: string;
  /** A built clone of an earlier version. */
  readonly spine?: string;
}

/** The command line cannot be understood: one line that says why. */
export class ArgumentFault extends Error {
  override readonly name = 'ArgumentFault';
}

export const RUNS_DEFAULT = 5;

/** @throws ArgumentFault */
export function readArguments(words: readonly string[]): BenchCommand {
  const [first, ...rest] = words;
  if (first === 'load' || first === 'quick') return { kind: first, rest };
  const { values, positionals } = parse(words);
  if (values.help) return { kind: 'help' };
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new ArgumentFault(`--runs takes a whole number of at least 1, not ${values.runs}`);
  return {
    kind: 'run',
    scenarios: positionals,
    peers: values.peers,
    runs,
    ...(values.dir === undefined ? {} : { dir: values.dir }),
    ...(values.out === undefined ? {} : { out: values.out }),
    ...(values.spine === undefined ? {} : { spine: values.spine }),
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        peers: { type: 'string', default: 'none' },
        runs: { type: 'string', default: String(RUNS_DEFAULT) },
        dir: { type: 'string' },
        out: { type: 'string' },
        spine: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // The rest of Node's text is about positional arguments that begin with a dash.
    throw new ArgumentFault((error as Error).message.split('. ', 1)[0] as string);
  }
}

/**
 * What the names stand for, in the order of `known`: an exact name, a group, or the beginning of one name alone.
 * @throws ArgumentFault
 */
export function chooseScenarios<Named extends { readonly name: string }>(
  known: readonly Named[],
  groups: Readonly<Record<string, readonly string[]>>,
  names: readonly string[],
): readonly Named[] {
  if (names.length === 0) return known;
  const wanted = new Set(names.flatMap((name) => meant(known, groups, name)));
  return known.filter(({ name }) => wanted.has(name));
}

function meant(
  known: readonly { readonly name: string }[],
  groups: Readonly<Record<string, readonly string[]>>,
  name: string,
): readonly string[] {
  if (known.some((scenario) => scenario.name === name)) return [name];
  const group = Object.hasOwn(groups, name) ? groups[name] : undefined;
  if (group !== undefined) return group;
  const begun = known.map((scenario) => scenario.name).filter((full) => name !== '' && full.startsWith(name));
  if (begun.length > 1) throw new ArgumentFault(`${name} may be ${begun.join(', ')}`);
  if (begun.length === 1) return begun;
  const all = [...known.map((scenario) => scenario.name), ...Object.keys(groups)];
  throw new ArgumentFault(`no scenario is called ${name}; there are ${all.join(', ')}`);
}
