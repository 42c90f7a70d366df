import type { ConfigFileName, ConfigSchema } from './config-schema.ts';
import type { ConfigValues } from './config-values.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { isLoopbackHost } from './listen-host.ts';
import { uploadSlots } from './upload-slots.ts';

type ServerKey = keyof ConfigSchema['quasar.conf'];

/** What one key demands of another: a sentence for each demand that is not met. */
export function checkRelations(values: ConfigValues): string[] {
  return [...checkSlab(values), ...checkDatabase(values), ...checkHost(values), ...checkTokens(values)];
}

function checkSlab(values: ConfigValues): string[] {
  const inFlightMax = values.get('quasar.conf', 'uploads.inFlightMax');
  const slots = uploadSlots(values);
  if (inFlightMax <= slots) return [];
  return [
    `quasar.conf: "uploads.inFlightMax" is ${inFlightMax}, but "memory.slabSize" has room for ${slots} uploads; lower the one or raise the other`,
  ];
}

function checkDatabase(values: ConfigValues): string[] {
  const problems = (['url', 'directUrl'] as const).flatMap((key) => checkUrl(values, key));
  if (!isSet(values, 'db.conf', 'directUrl') || isSet(values, 'db.conf', 'url')) return problems;
  return [...problems, 'db.conf: "directUrl" is set, but "url" is missing; set both, or neither to use the embedded server'];
}

function checkUrl(values: ConfigValues, key: 'url' | 'directUrl'): string[] {
  const url = values.get('db.conf', key);
  if (url === undefined) return [];
  const address = parseDatabaseUrl(url.reveal());
  return typeof address === 'string' ? [`db.conf: "${key}" ${address}`] : [];
}

/** Keys and tokens travel with every request: whoever reads along has them. */
function checkHost(values: ConfigValues): string[] {
  const host = values.get('quasar.conf', 'http.host');
  if (isLoopbackHost(host) || values.get('quasar.conf', 'http.behind-tls-proxy')) return [];
  const subject = values.entry('quasar.conf', 'http.host').source.kind === 'flag' ? '--host' : 'quasar.conf: "http.host"';
  return [
    `${subject} is ${host}, which other machines reach, but Quasar speaks plain HTTP: put a proxy that speaks TLS in front of it and set "http.behind-tls-proxy" in quasar.conf to true, or listen on 127.0.0.1`,
  ];
}

function checkTokens(values: ConfigValues): string[] {
  const problems: string[] = [];
  const places = TOKEN_PLACES.filter((key) => values.get('quasar.conf', key));
  if (places.length > 1)
    problems.push(`quasar.conf: ${quoted(places, 'and')} are set, but tokens have one kind of key; keep one`);
  const [idle] = TOKEN_RULES.filter((key) => isSet(values, 'quasar.conf', key));
  if (places.length === 0 && idle !== undefined) {
    problems.push(`quasar.conf: "${idle}" is set, but no token is taken; set ${quoted(TOKEN_PLACES, 'or')}, or remove it`);
  }
  if (places[0] === 'tokens.sharedSecret' && isSet(values, 'quasar.conf', 'tokens.algorithms')) {
    problems.push(
      'quasar.conf: "tokens.algorithms" is set, but "tokens.sharedSecret" has HS256 alone; remove the one or the other',
    );
  }
  if (values.get('quasar.conf', 'tokens.audienceOnly') && !isSet(values, 'quasar.conf', 'tokens.audience')) {
    problems.push('quasar.conf: "tokens.audienceOnly" is true, but "tokens.audience" is missing; set it too');
  }
  return problems;
}

/** By the operator; a default does not count. */
function isSet<File extends ConfigFileName>(values: ConfigValues, file: File, key: keyof ConfigSchema[File] & string): boolean {
  return values.entry(file, key).source.kind !== 'default';
}

function quoted(keys: readonly string[], joint: 'and' | 'or'): string {
  const names = keys.map((key) => `"${key}"`);
  return `${names.slice(0, -1).join(', ')} ${joint} ${names.at(-1)}`;
}

const TOKEN_PLACES = ['tokens.jwksUrl', 'tokens.jwksFile', 'tokens.sharedSecret'] as const satisfies readonly ServerKey[];
const TOKEN_RULES = [
  'tokens.algorithms',
  'tokens.issuer',
  'tokens.audience',
  'tokens.audienceOnly',
  'tokens.orgClaim',
  'tokens.ageMax',
  'tokens.withoutScope',
] as const satisfies readonly ServerKey[];
