import type { AuditEvent } from '../audit/event.ts';
import type { EventDecision, EventRule, EventRulesVersion } from '../audit/event-origin.ts';
import { capabilityNames } from '../core/capability.ts';
import { toTimestamp } from '../core/clock.ts';
import type { RuleChange } from './rule-store.ts';

/** What an event says about how it was decided, in plain words: what was decided then, whatever would be now. */
export interface EventExplanation {
  readonly event: AuditEvent;
  /** The rules among which the one that decided was, as they were then. Undefined: none decided, or they are not known. */
  readonly ruleSet: RuleChange | undefined;
  readonly lines: readonly string[];
}

/** Where the rule that decided hung, and in which version: what `ruleSet` has to be looked up by. */
export function decidingPlace({ decision }: AuditEvent): EventRulesVersion | undefined {
  const place = decision?.rule?.place;
  return place && decision?.rules?.find(({ kind, id }) => kind === place.kind && id === place.id);
}

export function explainEvent(event: AuditEvent, ruleSet: RuleChange | undefined): EventExplanation {
  const { decision } = event;
  const lines = [
    whatLine(event),
    withWhatLine(event),
    ...(decision === undefined ? [undecidedLine(event)] : decisionLines(decision, ruleSet)),
    ...(event.outcome === 'failed' ? [`It was allowed to be tried, and failed with ${event.reason}.`] : []),
  ];
  return { event, ruleSet, lines };
}

function whatLine({ time, principal, outcome, action, resource, requestId }: AuditEvent): string {
  const version = resource.version === undefined ? '' : ` version ${resource.version}`;
  const thing = `${resource.kind} ${resource.id}${version}`;
  const verb = outcome === 'allowed' ? 'was allowed' : outcome === 'denied' ? 'was denied' : 'tried';
  return `At ${time} ${principal.kind} ${principal.id} ${verb} ${action} on ${thing}, in request ${requestId}.`;
}

function withWhatLine({ v, credential, address }: AuditEvent): string {
  if (v === 1) return 'It is an event of version 1, which does not say with what credential, from where and by which rule.';
  const issuer = credential?.issuer === undefined ? '' : ` of ${credential.issuer}`;
  const kind = credential?.kind === 'token' ? 'token' : 'API key';
  const what = credential === undefined ? 'It names no credential' : `It came with ${kind} ${credential.id}${issuer}`;
  return `${what}, ${address === undefined ? 'and no address' : `from ${address}`}.`;
}

function undecidedLine({ v, principal, reason }: AuditEvent): string {
  if (v === 1) return `Its reason is ${reason}.`;
  if (principal.kind === 'anonymous') return `The credential was refused (${reason}), so that nothing was decided.`;
  return principal.kind === 'system' ? 'The server did it by itself.' : `Nothing had to be decided (${reason}).`;
}

function decisionLines(decision: EventDecision, ruleSet: RuleChange | undefined): string[] {
  const { rule, rules = [] } = decision;
  const versions = rules.map(({ kind, id, version }) => `${kind} ${id} version ${version}`);
  const under = versions.length === 0 ? 'No rules were in force.' : `The rules in force were those of ${versions.join(', ')}.`;
  return [decisiveLine(decision), ...(rule === undefined ? [] : [ruleLine(rule, ruleSet)]), under];
}

function decisiveLine({ reason, capability, roles = [], rule }: EventDecision): string {
  const asked = capability ?? 'it';
  switch (reason) {
    case 'role_allows':
      return `${roles.length === 1 ? 'The role' : 'The roles'} ${roles.join(', ')} gave ${asked}, and no rule denied it.`;
    case 'rule_allows':
      return `Rule ${rule?.id} allowed ${asked}, and no rule denied it.`;
    case 'rule_denies':
      return `Rule ${rule?.id} denied ${asked}, and a denial outweighs all that allows.`;
    case 'outside_scope':
      return `The scope of the credential left ${asked} out.`;
    case 'nothing_allows':
      return `No role and no rule allowed ${asked}, or there was no such thing.`;
    case 'disposed':
      return `${asked} would have been allowed, but the document was disposed of.`;
    case 'suspended':
      return 'The principal was suspended.';
    default:
      return `What decided about ${asked} was: ${reason}.`;
  }
}

function ruleLine({ id, place }: EventRule, ruleSet: RuleChange | undefined): string {
  const where = `at ${place.kind} ${place.id}`;
  const found = ruleSet?.rules.find((one) => one.id === id);
  if (ruleSet === undefined || found === undefined) return `The rule hung ${where}.`;
  const verb = found.effect === 'deny' ? 'denied' : 'allowed';
  const said = `${verb} ${capabilityNames(found.actions).join(', ')} to ${found.principals.join(', ')}`;
  return `The rule ${where} ${said}; ${ruleSet.changedBy} made version ${ruleSet.version} of the rules there at ${toTimestamp(ruleSet.changedAtMs)}.`;
}
