import { parseArgs } from 'node:util';
import { nearest } from '../../../src/core/nearest.ts';
import { chooseDriver } from '../drivers/choose-driver.ts';
import { type DriverName, driverNames } from '../drivers/driver.ts';
import { CLOSED_CONNECTIONS, flagTexts, OPEN_CONNECTIONS, workersDefault } from './flags.ts';
import { kinds, type LoadPlan, type Loop, type Mix, reads } from './plan.ts';
import { type Profile, profiles } from './profiles.ts';
import { parseDuration, parseShare, parseSpeed } from './quantity.ts';
import { parseSizeSpread, type SizeSpread } from './size-spread.ts';
import { UsageFault } from './usage-fault.ts';

export interface CommandLine {
  readonly help: boolean;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly same: boolean;
}

/** @throws UsageFault */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const options = Object.fromEntries(
    flagTexts.map(({ name, value }) => [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }]),
  );
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    const { help = false, same = false, ...texts } = values as Record<string, string | boolean | undefined>;
    return { help: help === true, same: same === true, values: texts as Record<string, string | undefined> };
  } catch (error) {
    throw new UsageFault(explain(error));
  }
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const unknown = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'--?([^']*)'/.exec(message)?.[1] : undefined;
  if (unknown === undefined) return `${message.split(/\.\s|\n/)[0]}; see --help`;
  const meant = nearest(
    unknown,
    flagTexts.map(({ name }) => name),
  );
  return `there is no flag --${unknown}; ${meant === undefined ? 'see --help' : `--${meant} is near`}`;
}

/**
 * Makes the plan of a run. `paths` are the lines of --paths; `newSeed` is taken when none is given.
 * @throws UsageFault for whatever would have to be guessed.
 */
export function planLoad(line: CommandLine, { paths, newSeed }: { paths: readonly string[]; newSeed: number }): LoadPlan {
  const { values } = line;
  const driver = oneOf('driver', values.driver ?? 'quasar', driverNames);
  const profile = findProfile(values.profile, values.mix);
  const mix = values.mix === undefined ? profile.mix : parseMix(values.mix);
  checkMix(mix, driver, profile);
  const connections = count(values, 'connections', values.rate === undefined ? CLOSED_CONNECTIONS : OPEN_CONNECTIONS, 1);
  const requests = values.requests === undefined ? undefined : count(values, 'requests', 0, 1);
  const plan: LoadPlan = {
    url: parseUrl(values.url, driver),
    driver,
    profile: values.profile,
    mix,
    size: sizes(values, 'size', profile.size),
    rangeSize: sizes(values, 'range-size', profile.rangeSize),
    documents: 0,
    paths,
    zipf: parseZipf(values.zipf, profile.zipf),
    loop: parseLoop(values),
    connections,
    workers: Math.min(connections, count(values, 'workers', workersDefault, 1)),
    warmUpMs: duration(values, 'warm-up', 5000),
    durationMs: duration(values, 'duration', requests === undefined ? 30_000 : DURATION_MAX_MS),
    requests,
    seed: count(values, 'seed', newSeed, 0),
    same: line.same,
    slow: parseSlow(values.slow),
    abort: values.abort === undefined ? 0 : given('abort', values.abort, parseShare, 'a share like 1%'),
    verify: count(values, 'verify', 10, 0),
    timeoutMs: duration(values, 'timeout', 30_000),
  };
  return { ...plan, documents: documentsFor(plan, values, profile) };
}

/** What a timer can hold. */
const DURATION_MAX_MS = 2 ** 31 - 1 - 3_600_000;

/** With a mix of one's own there are no defaults of a profile but for those of plain ones. */
function findProfile(name: string | undefined, mix: string | undefined): Profile {
  const names = profiles.map((profile) => profile.name);
  if (name === undefined && mix === undefined)
    throw new UsageFault(`say what to ask: --profile ${names.join(', ')}, or --mix KIND=N,…`);
  const wanted = oneOf('profile', name ?? 'download', names);
  return profiles.find((profile) => profile.name === wanted) as Profile;
}

function parseMix(text: string): Mix {
  const mix = text.split(',').map((part) => {
    const [, kind, weight] = /^([a-z]+)=(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (kind === undefined || Number(weight) === 0)
      throw new UsageFault(`--mix takes shares like upload=95,range=5, not "${text}"`);
    return { kind: oneOf('mix', kind, kinds), weight: Number(weight) };
  });
  if (new Set(mix.map(({ kind }) => kind)).size < mix.length) throw new UsageFault(`--mix names a kind twice: "${text}"`);
  return mix;
}

function checkMix(mix: Mix, driver: DriverName, profile: Profile): void {
  const known = chooseDriver(driver, '').kinds;
  const missing = mix.map(({ kind }) => kind).find((kind) => !known.includes(kind));
  if (missing === undefined) return;
  const others = profile.mix.filter(({ kind }) => known.includes(kind)).map(({ kind, weight }) => `${kind}=${weight}`);
  throw new UsageFault(`--driver ${driver} has no ${missing}; name what it has: --mix ${others.join(',')}`);
}

function parseUrl(text: string | undefined, driver: DriverName): string {
  if (text === undefined) throw new UsageFault('name the server: --url http://127.0.0.1:8080');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new UsageFault(`"${text}" is no server address; one looks like http://127.0.0.1:8080`);
  if (url.username !== '' || url.password !== '')
    throw new UsageFault(
      'an address is seen by everybody on this machine; put credentials into a file and name it with --key-file or --header-file',
    );
  const path = url.pathname.replace(/\/+$/, '');
  if (driver.startsWith('s3') && path === '')
    throw new UsageFault('S3 needs the bucket in the address: --url http://127.0.0.1:9000/bucket');
  return url.origin + path;
}

function parseLoop(values: CommandLine['values']): Loop {
  if (values.rate === undefined) {
    if (values.arrivals !== undefined) throw new UsageFault('--arrivals is about --rate; name the rate too');
    return { kind: 'closed', thinkMs: duration(values, 'think', 0) };
  }
  if (values.think !== undefined)
    throw new UsageFault('--think is for the closed loop, --rate for the open one; take one of them');
  const rate = Number(values.rate);
  if (!/^\d+(\.\d+)?$/.test(values.rate) || rate <= 0)
    throw new UsageFault(`--rate takes requests a second, like 200, not "${values.rate}"`);
  return { kind: 'open', rate, arrivals: oneOf('arrivals', values.arrivals ?? 'poisson', ['poisson', 'uniform']) };
}

function parseSlow(text: string | undefined): LoadPlan['slow'] {
  if (text === undefined) return undefined;
  const [shareText = '', speedText = '', ...rest] = text.split(':');
  const share = parseShare(shareText);
  const bytesPerSecond = parseSpeed(speedText);
  if (share === undefined || !bytesPerSecond || rest.length > 0)
    throw new UsageFault(`--slow takes a share of the connections and a speed, like 10%:2MB/s, not "${text}"`);
  return { share, bytesPerSecond };
}

function parseZipf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageFault(`--zipf takes a number like 1 or 0.8, not "${text}"`);
  return Number(text);
}

function documentsFor(plan: LoadPlan, values: CommandLine['values'], profile: Profile): number {
  if (values.paths !== undefined && values.documents !== undefined)
    throw new UsageFault('--documents uploads what is read, --paths names what is there; take one of them');
  if (values.paths !== undefined && plan.paths.length === 0) throw new UsageFault('the file of --paths names no document');
  if (!reads(plan) || values.paths !== undefined) return 0;
  return count(values, 'documents', Math.max(1, profile.documents), 1);
}

function sizes(values: CommandLine['values'], name: string, fallback: string): SizeSpread {
  return given(name, values[name] ?? fallback, parseSizeSpread, 'sizes like 100KiB, 64KiB..1MiB or 50KB..300MB~2MB');
}

function duration(values: CommandLine['values'], name: string, fallback: number): number {
  const text = values[name];
  if (text === undefined) return fallback;
  const ms = given(name, text, parseDuration, 'a time like 50ms, 5s or 2m');
  if (ms > DURATION_MAX_MS) throw new UsageFault(`--${name} takes at most ${Math.floor(DURATION_MAX_MS / 3_600_000)}h`);
  return ms;
}

function count(values: CommandLine['values'], name: string, fallback: number, least: number): number {
  const text = values[name];
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value < least) throw new UsageFault(`--${name} takes a whole number of at least ${least}, not "${text}"`);
  return value;
}

function given<Value>(name: string, text: string, parse: (text: string) => Value | undefined, what: string): Value {
  const value = parse(text);
  if (value === undefined) throw new UsageFault(`--${name} takes ${what}, not "${text}"`);
  return value;
}

function oneOf<Name extends string>(flag: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageFault(`--${flag} knows ${names.join(', ')}, not "${text}"`);
  return found;
}
