import type { Deed } from '../core/actor.ts';
import { canonicalJsonBytes } from '../core/canonical-json.ts';
import { capabilityNames } from '../core/capability.ts';
import type { AccessRule } from './rule.ts';
import type { RulesWish } from './rule-store.ts';

/** Bytes of canonical JSON: leaves room for the rest of an event's detail. */
const NOTED_MAX = 3000;

/** What the audit log keeps of rules that replaced others: how many, and which, unless they are too many for an event. */
export function deedOfRules(
  resource: { readonly kind: 'document' | 'folder' | 'org'; readonly id: string },
  { rules, expectedVersion }: RulesWish,
): Deed {
  const counted = { version: expectedVersion + 1, count: rules.length };
  const named = rules.map(toNoted);
  const detail = canonicalJsonBytes(named).byteLength > NOTED_MAX ? counted : { ...counted, rules: named };
  return { action: 'acl.set', resource, detail };
}

function toNoted({ id, effect, actions, principals }: AccessRule): Record<string, unknown> {
  return { id, effect, actions: capabilityNames(actions), principals };
}
