import { parseNetworks } from './ip-address.ts';
import { isJwksAddress } from './jwks-address.ts';
import { isListenHost } from './listen-host.ts';
import { Secret } from './secret.ts';

/** One key of the config contract: how a value is read, and what people are told about it. */
export interface Key<Value> {
  readonly kind: string;
  /** What a value must be, as the end of the sentence "http.port must be …". */
  readonly expected: string;
  readonly description: string;
  /** Absent: the key may be left out and then has no value. */
  readonly default: Value | undefined;
  /** What the example file shows where there is no default. */
  readonly example?: string;
  /** A wrong value is not repeated to anyone: it could be a secret in the wrong place. */
  readonly confidential?: true;
  /** Undefined when the value is not what it must be. */
  read(value: unknown): Value | undefined;
  /** As an operator would write it; secrets as `[redacted]`. */
  show(value: Value): string;
}

interface About<Value> {
  readonly description: string;
  readonly default: Value;
}

/** Of a key that may be left out. */
interface AboutOptional {
  readonly description: string;
  readonly example: string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

const MIB = 1024 ** 2;
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: MIB, GiB: 1024 ** 3, TiB: 1024 ** 4 };
const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

export function integer(about: About<number> & Bounds): Key<number> {
  return {
    ...about,
    kind: 'integer',
    expected: `a whole number from ${about.min} to ${about.max}`,
    read: (value) => within(readNumber(value, /^\d+$/), about),
    show: String,
  };
}

export function ratio(about: About<number> & Bounds): Key<number> {
  return {
    ...about,
    kind: 'ratio',
    expected: `a number from ${about.min} to ${about.max}`,
    read: (value) => within(readNumber(value, /^\d+(\.\d+)?$/), about),
    show: String,
  };
}

/** Bytes. Written with a binary unit, so that nobody has to guess whether 1 MB is 1,000,000. */
export function size(about: About<number> & Bounds & { readonly multipleOf?: number }): Key<number> {
  const multiple = about.multipleOf ?? 1;
  const also = multiple === 1 ? '' : `, a multiple of ${showUnit(multiple, SIZE_UNITS)}`;
  return {
    ...about,
    kind: 'size',
    expected: `a size like 256MiB (B, KiB, MiB, GiB, TiB), from ${showUnit(about.min, SIZE_UNITS)} to ${showUnit(about.max, SIZE_UNITS)}${also}`,
    read(value) {
      const bytes = within(readUnit(value, SIZE_UNITS), about);
      return bytes !== undefined && bytes % multiple === 0 ? bytes : undefined;
    },
    show: (value) => showUnit(value, SIZE_UNITS),
  };
}

/** Milliseconds. */
export function duration(about: About<number> & Bounds): Key<number> {
  return {
    ...about,
    kind: 'duration',
    expected: `a duration like 30s (ms, s, min, h, d), from ${showUnit(about.min, DURATION_UNITS)} to ${showUnit(about.max, DURATION_UNITS)}`,
    read: (value) => within(readUnit(value, DURATION_UNITS), about),
    show: (value) => showUnit(value, DURATION_UNITS),
  };
}

export function port(about: About<number>): Key<number> {
  return {
    ...about,
    kind: 'port',
    expected: 'a port from 0 (any free one) to 65535',
    read: (value) => within(readNumber(value, /^\d+$/), { min: 0, max: 65_535 }),
    show: String,
  };
}

export function oneOf<const Word extends string>(words: readonly Word[], about: About<NoInfer<Word>>): Key<Word> {
  return {
    ...about,
    kind: 'word',
    expected: words.length === 2 ? `${words[0]} or ${words[1]}` : `one of ${words.join(', ')}`,
    read: (value) => words.find((word) => word === value),
    show: (value) => value,
  };
}

export function toggle(about: About<boolean> & { readonly confidential?: true }): Key<boolean> {
  return {
    ...about,
    kind: 'toggle',
    expected: 'true or false',
    // Text is what an environment variable gives.
    read: (value) => (value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined),
    show: String,
  };
}

/** Some of the words, in their own order. Written with spaces between them. */
export function someOf<const Word extends string>(
  words: readonly Word[],
  about: About<readonly NoInfer<Word>[]>,
): Key<readonly Word[]> {
  return {
    ...about,
    kind: 'words',
    expected: `one or more of ${words.join(', ')}, in quotes`,
    read(value) {
      const given = typeof value === 'string' ? value.split(/[ ,]+/).filter((word) => word !== '') : [];
      const known = words.filter((word) => given.includes(word));
      return known.length > 0 && known.length === given.length ? known : undefined;
    },
    show: (value) => value.join(' '),
  };
}

export function host(about: About<string>): Key<string> {
  return {
    ...about,
    kind: 'host',
    expected: 'an IP address of this machine (0.0.0.0 or :: for all), or localhost',
    read: (value) => (typeof value === 'string' && isListenHost(value) ? value : undefined),
    show: (value) => value,
  };
}

/** Written with spaces or commas between them. */
export function networks(about: AboutOptional): Key<readonly string[] | undefined> {
  return {
    ...about,
    kind: 'networks',
    default: undefined,
    expected: `addresses or networks like "${about.example}", in quotes`,
    read(value) {
      const given = typeof value === 'string' ? value.split(/[ ,]+/).filter((part) => part !== '') : [];
      return given.length > 0 && parseNetworks(given) !== undefined ? given : undefined;
    },
    show: (value) => value?.join(' ') ?? '',
  };
}

export function path(about: About<string>): Key<string> {
  return { ...about, ...pathForm };
}

export function optionalPath(about: AboutOptional): Key<string | undefined> {
  return { ...about, ...pathForm, default: undefined };
}

export function text(about: About<string>): Key<string> {
  return { ...about, ...textForm };
}

export function optionalText(about: AboutOptional): Key<string | undefined> {
  return { ...about, ...textForm, default: undefined };
}

/** Of a JWK set. */
export function jwksUrl(about: AboutOptional): Key<string | undefined> {
  return {
    ...about,
    kind: 'url',
    default: undefined,
    confidential: true,
    expected: `an https address like "${about.example}", in quotes, or http on this machine, without user name and password`,
    read: (value) => (typeof value === 'string' && isJwksAddress(value) ? value : undefined),
    show: String,
  };
}

/** A database address. It usually holds a password. */
export function databaseUrl(about: { readonly description: string }): Key<Secret> {
  return {
    ...about,
    kind: 'url',
    default: undefined,
    example: 'postgres://quasar_app:password@127.0.0.1:5432/quasar',
    confidential: true,
    expected: 'an address like "postgres://user:password@host:5432/database", in quotes',
    read: (value) => (typeof value === 'string' && isDatabaseUrl(value) ? new Secret(value) : undefined),
    show: String,
  };
}

/** Text that came by way of an environment variable counts as the number it spells. */
function readNumber(value: unknown, form: RegExp): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  return form.test(String(value)) ? Number(value) : undefined;
}

function readUnit(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(value) : null;
  const factor = match?.[2] === undefined || !Object.hasOwn(units, match[2]) ? undefined : units[match[2]];
  const product = factor === undefined ? Number.NaN : Number(match?.[1]) * factor;
  return Number.isSafeInteger(product) ? product : undefined;
}

/** In the largest unit that needs no fraction. */
function showUnit(value: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => value % factor === 0);
  const [unit, factor] = fitting.at(-1) as [string, number];
  return value === 0 ? `0${Object.keys(units)[0]}` : `${value / factor}${unit}`;
}

function within(value: number | undefined, bounds: Bounds): number | undefined {
  return value !== undefined && value >= bounds.min && value <= bounds.max ? value : undefined;
}

function isDatabaseUrl(value: string): boolean {
  return URL.canParse(value) && ['postgres:', 'postgresql:'].includes(new URL(value).protocol);
}

const pathForm = {
  kind: 'path',
  expected: 'a path, absolute or relative to the folder of the config file',
  read: (value: unknown) => (typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined),
  show: String,
};

const TEXT_MAX = 1000;
const textForm = {
  kind: 'text',
  expected: `text of at most ${TEXT_MAX} characters, in quotes`,
  read: (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= TEXT_MAX && !/\p{Cc}/u.test(value) ? value : undefined,
  show: String,
};
