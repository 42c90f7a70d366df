import { isQuasarError, QuasarError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { isJsonObject } from '../../metadata/json-value.ts';
import { metadataBounds, parseStrictJson } from '../../metadata/strict-json.ts';
import type { CommandContext } from '../command.ts';
import { inputName, readJson } from '../json-input.ts';
import { withAccess } from './access-client.ts';
import { printRules } from './print-rules.ts';
import { readRules, replaceRules } from './rules.ts';
import { parseThing } from './thing.ts';

interface RulesFile {
  readonly version: number | undefined;
  readonly rules: readonly unknown[];
}

/** `quasar acl set`: compare-and-set with the version of `--expect`, of the file, or with the one that was read. */
export async function setRules(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [name, path] = args as [string, string];
  const ruled = { name, thing: parseThing(name) };
  const from = inputName(path);
  const file = parseFile(await readJson(path, terminal), from);
  const told = flags.count('expect') ?? file.version;
  const advice = `Get them anew with "quasar acl get ${name} --json", and make your change in that.`;
  const replaced = await withAccess(context, async (client) => {
    const expected = told ?? (await readRules(ruled, client)).version;
    return replaceRules(ruled, { rules: file.rules, expected, advice }, client);
  }).catch((error) => {
    throw withPlace(error, from);
  });
  await printRules(context, replaced);
  return 0;
}

/** Says where in the file the fault is, which the server tells by a JSON Pointer. */
function withPlace(error: unknown, name: string): unknown {
  if (!isQuasarError(error) || typeof error.details.pointer !== 'string') return error;
  const { code, message, details } = error;
  return new QuasarError(code, {
    op: 'cli.setRules',
    message: `${name} at ${details.pointer}: ${message}`,
    details,
    cause: error,
  });
}

/** Read as strictly as the server would: the text it sees is written anew, and a name twice must not be lost in that. */
function parseFile(text: string, name: string): RulesFile {
  const value = strictly(text, name);
  if (!isJsonObject(value) || !Array.isArray(value.rules)) throw invalid(`${name} has no list "rules".`);
  const unknown = Object.keys(value).find((member) => member !== 'version' && member !== 'rules');
  if (unknown !== undefined) throw invalid(`${name} has "${unknown}"; known are version and rules.`);
  const { version } = value;
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 0)) {
    throw invalid(`The version in ${name} is no whole number.`);
  }
  return { version: version as number | undefined, rules: value.rules };
}

function strictly(text: string, name: string): unknown {
  try {
    return parseStrictJson(text, { ...metadataBounds, size: limits.jsonBodyMax });
  } catch (error) {
    if (!isQuasarError(error)) throw error;
    throw invalid(`${name}: ${error.message}`, error);
  }
}

function invalid(message: string, cause?: unknown): QuasarError {
  return new QuasarError('file_unreadable', { op: 'cli.setRules', message, cause });
}
