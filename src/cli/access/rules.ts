import { isQuasarError, QuasarError } from '../../core/errors.ts';
import { jsonRequest } from '../json-request.ts';
import { record, unexpected } from '../upload-client.ts';
import type { AccessClient, Answered } from './access-client.ts';
import { type Thing, thingPath } from './thing.ts';

/** One rule as the server writes it; a new one has no id yet. */
export type Rule = Readonly<Record<string, unknown>>;

/** The rules of one thing. Each change makes the next version; 0: it never had any. */
export interface Rules {
  readonly version: number;
  readonly rules: readonly Rule[];
}

/** What rules are read and replaced for. */
export interface RuledThing {
  /** As it was typed, for messages. */
  readonly name: string;
  readonly thing: Thing;
}

export async function readRules({ thing }: RuledThing, client: AccessClient): Promise<Rules> {
  return parseRules(await client.read(`${await thingPath(thing, client)}/acl`));
}

/**
 * Puts `rules` in the place of those of version `expected`, so that of two who change them at once one is told.
 * @throws QuasarError `rules_changed` with what to do next, when there is another version.
 */
export async function replaceRules(
  { name, thing }: RuledThing,
  { rules, expected, advice }: { readonly rules: readonly unknown[]; readonly expected: number; readonly advice: string },
  client: AccessClient,
): Promise<Rules> {
  const request = jsonRequest('PUT', `${await thingPath(thing, client)}/acl`, JSON.stringify({ rules }));
  const headers = { ...request.headers, 'if-match': `"a-${expected}"` };
  try {
    return parseRules(await client.once({ ...request, headers }, `quasar acl get ${name}`));
  } catch (error) {
    throw conflictOf(error, { name, expected, advice });
  }
}

function parseRules(answer: Answered): Rules {
  const { version, rules } = answer;
  if (!Number.isSafeInteger(version) || !Array.isArray(rules)) throw unexpected('a list of rules');
  return { version: version as number, rules: rules.map(record) };
}

function conflictOf(error: unknown, wish: { name: string; expected: number; advice: string }): unknown {
  if (!isQuasarError(error, 'rules_changed')) return error;
  const { name, expected, advice } = wish;
  const { version } = error.details;
  const stands = version === undefined ? 'have changed' : `are at version ${version}`;
  return new QuasarError('rules_changed', {
    op: 'cli.replaceRules',
    message: `The rules of ${name} ${stands}, not at ${expected} any more; nothing changed. ${advice}`,
    details: error.details,
    cause: error,
  });
}
