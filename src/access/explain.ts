import { type Capability, capabilityNames, hasCapability } from '../core/capability.ts';
import type { AccessList } from './access-list.ts';
import { type Decision, decide, type Requester } from './decide.ts';
import type { AccessRule, RulePlace, SubjectId } from './rule.ts';

/** How one rule bears on a decision: it decides; it applies, but another one decides; it is about something else. */
export type RuleOutcome = 'decides' | 'applies' | 'other_action' | 'other_principal';

export interface ConsideredRule {
  readonly rule: AccessRule;
  readonly place: RulePlace;
  readonly outcome: RuleOutcome;
  /** The principal or those of its groups that the rule names. */
  readonly matched: readonly SubjectId[];
}

export interface Explanation {
  readonly decision: Decision;
  /** Every rule, in the order in which places are asked. Empty when the decision fell before any rule was looked at. */
  readonly considered: readonly ConsideredRule[];
  /** The same in plain words: the question, a line a rule, and what decided. */
  readonly lines: readonly string[];
}

/** Decides as `decide` does, and says why. */
export function explain(requester: Requester, list: AccessList, action: Capability): Explanation {
  const decision = decide(requester, list, action);
  const fellBefore = decision.reason === 'other_org' || decision.reason === 'suspended';
  const considered = fellBefore ? [] : considerAll(requester, list, action, decision);
  const lines = [
    `May principal ${requester.principalId} ${action}?`,
    ...considered.map((one) => ruleLine(one, action)),
    ...(fellBefore ? [] : [roleLine(requester, action), scopeLine(requester, action)]),
    verdictLine(decision, action),
  ];
  return { decision, considered, lines };
}

/** Of an action that would be allowed to somebody who may not read the thing: nobody does anything to what is hidden from him. */
export function explainHidden(action: Explanation, reading: Explanation): Explanation {
  const lines = [...action.lines, 'But nobody does anything to what he may not read.', ...reading.lines];
  return { decision: reading.decision, considered: reading.considered, lines };
}

function considerAll(requester: Requester, list: AccessList, action: Capability, decision: Decision): ConsideredRule[] {
  return list.places.flatMap(({ place, rules }) =>
    rules.map((rule) => {
      const matched = rule.principals.filter((id) => id === requester.principalId || isGroupOf(requester, id));
      return { rule, place, outcome: outcomeOf(rule, { matched: matched.length > 0, action, decision }), matched };
    }),
  );
}

function outcomeOf(rule: AccessRule, facts: { matched: boolean; action: Capability; decision: Decision }): RuleOutcome {
  if (!facts.matched) return 'other_principal';
  if (!hasCapability(rule.actions, facts.action)) return 'other_action';
  return rule.id === facts.decision.decidedBy ? 'decides' : 'applies';
}

function isGroupOf(requester: Requester, id: SubjectId): boolean {
  return (requester.groups as ReadonlySet<SubjectId>).has(id);
}

/** One rule, in plain words. */
export function ruleLine({ rule, place, outcome, matched }: ConsideredRule, action: Capability): string {
  const verb = rule.effect === 'deny' ? 'denies' : 'allows';
  const said = `Rule ${rule.id} ${placeWords(place)} ${verb} ${capabilityNames(rule.actions).join(', ')}`;
  const whom = `to ${matched.join(', ')}`;
  switch (outcome) {
    case 'decides':
      return `${said} ${whom}: it decides.`;
    case 'applies':
      return `${said} ${whom}: it applies, but does not decide.`;
    case 'other_action':
      return `${said} ${whom}: it does not speak of ${action}.`;
    case 'other_principal':
      return `${said} to others.`;
  }
}

function placeWords(place: RulePlace): string {
  switch (place.kind) {
    case 'document':
      return 'at the document';
    case 'folder':
      return `at folder ${place.folderId}`;
    case 'org':
      return 'at the org';
  }
}

function roleLine(requester: Requester, action: Capability): string {
  return `The roles of the principal ${hasCapability(requester.roleCapabilities, action) ? 'include' : 'do not include'} ${action}.`;
}

function scopeLine(requester: Requester, action: Capability): string {
  return `The scope of the token ${hasCapability(requester.tokenScope, action) ? 'includes' : 'does not include'} ${action}.`;
}

function verdictLine(decision: Decision, action: Capability): string {
  const verdict = decision.allowed ? 'Allowed' : 'Denied';
  const answer =
    decision.allowed || !decision.hidden ? '' : ' The principal may not read it, so the answer is that there is no such thing.';
  return `${verdict}: ${reasonWords(decision, action)}.${answer}`;
}

function reasonWords({ reason, decidedBy }: Decision, action: Capability): string {
  switch (reason) {
    case 'other_org':
      return 'it belongs to another org';
    case 'suspended':
      return 'the principal is suspended';
    case 'rule_denies':
      return `rule ${decidedBy} denies it, and a denial outweighs all that allows`;
    case 'role_allows':
      return 'a role of the principal includes it, and no rule denies it';
    case 'rule_allows':
      return `rule ${decidedBy} allows it, and no rule denies it`;
    case 'outside_scope':
      return `the principal may ${action}, but the scope of its token leaves that out`;
    case 'nothing_allows':
      return 'no role and no rule allows it';
  }
}
