import { type CapabilitySet, differenceOf, noCapabilities, unionOf } from '../core/capability.ts';
import type { AccessRule, SubjectId } from './rule.ts';

/**
 * All that rules allow to somebody to whom the rules in their place before did not, by the same id. Rules that deny give nothing,
 * and to take one back is what administering rules is for.
 */
export function givenBy(rules: readonly AccessRule[], before: readonly AccessRule[]): CapabilitySet {
  const had = allowedBySubject(before);
  let given = noCapabilities;
  for (const [subject, actions] of allowedBySubject(rules)) {
    given = unionOf(given, differenceOf(actions, had.get(subject) ?? noCapabilities));
  }
  return given;
}

function allowedBySubject(rules: readonly AccessRule[]): Map<SubjectId, CapabilitySet> {
  const allowed = new Map<SubjectId, CapabilitySet>();
  for (const { effect, actions, principals } of rules) {
    if (effect === 'deny') continue;
    for (const id of principals) allowed.set(id, unionOf(allowed.get(id) ?? noCapabilities, actions));
  }
  return allowed;
}
