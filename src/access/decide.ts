import {
  type Capability,
  type CapabilitySet,
  capabilitySet,
  differenceOf,
  hasCapability,
  intersectionOf,
  noCapabilities,
  unionOf,
} from '../core/capability.ts';
import type { GroupId, OrgId, PrincipalId, RuleId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { AccessList, CompiledRules, SubjectRules } from './access-list.ts';
import type { AccessRule, RuleEffect } from './rule.ts';

/**
 * Who may. The first that applies decides:
 * 1. another org, or a suspended principal: denied;
 * 2. a rule that denies the action to the principal or to any of its groups, at the document, a folder around it or the
 *    org: denied, whatever else is allowed anywhere. From an administrator to whom the org's rules leave the changing of rules,
 *    those of documents and folders take neither that nor reading: he can see every place, and undo what was done there;
 * 3. the action is in what the role gives or any rule allows, and in the token's scope: allowed. A token only narrows;
 * 4. else denied.
 * A denied principal that may not read the document either must not learn that it exists: `hidden`.
 */

/** A principal with all that bears on a decision, as it stood at one moment. */
export interface Requester {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  /** All of them: those of groups within groups too. */
  readonly groups: ReadonlySet<GroupId>;
  readonly suspended: boolean;
  /** Of all roles of the principal together. */
  readonly roleCapabilities: CapabilitySet;
  /** What the token or key of this request may be used for at most. */
  readonly tokenScope: CapabilitySet;
}

export type DecisionReason =
  | 'other_org'
  | 'suspended'
  | 'rule_denies'
  | 'role_allows'
  | 'rule_allows'
  | 'outside_scope'
  | 'nothing_allows';

export interface Decision {
  readonly allowed: boolean;
  /** The principal may not read the resource: a denial must look as if it did not exist. */
  readonly hidden: boolean;
  readonly reason: DecisionReason;
  /** The rule, or what else was decisive. Of several rules the nearest to the document, there the first of the list. */
  readonly decidedBy: RuleId | 'org' | 'principal' | 'role' | 'scope' | 'default';
}

const OTHER_ORG: Decision = { allowed: false, hidden: true, reason: 'other_org', decidedBy: 'org' };
const SUSPENDED: Decision = { allowed: false, hidden: true, reason: 'suspended', decidedBy: 'principal' };

/** All the requester may do to it. */
export function effectiveOn(requester: Requester, list: AccessList): CapabilitySet {
  if (requester.orgId !== list.orgId || requester.suspended) return noCapabilities;
  return effectiveOf(requester, new Sayings(requester, list, 'doc.read'));
}

export function decide(requester: Requester, list: AccessList, action: Capability): Decision {
  if (requester.orgId !== list.orgId) return OTHER_ORG;
  if (requester.suspended) return SUSPENDED;
  const said = new Sayings(requester, list, action);

  const granted = unionOf(requester.roleCapabilities, said.allowed);
  const effective = effectiveOf(requester, said);
  const hidden = !hasCapability(effective, 'doc.read');
  const denying = said.denying;
  if (denying !== undefined) return { allowed: false, hidden, reason: 'rule_denies', decidedBy: denying.id };
  if (!hasCapability(granted, action)) return { allowed: false, hidden, reason: 'nothing_allows', decidedBy: 'default' };
  if (!hasCapability(effective, action)) return { allowed: false, hidden, reason: 'outside_scope', decidedBy: 'scope' };
  if (hasCapability(requester.roleCapabilities, action)) {
    return { allowed: true, hidden, reason: 'role_allows', decidedBy: 'role' };
  }
  return { allowed: true, hidden, reason: 'rule_allows', decidedBy: (said.allowing as AccessRule).id };
}

function effectiveOf(requester: Requester, said: Sayings): CapabilitySet {
  const granted = unionOf(requester.roleCapabilities, said.allowed);
  return intersectionOf(differenceOf(granted, said.denied), requester.tokenScope);
}

/** What the rules of a list say about one requester. */
class Sayings {
  denied: CapabilitySet = noCapabilities;
  allowed: CapabilitySet = noCapabilities;
  readonly #list: AccessList;
  readonly #action: Capability;
  /** The least position of a rule that denies the action, and of one that allows it. */
  #denyingAt = NOWHERE;
  #allowingAt = NOWHERE;

  /** What rules below the org cannot deny to the requester. */
  #kept: CapabilitySet = noCapabilities;

  constructor(requester: Requester, list: AccessList, action: Capability) {
    this.#list = list;
    this.#action = action;
    // The org first: its rules say whether he administers it.
    for (let index = list.places.length - 1; index >= 0; index--) {
      this.#hear(requester, index);
      if (list.places[index]?.place.kind === 'org') this.#kept = keptBy(requester, this.denied);
    }
  }

  get denying(): AccessRule | undefined {
    return this.#ruleAt(this.#denyingAt);
  }

  get allowing(): AccessRule | undefined {
    return this.#ruleAt(this.#allowingAt);
  }

  #hear(requester: Requester, placeIndex: number): void {
    const { bySubject } = this.#list.places[placeIndex] as CompiledRules;
    const { groups } = requester;
    this.#note(placeIndex, bySubject.get(requester.principalId));
    if (groups.size <= bySubject.size) {
      for (const group of groups) this.#note(placeIndex, bySubject.get(group));
    } else {
      for (const [subject, rules] of bySubject) if (groups.has(subject as GroupId)) this.#note(placeIndex, rules);
    }
  }

  #note(placeIndex: number, rules: SubjectRules | undefined): void {
    if (rules === undefined) return;
    const denied = differenceOf(rules.denied, this.#kept);
    this.denied = unionOf(this.denied, denied);
    this.allowed = unionOf(this.allowed, rules.allowed);
    if (hasCapability(denied, this.#action)) {
      this.#denyingAt = Math.min(this.#denyingAt, this.#positionOf(placeIndex, rules, 'deny'));
    }
    if (hasCapability(rules.allowed, this.#action)) {
      this.#allowingAt = Math.min(this.#allowingAt, this.#positionOf(placeIndex, rules, 'allow'));
    }
  }

  #positionOf(placeIndex: number, { indexes }: SubjectRules, effect: RuleEffect): number {
    const { rules } = this.#list.places[placeIndex] as CompiledRules;
    for (const index of indexes) {
      const rule = rules[index] as AccessRule;
      if (rule.effect === effect && hasCapability(rule.actions, this.#action)) return placeIndex * limits.accessRulesMax + index;
    }
    return NOWHERE;
  }

  #ruleAt(position: number): AccessRule | undefined {
    const place = this.#list.places[Math.floor(position / limits.accessRulesMax)];
    return place?.rules[position % limits.accessRulesMax];
  }
}

/** Of somebody whose role lets him change rules, while the org's rules do. */
function keptBy({ roleCapabilities }: Requester, deniedByOrg: CapabilitySet): CapabilitySet {
  return hasCapability(differenceOf(roleCapabilities, deniedByOrg), 'acl.admin') ? undoing : noCapabilities;
}

/** What it takes to see a place and to take its rules back. The database knows it too: core.undoing (migrations). */
export const undoing = capabilitySet('doc.read', 'acl.admin');

const NOWHERE = Number.MAX_SAFE_INTEGER;
