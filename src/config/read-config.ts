import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { nearest } from '../core/nearest.ts';
import { checkRelations } from './check-relations.ts';
import type { Config } from './config.ts';
import { ConfigFault } from './config-fault.ts';
import { configSchema, reservedFiles } from './config-schema.ts';
import { type ConfigValue, ConfigValues } from './config-values.ts';
import type { HoconEntry } from './hocon-config-file.ts';
import { checkPresent, checkSecrets } from './secrets.ts';
import { tokenConfig } from './token-config.ts';
import { uploadSlots } from './upload-slots.ts';

export interface ReadConfigOptions {
  /** `--config`. It must exist. */
  readonly configDirectory?: string | undefined;
  /** Used when `configDirectory` is absent and this folder is there. */
  readonly standardDirectory?: string;
  /** What `${?NAME}` in a file refers to; `process.env` unless a test says otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Command-line flags; they win over files. */
  readonly flags?: ConfigFlags;
}

export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

export interface ReadConfigResult {
  readonly config: Config;
  /** Every key with its value and where it came from, for `quasar config check`. */
  readonly values: readonly ConfigValue[];
  /** The files that were read, absolute. */
  readonly files: readonly string[];
}

const STANDARD_DIRECTORY = '/etc/quasar/config';
const OP = 'config.read';
const CONFIG_FILES = [...Object.keys(configSchema), ...reservedFiles];

/**
 * Flags win over files, files over defaults; the folder is `--config`, else /etc/quasar/config if present, else none.
 * @throws QuasarError `config_invalid`: its message tells the first fault with file, line and what to write instead, its
 *   details (`problems`) all of them.
 */
export async function readConfig(options: ReadConfigOptions = {}): Promise<ReadConfigResult> {
  const directory = await findDirectory(options);
  const values = ConfigValues.defaults();
  const problems: string[] = [];
  const files: string[] = [];
  for (const name of directory === undefined ? [] : await listConfigFiles(directory, problems)) {
    const file = join(directory as string, name);
    files.push(file);
    problems.push(...(await readOne(file, name, values, options.env ?? process.env)));
  }
  problems.push(...takeFlags(values, options.flags ?? {}), ...checkRelations(values));
  if (directory !== undefined) problems.push(...(await checkSecrets(join(directory, 'secrets'))));
  const config = toConfig(values, directory);
  problems.push(...(await checkTokenSecret(config)));
  if (problems.length > 0) throw invalid(problems);
  return { config, values: values.all(), files };
}

async function findDirectory(options: ReadConfigOptions): Promise<string | undefined> {
  const wanted = options.configDirectory;
  const candidate = resolve(wanted ?? options.standardDirectory ?? STANDARD_DIRECTORY);
  if (await isDirectory(candidate)) return candidate;
  if (wanted === undefined) return undefined;
  throw invalid([`The config folder ${candidate} is not there or is no folder; --config names one with *.conf files`]);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new QuasarError('config_invalid', { op: OP, message: `The config folder ${path} cannot be read.`, cause: error });
  }
}

/** A file whose name is nearly right would otherwise be ignored in silence. */
async function listConfigFiles(directory: string, problems: string[]): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.conf')).sort();
  for (const name of names.filter((name) => !CONFIG_FILES.includes(name))) {
    const near = nearest(name, CONFIG_FILES);
    const advice = near === undefined ? `known are ${CONFIG_FILES.join(', ')}` : `did you mean ${near}?`;
    problems.push(`${join(directory, name)} is no config file of Quasar; ${advice}`);
  }
  return names.filter((name) => CONFIG_FILES.includes(name));
}

async function readOne(
  file: string,
  name: string,
  values: ConfigValues,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const at = (fault: ConfigFault) => `${file}${fault.line === undefined ? '' : ` line ${fault.line}`}: ${fault.message}`;
  try {
    return values.take(name, await readEntries(file, env)).map(at);
  } catch (error) {
    if (error instanceof ConfigFault) return [at(error)];
    throw error;
  }
}

async function readEntries(file: string, env: Readonly<Record<string, string | undefined>>): Promise<Map<string, HoconEntry>> {
  let text: string;
  try {
    const facts = await stat(file);
    if (!facts.isFile() && !facts.isDirectory()) throw new ConfigFault('it is not a file');
    if (facts.size > limits.configFileMax) throw new ConfigFault(`the file is larger than ${limits.configFileMax} bytes`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw error instanceof ConfigFault
      ? error
      : new ConfigFault(`the file cannot be read (${(error as NodeJS.ErrnoException).code})`, undefined, error);
  }
  // Loaded only when there is a file: most starts have none.
  const { readHocon } = await import('./hocon-config-file.ts');
  return readHocon(text, env);
}

function takeFlags(values: ConfigValues, flags: ConfigFlags): string[] {
  const problems: string[] = [];
  const take = (key: 'data' | 'http.host' | 'http.port', flag: string, value: unknown) => {
    if (value === undefined) return;
    try {
      values.override('quasar.conf', key, value);
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw error;
      problems.push(error.message.replace(`"${key}"`, flag));
    }
  };
  take('data', '--data', flags.data);
  take('http.host', '--host', flags.host);
  take('http.port', '--port', flags.port);
  return problems;
}

/** The one secret that is not made when it is missing. */
async function checkTokenSecret({ tokens: { keys } }: Config): Promise<string[]> {
  return keys?.kind === 'sharedSecret' ? checkPresent(keys.secret) : [];
}

function toConfig(values: ConfigValues, directory: string | undefined): Config {
  const data = values.entry('quasar.conf', 'data');
  const dataDirectory = resolve(data.source.kind === 'file' ? (directory as string) : '.', values.get('quasar.conf', 'data'));
  const secretsDirectory = join(directory ?? dataDirectory, 'secrets');
  const url = values.get('db.conf', 'url');
  return {
    directory,
    dataDirectory,
    secretsDirectory,
    http: {
      host: values.get('quasar.conf', 'http.host'),
      port: values.get('quasar.conf', 'http.port'),
      adapter: values.get('quasar.conf', 'http.adapter'),
      connectionsMax: values.get('quasar.conf', 'http.connectionsMax'),
      behindTlsProxy: values.get('quasar.conf', 'http.behind-tls-proxy'),
      trustedProxies: values.get('quasar.conf', 'http.trusted-proxies') ?? [],
      forwardedHeader: values.get('quasar.conf', 'http.forwarded-header'),
    },
    tokens: tokenConfig(values, { directory, secretsDirectory }),
    rates: {
      requestsPerKey: values.get('quasar.conf', 'rates.requestsPerKey'),
      requestsPerOrg: values.get('quasar.conf', 'rates.requestsPerOrg'),
      bytesPerKey: values.get('quasar.conf', 'rates.bytesPerKey'),
      bytesPerOrg: values.get('quasar.conf', 'rates.bytesPerOrg'),
      refusalsPerAddress: values.get('quasar.conf', 'rates.refusalsPerAddress'),
      burstMs: values.get('quasar.conf', 'rates.burst'),
    },
    uploads: {
      inFlightMax: values.get('quasar.conf', 'uploads.inFlightMax'),
      sizeMax: values.get('quasar.conf', 'uploads.sizeMax'),
      lifetimeMs: values.get('quasar.conf', 'uploads.lifetime'),
      progressBytesMin: values.get('quasar.conf', 'uploads.progressBytesMin'),
      progressWindowMs: values.get('quasar.conf', 'uploads.progressWindow'),
    },
    downloads: { stallMs: values.get('quasar.conf', 'downloads.stallTime') },
    memory: { slabSize: values.get('quasar.conf', 'memory.slabSize'), uploadSlotsMax: uploadSlots(values) },
    shutdown: { drainMs: values.get('quasar.conf', 'shutdown.drainTime') },
    database: {
      url,
      directUrl: values.get('db.conf', 'directUrl') ?? url,
      poolSize: values.get('db.conf', 'poolSize'),
      connectTimeoutMs: values.get('db.conf', 'connectTimeout'),
      statementTimeoutMs: values.get('db.conf', 'statementTimeout'),
    },
    storage: {
      segmentSize: values.get('storage.conf', 'segmentSize'),
      spareSegments: values.get('storage.conf', 'spareSegments'),
      freeSpaceFloorRatio: values.get('storage.conf', 'freeSpaceFloor.ratio'),
      freeSpaceFloorBytes: values.get('storage.conf', 'freeSpaceFloor.bytes'),
      chunker: values.get('storage.conf', 'chunker'),
      directIo: values.get('storage.conf', 'directIo'),
      scrub: {
        enabled: values.get('storage.conf', 'scrub.enabled'),
        intervalMs: values.get('storage.conf', 'scrub.interval'),
        rateMax: values.get('storage.conf', 'scrub.rateMax'),
      },
    },
    logging: { level: values.get('logging.conf', 'level'), format: values.get('logging.conf', 'format') },
  };
}

function invalid(problems: readonly string[]): QuasarError {
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  return new QuasarError('config_invalid', { op: OP, message: `${problems[0]}${more}`, details: { problems } });
}
