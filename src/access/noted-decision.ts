import type { EventDecision, EventRule, EventRulesVersion } from '../audit/event-origin.ts';
import type { NotedDecision } from '../audit/note-maker.ts';
import { type Capability, hasCapability } from '../core/capability.ts';
import { type AccessList, findRule } from './access-list.ts';
import type { Decision } from './decide.ts';
import { capabilitiesOf, type Role } from './role.ts';

/** What was decided: about which capability, by what, under which rules. */
export interface Decided {
  readonly capability: Capability;
  readonly reason: Decision['reason'] | 'disposed';
  readonly decidedBy?: Decision['decidedBy'];
  /** Undefined: there is no such thing, or nothing but the credential's scope was looked at. */
  readonly list?: AccessList | undefined;
  /** Of whoever asks. */
  readonly roles: readonly Role[];
}

/** A decision as events of the audit log tell it, from which it can be understood without this program and its database. */
export function notedDecision(decided: Decided): NotedDecision {
  const { capability, reason, decidedBy = '', list } = decided;
  return {
    key: `${capability} ${reason} ${decidedBy} ${list?.version ?? ''}`,
    describe: () => describe(decided),
  };
}

function describe({ capability, reason, decidedBy, list, roles }: Decided): EventDecision {
  const rule = list === undefined || decidedBy === undefined ? undefined : describeRule(list, decidedBy);
  return {
    reason,
    capability,
    ...(rule === undefined ? {} : { rule }),
    ...(reason === 'role_allows' ? { roles: roles.filter((role) => hasCapability(capabilitiesOf([role]), capability)) } : {}),
    ...(list === undefined ? {} : { rules: versionsOf(list) }),
  };
}

function describeRule(list: AccessList, decidedBy: Decision['decidedBy']): EventRule | undefined {
  const found = findRule(list, decidedBy);
  return found && { id: found.rule.id, effect: found.rule.effect, place: { kind: found.place.kind, id: found.placeId } };
}

/** Places that never had any rules are left out. */
function versionsOf({ places }: AccessList): EventRulesVersion[] {
  return places
    .filter(({ version }) => version > 0)
    .map(({ place, placeId, version }) => ({ kind: place.kind, id: placeId, version }));
}
