import type { AccessRule } from '../../../src/access/rule.ts';
import { type Capability, capabilityNames } from '../../../src/core/capability.ts';
import type { Question } from './arbitrary-question.ts';

/** The order of decision, written down once more, as slowly and as plainly as it can be said. */
export function referenceVerdict(question: Question): { readonly allowed: boolean; readonly hidden: boolean } {
  return { allowed: may(question, question.action), hidden: !may(question, 'doc.read') };
}

function may({ requester, resource }: Question, action: Capability): boolean {
  const who: readonly string[] = [requester.principalId, ...requester.groups];
  const ofOrg = resource.places.flatMap(({ place, rules }) => (place.kind === 'org' ? rules : []));
  const isAbout = (rule: AccessRule) => rule.principals.some((subject) => who.includes(subject));
  const administers =
    capabilityNames(requester.roleCapabilities).includes('acl.admin') &&
    !ofOrg.some((rule) => rule.effect === 'deny' && isAbout(rule) && capabilityNames(rule.actions).includes('acl.admin'));
  const isWithoutEffect = (rule: AccessRule) =>
    administers && !ofOrg.includes(rule) && (action === 'doc.read' || action === 'acl.admin');
  const applying = resource.places
    .flatMap(({ rules }) => rules)
    .filter((rule) => capabilityNames(rule.actions).includes(action))
    .filter(isAbout);

  if (requester.orgId !== resource.orgId) return false;
  if (requester.suspended) return false;
  if (applying.some((rule) => rule.effect === 'deny' && !isWithoutEffect(rule))) return false;
  if (!capabilityNames(requester.tokenScope).includes(action)) return false;
  if (capabilityNames(requester.roleCapabilities).includes(action)) return true;
  return applying.some((rule) => rule.effect === 'allow');
}
