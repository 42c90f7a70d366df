import { assert } from '../core/assert.ts';
import { type CapabilitySet, noCapabilities, unionOf } from '../core/capability.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { AccessRule, RulePlace, SubjectId } from './rule.ts';

/**
 * The rules of one place, arranged by subject, so that a decision looks up who asks instead of walking through rules.
 * Immutable. Made once a version of the rules; a folder's and an org's are shared by everything in them.
 */
export interface CompiledRules {
  readonly place: RulePlace;
  /** Of the document, the folder or the org. */
  readonly placeId: string;
  /** Of the rules there; 0: it never had any. */
  readonly version: number;
  /** As they are stored. */
  readonly rules: readonly AccessRule[];
  readonly bySubject: ReadonlyMap<SubjectId, SubjectRules>;
}

/** What the rules of one place say about one subject. */
export interface SubjectRules {
  readonly denied: CapabilitySet;
  readonly allowed: CapabilitySet;
  /** Indexes into `rules`, ascending. */
  readonly indexes: readonly number[];
}

/** All that has a say about one resource: a document, or a folder or org itself, which then has no rules nearer to it. */
export interface AccessList {
  /**
   * Opaque, and another one as soon as any rule in `places`, or the chain of folders, is another one. Different lists of one
   * org never have the same; documents with the same rules may.
   */
  readonly version: string;
  readonly orgId: OrgId;
  /** In the order in which they are asked: the document, its folder, that one's parents outwards, the org. */
  readonly places: readonly CompiledRules[];
}

/** The rule of this id, and where it hangs. */
export function findRule(list: AccessList, ruleId: string): (CompiledRules & { readonly rule: AccessRule }) | undefined {
  for (const place of list.places) {
    const rule = place.rules.find(({ id }) => id === ruleId);
    if (rule !== undefined) return { ...place, rule };
  }
  return undefined;
}

/** Where rules hang, and which version of them. */
export interface RulesAt {
  readonly place: RulePlace;
  readonly placeId: string;
  readonly version: number;
}

export function compileRules({ place, placeId, version }: RulesAt, rules: readonly AccessRule[]): CompiledRules {
  assert(rules.length <= limits.accessRulesMax, 'a list of rules has been through its parser');
  const bySubject = new Map<SubjectId, { denied: CapabilitySet; allowed: CapabilitySet; indexes: number[] }>();
  for (const [index, rule] of rules.entries()) {
    for (const subject of new Set(rule.principals)) {
      const said = bySubject.get(subject) ?? { denied: noCapabilities, allowed: noCapabilities, indexes: [] };
      if (rule.effect === 'deny') said.denied = unionOf(said.denied, rule.actions);
      else said.allowed = unionOf(said.allowed, rule.actions);
      said.indexes.push(index);
      bySubject.set(subject, said);
    }
  }
  return { place, placeId, version, rules, bySubject };
}
