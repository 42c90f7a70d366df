import { parseArgs } from 'node:util';
import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { Command, FlagSpec } from './command.ts';

/** The flags of one command line, checked. Asking for a flag the command does not declare is our bug. */
export class Flags {
  readonly #specs: ReadonlyMap<string, FlagSpec>;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(specs: readonly FlagSpec[], values: Readonly<Record<string, unknown>>) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#values = values;
  }

  switch(name: string): boolean {
    this.#spec(name, 'switch');
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const spec = this.#spec(name, 'text');
    return (this.#values[name] ?? spec.default) as string | undefined;
  }

  /** Of a flag that may be given several times. */
  texts(name: string): readonly string[] {
    assert(this.#spec(name, 'text').many, `--${name} is declared as many`);
    return (this.#values[name] ?? []) as readonly string[];
  }

  count(name: string): number | undefined {
    const spec = this.#spec(name, 'count');
    const text = this.#values[name];
    return text === undefined ? (spec.default as number | undefined) : Number(text);
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  #spec(name: string, kind: FlagSpec['kind']): FlagSpec {
    const spec = this.#specs.get(name);
    assert(spec?.kind === kind, `--${name} is declared as a ${kind}`);
    return spec;
  }
}

export const helpFlag: FlagSpec = { name: 'help', short: 'h', kind: 'switch', description: 'Show this help.' };

/** @throws QuasarError `usage` whose message says in one line what is wrong. */
export function parseCommandLine(command: Command, args: readonly string[]): { args: string[]; flags: Flags } {
  const specs = [...command.flags, helpFlag];
  const { values, positionals } = parse(specs, args);
  const flags = new Flags(specs, values);
  if (flags.switch('help')) return { args: positionals, flags };
  for (const spec of command.flags) checkCount(spec, values[spec.name]);
  const { min, max } = command.argumentCount;
  if (positionals.length < min) throw usage(`${command.usage} is missing.`);
  if (positionals.length > max) throw usage(`"${positionals[max]}" is one argument too many.`);
  return { args: positionals, flags };
}

function parse(specs: readonly FlagSpec[], args: readonly string[]) {
  const options = Object.fromEntries(
    specs.map((spec) => [
      spec.name,
      {
        type: spec.kind === 'switch' ? ('boolean' as const) : ('string' as const),
        multiple: spec.many === true,
        ...(spec.short === undefined ? {} : { short: spec.short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: withNumbersAttached(specs, args), options, strict: true, allowPositionals: true });
  } catch (cause) {
    throw usage(explain(cause, specs), cause);
  }
}

/** `--range -100` is a flag and its value, not two flags. */
function withNumbersAttached(specs: readonly FlagSpec[], args: readonly string[]): string[] {
  const names = new Set(specs.filter(({ kind }) => kind !== 'switch').map(({ name }) => `--${name}`));
  const attached: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') return [...attached, ...args.slice(at)];
    const next = args[at + 1];
    const isValue = names.has(arg) && next !== undefined && /^-\d/.test(next);
    attached.push(isValue ? `${arg}=${next}` : arg);
    if (isValue) at += 1;
  }
  return attached;
}

function explain(cause: unknown, specs: readonly FlagSpec[]): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const unknown = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-[^']*)'/.exec(message)?.[1] : undefined;
  const unclear = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
  if (unclear !== undefined) return `${unclear} takes a value. Write one that begins with "-" as ${unclear}=VALUE.`;
  if (unknown === undefined) return `${message.split(/\.\s|\n/)[0]}.`.replace(/\.\.$/, '.');
  const meant = nearest(
    unknown.replace(/^-+/, ''),
    specs.map((spec) => spec.name),
  );
  return `There is no flag ${unknown}${meant === undefined ? '' : `; --${meant} is near`}.`;
}

function checkCount(spec: FlagSpec, text: unknown): void {
  if (spec.kind !== 'count' || text === undefined) return;
  const value = /^\d{1,15}$/.test(String(text)) ? Number(text) : -1;
  const { min = 1, max } = spec;
  if (value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER)) return;
  const bound = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  throw usage(`--${spec.name} takes a whole number ${bound}, not "${text}".`);
}

export function usage(message: string, cause?: unknown): QuasarError {
  return new QuasarError('usage', { op: 'cli.parse', message, cause });
}
