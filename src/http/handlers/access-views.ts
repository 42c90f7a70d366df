import type { ConsideredRule, ExplainedCredential } from '../../access/explain.ts';
import type { Folder } from '../../access/folder-store.ts';
import type { Group } from '../../access/group-store.ts';
import type { ListedKey } from '../../access/key-store.ts';
import type { NarrowedExplanation } from '../../access/narrowed-explanation.ts';
import type { Org } from '../../access/org-store.ts';
import type { Principal } from '../../access/principal-store.ts';
import type { AccessRule, RulePlace } from '../../access/rule.ts';
import type { RuleChange, RuleSet } from '../../access/rule-store.ts';
import { type Capability, capabilityNames } from '../../core/capability.ts';
import { toTimestamp } from '../../core/clock.ts';
import type { PrincipalId } from '../../core/ids.ts';

type View = Record<string, unknown>;

export function orgView({ orgId, name, createdAtMs, suspendedAtMs }: Org): View {
  return { orgId, name, createdAt: toTimestamp(createdAtMs), suspendedAt: timeOrNull(suspendedAtMs) };
}

export function principalView(principal: Principal): View {
  const { principalId, kind, name, subject, roles, createdAtMs, suspendedAtMs } = principal;
  return {
    principalId,
    kind,
    name,
    subject: subject ?? null,
    roles,
    createdAt: toTimestamp(createdAtMs),
    suspendedAt: timeOrNull(suspendedAtMs),
  };
}

export function groupView({ groupId, name, createdAtMs }: Group): View {
  return { groupId, name, createdAt: toTimestamp(createdAtMs) };
}

export function folderView({ folderId, parentId, name, caseNumber, createdAtMs }: Folder): View {
  return {
    folderId,
    parentId: parentId ?? null,
    name,
    caseNumber: caseNumber ?? null,
    createdAt: toTimestamp(createdAtMs),
  };
}

/** Never with the key itself. */
export function keyView(key: ListedKey): View {
  const { keyId, principalId, name, scope, createdAtMs, expiresAtMs, revokedAtMs, lastUsedAtMs } = key;
  return {
    keyId,
    principalId,
    name,
    scope: capabilityNames(scope),
    createdAt: toTimestamp(createdAtMs),
    expiresAt: timeOrNull(expiresAtMs),
    revokedAt: timeOrNull(revokedAtMs),
    lastUsedAt: timeOrNull(lastUsedAtMs),
  };
}

export function rulesView({ version, rules }: RuleSet): View {
  return { version, rules: rules.map(ruleView) };
}

export function ruleChangeView(change: RuleChange): View {
  return { ...rulesView(change), changedBy: change.changedBy, changedAt: toTimestamp(change.changedAtMs) };
}

export function explanationView(principalId: PrincipalId, action: Capability, explanation: NarrowedExplanation): View {
  const { decision, credential, considered, lines } = explanation;
  return {
    principalId,
    action,
    credential: credentialView(credential),
    ...decision,
    considered: considered.map(consideredView),
    lines,
  };
}

function credentialView(credential: ExplainedCredential): View | null {
  if (credential.kind === 'none') return null;
  return { kind: credential.kind, id: 'id' in credential ? credential.id : null };
}

function consideredView({ rule, place, outcome, matched }: ConsideredRule): View {
  return { rule: ruleView(rule), place: placeView(place), outcome, matched };
}

function ruleView({ id, effect, actions, principals }: AccessRule): View {
  return { id, effect, actions: capabilityNames(actions), principals };
}

function placeView(place: RulePlace): View {
  return { kind: place.kind, folderId: place.kind === 'folder' ? place.folderId : null };
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : toTimestamp(ms);
}
