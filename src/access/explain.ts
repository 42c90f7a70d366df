import { type Capability, capabilityNames, hasCapability } from '../core/capability.ts';
import type { AccessList } from './access-list.ts';
import { type Decision, decide, type Requester } from './decide.ts';
import type { AccessRule, RulePlace, SubjectId } from './rule.ts';

/** With what the action would be asked for; its scope is the requester's `tokenScope`. */
export type ExplainedCredential =
  /** About the principal alone: whatever the scope of a credential leaves out is not looked at. */
  | { readonly kind: 'none' }
  /** Some credential of this scope. */
  | { readonly kind: 'scope' }
  | { readonly kind: 'api_key'; readonly id: string; readonly refusedFor?: 'revoked' | 'expired' }
  | { readonly kind: 'token'; readonly id: string };

/** A credential that is refused before anything is decided. */
export interface CredentialRefused {
  readonly allowed: false;
  readonly hidden: false;
  readonly reason: 'credential_refused';
  readonly decidedBy: 'credential';
}

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
  readonly decision: Decision | CredentialRefused;
  readonly credential: ExplainedCredential;
  /** Every rule, in the order in which places are asked. Empty when the decision fell before any rule was looked at. */
  readonly considered: readonly ConsideredRule[];
  /** The same in plain words: the question, a line a rule, and what decided. */
  readonly lines: readonly string[];
}

/** Decides as `decide` does, and says why. */
export function explain(
  requester: Requester,
  list: AccessList,
  action: Capability,
  credential: ExplainedCredential = { kind: 'none' },
): Explanation {
  if (credential.kind === 'api_key' && credential.refusedFor !== undefined) {
    return explainRefused(requester, action, { ...credential, refusedFor: credential.refusedFor });
  }
  const decision = decide(requester, list, action);
  const fellBefore = decision.reason === 'other_org' || decision.reason === 'suspended';
  const considered = fellBefore ? [] : considerAll(requester, list, action, decision);
  const lines = [
    `May principal ${requester.principalId} ${action}?`,
    ...considered.map((one) => ruleLine(one, action)),
    ...(fellBefore ? [] : [roleLine(requester, action), scopeLine(requester, action, credential)]),
    verdictLine(decision, action),
  ];
  return { decision, credential, considered, lines };
}

function explainRefused(
  { principalId }: Requester,
  action: Capability,
  credential: { readonly kind: 'api_key'; readonly id: string; readonly refusedFor: 'revoked' | 'expired' },
): Explanation {
  const fate = credential.refusedFor === 'revoked' ? 'was revoked' : 'has expired';
  return {
    decision: { allowed: false, hidden: false, reason: 'credential_refused', decidedBy: 'credential' },
    credential,
    considered: [],
    lines: [
      `May principal ${principalId} ${action}?`,
      `API key ${credential.id} ${fate}.`,
      'Denied: the key is refused before anything is decided, so that no role and no rule matters.',
    ],
  };
}

/** Of an action that would be allowed to somebody who may not read the thing: nobody does anything to what is hidden from him. */
export function explainHidden(action: Explanation, reading: Explanation): Explanation {
  const lines = [...action.lines, 'But nobody does anything to what he may not read.', ...reading.lines];
  return { ...reading, lines };
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

/** What the credential of the question includes, or that there is none. */
export function scopeLine(requester: Requester, action: Capability, credential: ExplainedCredential): string {
  const included = hasCapability(requester.tokenScope, action);
  if (credential.kind === 'none' && included) {
    return `This is about the principal without a credential: a key or token whose scope leaves ${action} out is refused all the same.`;
  }
  return `The scope of ${credentialWords(credential)} ${included ? 'includes' : 'does not include'} ${action}.`;
}

function credentialWords(credential: ExplainedCredential): string {
  switch (credential.kind) {
    case 'api_key':
      return `API key ${credential.id}`;
    case 'token':
      return `token ${credential.id}`;
    default:
      return 'the credential';
  }
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
      return `the principal may ${action}, but the scope of its credential leaves that out`;
    case 'nothing_allows':
      return 'no role and no rule allows it';
  }
}
