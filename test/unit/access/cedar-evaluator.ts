import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { AccessRule, RulePlace } from '../../../src/access/rule.ts';
import {
  type Capability,
  type CapabilitySet,
  capabilities,
  capabilityNames,
  hasCapability,
} from '../../../src/core/capability.ts';
import { groups, type Question, type Resource } from './arbitrary-question.ts';

/**
 * The same question for Cedar, a policy engine of others: rules become policies, folders and orgs the ancestors of the
 * document, so what hangs on a folder is inherited by Cedar's own notion of hierarchy and not by ours.
 */
export function cedarVerdict(question: Question, action: Capability): { allowed: boolean; decidedBy: readonly string[] } {
  const { requester, resource } = question;
  const answer = isAuthorized({
    principal: { type: 'User', id: requester.principalId },
    action: { type: 'Action', id: action },
    resource: { type: 'Document', id: resource.documentId },
    context: { scope: capabilityNames(requester.tokenScope).map((id) => ({ __entity: { type: 'Action', id } })) },
    policies: { staticPolicies: policiesOf(question) },
    entities: entitiesOf(question),
  });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) throw new Error(JSON.stringify(diagnostics.errors));
  return { allowed: decision === 'allow', decidedBy: diagnostics.reason };
}

function policiesOf({ requester, resource }: Question): Record<string, string> {
  const rules = resource.places.flatMap(({ place, rules: list }) =>
    list.map((rule) => [rule.id, policyOf(rule, placeOf(place, resource)) + exceptionOf(rule, place)] as const),
  );
  return {
    ...Object.fromEntries(rules),
    role: `permit(principal == User::"${requester.principalId}", action in ${actionsOf(requester.roleCapabilities)}, resource);`,
    scope: 'forbid(principal, action, resource) unless { context.scope.contains(action) };',
    principal: 'forbid(principal, action, resource) when { principal.suspended };',
    org: 'forbid(principal, action, resource) unless { resource in principal.org };',
  };
}

/** Administrators see every place and may change its rules, unless the org's own rules are against it. */
function exceptionOf({ effect }: AccessRule, { kind }: RulePlace): string {
  if (effect === 'allow' || kind === 'org') return ';';
  return ' unless { principal.administers && action in [Action::"doc.read", Action::"acl.admin"] };';
}

function policyOf(rule: AccessRule, place: string): string {
  const effect = rule.effect === 'allow' ? 'permit' : 'forbid';
  const subjects = rule.principals.map((id) => `${(groups as readonly string[]).includes(id) ? 'Group' : 'User'}::"${id}"`);
  return `${effect}(principal, action in ${actionsOf(rule.actions)}, resource in ${place}) when { principal in [${subjects}] }`;
}

function actionsOf(set: CapabilitySet): string {
  return `[${capabilityNames(set).map((name) => `Action::"${name}"`)}]`;
}

function placeOf(place: RulePlace, { documentId, orgId }: Resource): string {
  if (place.kind === 'document') return `Document::"${documentId}"`;
  return place.kind === 'folder' ? `Folder::"${place.folderId}"` : `Org::"${orgId}"`;
}

function entitiesOf(question: Question): Parameters<typeof isAuthorized>[0]['entities'] {
  const { requester, resource } = question;
  const chain = [
    { type: 'Document', id: resource.documentId as string },
    ...resource.places.flatMap(({ place }) =>
      place.kind === 'folder' ? [{ type: 'Folder', id: place.folderId as string }] : [],
    ),
    { type: 'Org', id: resource.orgId as string },
  ];
  return [
    {
      uid: { type: 'User', id: requester.principalId },
      attrs: {
        suspended: requester.suspended,
        administers: administers(question),
        org: { __entity: { type: 'Org', id: requester.orgId } },
      },
      parents: [...requester.groups].map((id) => ({ type: 'Group', id })),
    },
    ...chain.map((uid, index) => ({ uid, attrs: {}, parents: chain.slice(index + 1, index + 2) })),
    ...capabilities.map((id) => ({ uid: { type: 'Action', id }, attrs: {}, parents: [] })),
  ];
}

function administers({ requester, resource }: Question): boolean {
  const ofOrg = resource.places.flatMap(({ place, rules }) => (place.kind === 'org' ? rules : []));
  const who: readonly string[] = [requester.principalId, ...requester.groups];
  const denied = ofOrg.some(
    (rule) =>
      rule.effect === 'deny' && hasCapability(rule.actions, 'acl.admin') && rule.principals.some((id) => who.includes(id)),
  );
  return hasCapability(requester.roleCapabilities, 'acl.admin') && !denied;
}
