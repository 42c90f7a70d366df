import fc from 'fast-check';
import t from 'tap';
import { decide, effectiveOn, type Requester, undoing } from '../../../src/access/decide.ts';
import { capabilitiesOf } from '../../../src/access/role.ts';
import type { AccessRule, RuleEffect, RulePlace, SubjectId } from '../../../src/access/rule.ts';
import {
  allCapabilities,
  type Capability,
  capabilities,
  capabilitySet,
  hasCapability,
  noCapabilities,
} from '../../../src/core/capability.ts';
import type { DocumentId, FolderId, GroupId, OrgId, PrincipalId, RuleId } from '../../../src/core/ids.ts';
import { folders, groups, idOf, listOf, orgs, question, type Resource, users } from './arbitrary-question.ts';
import { cedarVerdict } from './cedar-evaluator.ts';
import { referenceVerdict } from './reference-evaluator.ts';

const [org, otherOrg] = orgs as [OrgId, OrgId];
const [anna, bert] = users as [PrincipalId, PrincipalId];
const [clerks, visitors] = groups as [GroupId, GroupId];
const [inner, outer] = folders as [FolderId, FolderId];

const document: RulePlace = { kind: 'document' };
const innerFolder: RulePlace = { kind: 'folder', folderId: inner };
const outerFolder: RulePlace = { kind: 'folder', folderId: outer };
const wholeOrg: RulePlace = { kind: 'org' };

function requester(changes: Partial<Requester> = {}): Requester {
  const plain = { orgId: org, principalId: anna, groups: new Set([clerks]), suspended: false };
  return { ...plain, roleCapabilities: noCapabilities, tokenScope: allCapabilities, ...changes };
}

let rulesMade = 0;
function rule(effect: RuleEffect, action: Capability, ...principals: SubjectId[]): AccessRule {
  return { id: idOf<RuleId>('4', rulesMade++), effect, actions: capabilitySet(action), principals };
}

function resource(...hanging: (readonly [RulePlace, ...AccessRule[]])[]): Resource {
  const places = [document, innerFolder, outerFolder, wholeOrg].map((place) => ({
    place,
    rules: hanging.flatMap(([where, ...rules]) => (where === place ? rules : [])),
  }));
  return { orgId: org, documentId: idOf<DocumentId>('5', 0), places };
}

t.test('what nobody allows is denied', async (t) => {
  t.same(decide(requester(), listOf(resource()), 'doc.read'), {
    allowed: false,
    hidden: true,
    reason: 'nothing_allows',
    decidedBy: 'default',
  });
});

t.test('another org decides before anything else, and hides', async (t) => {
  const all = requester({ orgId: otherOrg, roleCapabilities: allCapabilities });
  t.match(decide(all, listOf(resource([wholeOrg, rule('allow', 'doc.read', anna)])), 'doc.read'), {
    allowed: false,
    hidden: true,
    decidedBy: 'org',
  });
});

t.test('a suspended principal may nothing, with whatever role, rule and token', async (t) => {
  const suspended = requester({ suspended: true, roleCapabilities: allCapabilities });
  const list = listOf(resource([document, rule('allow', 'doc.read', anna)]));
  for (const action of capabilities) {
    t.match(decide(suspended, list, action), { allowed: false, hidden: true, reason: 'suspended', decidedBy: 'principal' });
  }
});

for (const place of [document, innerFolder, outerFolder, wholeOrg]) {
  const where = place.kind === 'folder' ? (place === innerFolder ? 'its folder' : "its folder's parent") : `the ${place.kind}`;

  t.test(`a rule at ${where} allows the principal and the members of a group, and nobody else`, async (t) => {
    const toAnna = rule('allow', 'doc.read', anna);
    const toClerks = rule('allow', 'doc.read', clerks);
    const list = listOf(resource([place, toAnna]));
    t.match(decide(requester(), list, 'doc.read'), { allowed: true, hidden: false, decidedBy: toAnna.id });
    t.match(decide(requester({ principalId: bert }), list, 'doc.read'), { allowed: false, decidedBy: 'default' });
    const byGroup = listOf(resource([place, toClerks]));
    t.match(decide(requester({ principalId: bert }), byGroup, 'doc.read'), { allowed: true, decidedBy: toClerks.id });
    t.match(decide(requester({ groups: new Set([visitors]) }), byGroup, 'doc.read'), { allowed: false });
  });

  t.test(`a denial at ${where} outweighs the role and every rule that allows`, async (t) => {
    const allowing = [document, innerFolder, outerFolder, wholeOrg].map(
      (at) => [at, rule('allow', 'doc.read', anna, clerks)] as const,
    );
    for (const subject of [anna, clerks]) {
      const denial = rule('deny', 'doc.read', subject);
      const list = listOf(resource(...allowing, [place, denial]));
      t.same(decide(requester({ roleCapabilities: capabilitiesOf(['clerk']) }), list, 'doc.read'), {
        allowed: false,
        hidden: true,
        reason: 'rule_denies',
        decidedBy: denial.id,
      });
    }
  });
}

t.test('of several denials the nearest to the document decides, there the first of the list', async (t) => {
  const denials = [rule('deny', 'doc.read', clerks), rule('deny', 'doc.read', anna)] as const;
  const far = rule('deny', 'doc.read', anna);
  const list = listOf(resource([innerFolder, ...denials], [wholeOrg, far]));
  t.equal(decide(requester(), list, 'doc.read').decidedBy, denials[0].id);
  t.equal(decide(requester({ groups: new Set() }), list, 'doc.read').decidedBy, denials[1].id);
});

t.test('a token narrows what role and rules give, and never widens it', async (t) => {
  const list = listOf(resource([document, rule('allow', 'doc.write', anna)]));
  const reader = requester({
    roleCapabilities: capabilitySet('doc.read', 'doc.delete'),
    tokenScope: capabilitySet('doc.read', 'acl.admin'),
  });
  t.match(decide(reader, list, 'doc.read'), { allowed: true, decidedBy: 'role' });
  t.match(decide(reader, list, 'doc.write'), { allowed: false, hidden: false, reason: 'outside_scope', decidedBy: 'scope' });
  t.match(decide(reader, list, 'doc.delete'), { allowed: false, reason: 'outside_scope' });
  t.match(decide(reader, list, 'acl.admin'), { allowed: false, reason: 'nothing_allows' });
});

t.test('whoever may read is told of a denial, whoever may not gets it hidden', async (t) => {
  const reading = listOf(resource([innerFolder, rule('allow', 'doc.read', anna)]));
  t.match(decide(requester(), reading, 'doc.delete'), { allowed: false, hidden: false });
  t.match(decide(requester({ tokenScope: capabilitySet('doc.delete') }), reading, 'doc.delete'), {
    allowed: false,
    hidden: true,
  });
  const withdrawn = listOf(
    resource([innerFolder, rule('allow', 'doc.read', anna)], [wholeOrg, rule('deny', 'doc.read', clerks)]),
  );
  t.match(decide(requester(), withdrawn, 'doc.delete'), { allowed: false, hidden: true });
});

t.test('a rule speaks of its own actions only', async (t) => {
  const list = listOf(resource([document, rule('deny', 'doc.read', anna), rule('allow', 'doc.write', anna)]));
  t.match(decide(requester(), list, 'doc.write'), { allowed: true, hidden: true });
});

t.test('rules in documents and folders take neither sight nor the changing of rules from an administrator', async (t) => {
  const administrator = requester({ roleCapabilities: capabilitiesOf(['admin']) });
  for (const place of [document, innerFolder, outerFolder]) {
    for (const subject of [anna, clerks]) {
      const denials = capabilities.map((name) => rule('deny', name, subject));
      const list = listOf(resource([place, ...denials]));
      t.equal(effectiveOn(administrator, list), undoing);
      t.match(decide(administrator, list, 'acl.admin'), { allowed: true, hidden: false, reason: 'role_allows' });
      t.match(decide(administrator, list, 'blob.read'), { allowed: false, hidden: false, reason: 'rule_denies' });
    }
  }
});

t.test('who changes rules by a rule alone, or may not in the org, is denied like anybody else', async (t) => {
  const denial = rule('deny', 'doc.read', anna);
  const delegated = listOf(resource([wholeOrg, rule('allow', 'acl.admin', anna)], [innerFolder, denial]));
  t.match(decide(requester({ roleCapabilities: capabilitiesOf(['clerk']) }), delegated, 'doc.read'), { decidedBy: denial.id });
  const deposed = listOf(resource([wholeOrg, rule('deny', 'acl.admin', clerks)], [innerFolder, denial]));
  t.match(decide(requester({ roleCapabilities: allCapabilities }), deposed, 'doc.read'), { decidedBy: denial.id });
});

t.test('whoever administers the org can see and undo every rule in it, over random rules', async (t) => {
  let administrators = 0;
  fc.assert(
    fc.property(question, fc.boolean(), (asked, asAdministrator) => {
      const roleCapabilities = asAdministrator ? capabilitiesOf(['admin']) : asked.requester.roleCapabilities;
      const one = { ...asked.requester, roleCapabilities, tokenScope: allCapabilities, suspended: false, orgId: org };
      const thing = { ...asked.resource, orgId: org };
      const inOrg = effectiveOn(one, listOf({ ...thing, places: thing.places.filter(({ place }) => place.kind === 'org') }));
      if (!hasCapability(roleCapabilities, 'acl.admin') || (inOrg & undoing) !== undoing) return true;
      administrators += 1;
      return (effectiveOn(one, listOf(thing)) & undoing) === undoing;
    }),
    { numRuns: 2000 },
  );
  t.ok(administrators > 100, 'there are such');
});

t.test('decisions are those of the order written down plainly, over random rules', async (t) => {
  fc.assert(
    fc.property(question, (asked) => {
      const { allowed, hidden } = decide(asked.requester, listOf(asked.resource), asked.action);
      const expected = referenceVerdict(asked);
      return allowed === expected.allowed && hidden === expected.hidden;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('decisions, and what decided them, are those of Cedar, over random rules', async (t) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(question, (asked) => {
      const { allowed, hidden, reason, decidedBy } = decide(asked.requester, listOf(asked.resource), asked.action);
      const cedar = cedarVerdict(asked, asked.action);
      seen.add(reason);
      // Cedar names every policy that decided; without a permit, it may still say that the scope forbids.
      const agreed =
        decidedBy === 'default' ? cedar.decidedBy.every((id) => id === 'scope') : cedar.decidedBy.includes(decidedBy);
      return allowed === cedar.allowed && agreed && hidden === !cedarVerdict(asked, 'doc.read').allowed;
    }),
    { numRuns: 300 },
  );
  t.ok(seen.has('rule_denies') && seen.has('rule_allows') && seen.has('nothing_allows'), 'the random rules do decide');
});
