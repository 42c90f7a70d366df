import { type CapabilitySet, type capabilities, capabilitySet, parseCapability } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { isId, newId, type RuleId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { AccessRule, RuleEffect, SubjectId } from './rule.ts';

export interface ParseRulesOptions {
  readonly clock: Clock;
  /** Rules of the list that is replaced: only these may be named by id, so that no client chooses ids. */
  readonly current: ReadonlySet<RuleId>;
  /** RFC 6901, where the list lies in the body: the start of every pointer in an error. */
  readonly pointer: string;
}

/**
 * A list of rules as it came from outside: `[{effect, actions: [names], principals: [ids], id?}]`. A rule without id gets a
 * new one. Names that occur twice within a rule count once. Whether the principals exist is not known here.
 * @throws QuasarError `access_rules_invalid`, `capability_unknown`; `details.pointer` is the place of the first fault.
 */
export function parseRules(value: unknown, options: ParseRulesOptions): AccessRule[] {
  const items = parseList(value, options.pointer, limits.accessRulesMax, 'rules');
  const rules = items.map((item, index) => parseRule(item, `${options.pointer}/${index}`, options));
  const seen = new Set<RuleId>();
  for (const [index, { id }] of rules.entries()) {
    if (seen.has(id)) throw invalid(`${options.pointer}/${index}/id`, 'The id occurs twice in the list.');
    seen.add(id);
  }
  return rules;
}

function parseRule(value: unknown, pointer: string, options: ParseRulesOptions): AccessRule {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(pointer, 'A rule is an object.');
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const name of fields.keys()) {
    if (!FIELDS.includes(name)) throw invalid(pointer, `A rule has the fields ${FIELDS.join(', ')} and no other.`);
  }
  return {
    id: parseRuleId(fields.get('id'), `${pointer}/id`, options),
    effect: parseEffect(fields.get('effect'), `${pointer}/effect`),
    actions: parseActions(fields.get('actions'), `${pointer}/actions`),
    principals: parsePrincipals(fields.get('principals'), `${pointer}/principals`),
  };
}

function parseRuleId(value: unknown, pointer: string, options: ParseRulesOptions): RuleId {
  if (value === undefined) return newId<RuleId>(options.clock);
  if (typeof value === 'string' && options.current.has(value as RuleId)) return value as RuleId;
  throw invalid(pointer, 'The id is not that of a rule in the list that is replaced; leave it out for a new rule.');
}

function parseEffect(value: unknown, pointer: string): RuleEffect {
  if (value === 'allow' || value === 'deny') return value;
  throw invalid(pointer, 'The effect is "allow" or "deny".');
}

function parseActions(value: unknown, pointer: string): CapabilitySet {
  const names = parseList(value, pointer, limits.ruleActionsMax, 'actions');
  if (names.length === 0) throw invalid(pointer, 'A rule has at least one action.');
  return capabilitySet(...names.map((name, index) => parseAction(name, `${pointer}/${index}`)));
}

function parseAction(name: unknown, pointer: string): (typeof capabilities)[number] {
  if (typeof name !== 'string') throw invalid(pointer, 'An action is the name of a capability.');
  try {
    return parseCapability(name);
  } catch (cause) {
    if (!isQuasarError(cause)) throw cause;
    throw new QuasarError(cause.code, { op: OP, message: cause.message, details: { pointer, ...cause.details }, cause });
  }
}

function parsePrincipals(value: unknown, pointer: string): SubjectId[] {
  const ids = parseList(value, pointer, limits.rulePrincipalsMax, 'principals');
  if (ids.length === 0) throw invalid(pointer, 'A rule is about at least one principal.');
  const parsed = ids.map((id, index) => {
    if (typeof id === 'string' && isId(id)) return id as SubjectId;
    throw invalid(`${pointer}/${index}`, 'A principal is the id of a user, a group or a service account: a lower-case UUID.');
  });
  return [...new Set(parsed)];
}

function parseList(value: unknown, pointer: string, countMax: number, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(pointer, `The ${what} are a list.`);
  if (value.length > countMax) throw invalid(pointer, `There are at most ${countMax} ${what} in a list.`);
  return value;
}

function invalid(pointer: string, message: string): QuasarError {
  return new QuasarError('access_rules_invalid', { op: OP, message, details: { pointer } });
}

const OP = 'access.parseRules';
const FIELDS: readonly string[] = ['id', 'effect', 'actions', 'principals'];
