import fc from 'fast-check';
import t from 'tap';
import { decide, type Requester } from '../../../src/access/decide.ts';
import { explain, explainHidden } from '../../../src/access/explain.ts';
import type { AccessRule } from '../../../src/access/rule.ts';
import { allCapabilities, capabilitySet } from '../../../src/core/capability.ts';
import type { DocumentId, FolderId, GroupId, OrgId, PrincipalId, RuleId } from '../../../src/core/ids.ts';
import { folders, groups, idOf, listOf, orgs, question, type Resource, users } from './arbitrary-question.ts';

const [org, otherOrg] = orgs as [OrgId, OrgId];
const [anna, bert] = users as [PrincipalId, PrincipalId];
const [clerks] = groups as [GroupId];
const [folder] = folders as [FolderId];

const [readAtDocument, othersAtFolder, denyAtFolder, denyAtOrg] = [0, 1, 2, 3].map((index) => idOf<RuleId>('4', index)) as [
  RuleId,
  RuleId,
  RuleId,
  RuleId,
];
const atDocument: AccessRule = { id: readAtDocument, effect: 'allow', actions: capabilitySet('doc.read'), principals: [anna] };
const atFolder: readonly AccessRule[] = [
  { id: othersAtFolder, effect: 'allow', actions: capabilitySet('doc.read', 'doc.write'), principals: [bert] },
  { id: denyAtFolder, effect: 'deny', actions: capabilitySet('doc.write'), principals: [bert, clerks] },
];
const atOrg: AccessRule = { id: denyAtOrg, effect: 'deny', actions: capabilitySet('doc.write'), principals: [clerks] };

const resource: Resource = {
  orgId: org,
  documentId: idOf<DocumentId>('5', 0),
  places: [
    { place: { kind: 'document' }, rules: [atDocument] },
    { place: { kind: 'folder', folderId: folder }, rules: atFolder },
    { place: { kind: 'org' }, rules: [atOrg] },
  ],
};

const clerk: Requester = {
  orgId: org,
  principalId: anna,
  groups: new Set([clerks]),
  suspended: false,
  roleCapabilities: capabilitySet('doc.write'),
  tokenScope: allCapabilities,
};

t.test('a denial is explained rule by rule, and the rule that decided is named', async (t) => {
  const { decision, considered, lines } = explain(clerk, listOf(resource), 'doc.write');
  t.match(decision, { allowed: false, hidden: false, decidedBy: denyAtFolder });
  t.same(
    considered.map(({ rule, outcome, matched }) => [rule.id, outcome, matched]),
    [
      [readAtDocument, 'other_action', [anna]],
      [othersAtFolder, 'other_principal', []],
      [denyAtFolder, 'decides', [clerks]],
      [denyAtOrg, 'applies', [clerks]],
    ],
  );
  t.same(lines, [
    `May principal ${anna} doc.write?`,
    `Rule ${readAtDocument} at the document allows doc.read to ${anna}: it does not speak of doc.write.`,
    `Rule ${othersAtFolder} at folder ${folder} allows doc.read, doc.write to others.`,
    `Rule ${denyAtFolder} at folder ${folder} denies doc.write to ${clerks}: it decides.`,
    `Rule ${denyAtOrg} at the org denies doc.write to ${clerks}: it applies, but does not decide.`,
    'The roles of the principal include doc.write.',
    'This is about the principal without a credential: a key or token whose scope leaves doc.write out is refused all the same.',
    `Denied: rule ${denyAtFolder} denies it, and a denial outweighs all that allows.`,
  ]);
});

t.test('the last line says why, whatever decided', async (t) => {
  const list = listOf(resource);
  const hiding = ' The principal may not read it, so the answer is that there is no such thing.';
  const last = (requester: Requester, action: 'doc.read' | 'doc.export' | 'acl.admin') =>
    explain(requester, list, action).lines.at(-1);
  const exporter = { ...clerk, roleCapabilities: capabilitySet('doc.export') };
  t.equal(last(clerk, 'doc.read'), `Allowed: rule ${readAtDocument} allows it, and no rule denies it.`);
  t.equal(last(exporter, 'doc.export'), 'Allowed: a role of the principal includes it, and no rule denies it.');
  t.equal(last(clerk, 'acl.admin'), 'Denied: no role and no rule allows it.');
  t.equal(
    last({ ...exporter, tokenScope: capabilitySet('doc.read') }, 'doc.export'),
    'Denied: the principal may doc.export, but the scope of its credential leaves that out.',
  );
  t.equal(last({ ...clerk, suspended: true }, 'doc.read'), `Denied: the principal is suspended.${hiding}`);
  t.equal(last({ ...clerk, orgId: otherOrg }, 'doc.read'), `Denied: it belongs to another org.${hiding}`);
  t.equal(last({ ...clerk, principalId: bert, groups: new Set() }, 'doc.export'), 'Denied: no role and no rule allows it.');
  t.equal(
    last({ ...clerk, principalId: users[2] as PrincipalId }, 'doc.read'),
    `Denied: no role and no rule allows it.${hiding}`,
  );
});

t.test('no rule of another org is shown, nor any to a decision that fell before rules', async (t) => {
  for (const changes of [{ orgId: otherOrg }, { suspended: true }]) {
    const { considered, lines } = explain({ ...clerk, ...changes }, listOf(resource), 'doc.read');
    t.same(considered, []);
    t.equal(lines.length, 2);
  }
});

t.test('an explanation decides as the decision does, tells every rule, and lets at most one decide', async (t) => {
  fc.assert(
    fc.property(question, ({ requester, resource: asked, action }) => {
      const list = listOf(asked);
      const { decision, considered } = explain(requester, list, action);
      const same = JSON.stringify(decision) === JSON.stringify(decide(requester, list, action));
      const early = decision.reason === 'other_org' || decision.reason === 'suspended';
      const rules = list.places.flatMap((place) => place.rules);
      const deciding = considered.filter(({ outcome }) => outcome === 'decides').map(({ rule }) => rule.id);
      const byRule = decision.reason === 'rule_denies' || decision.reason === 'rule_allows';
      return (
        same &&
        considered.length === (early ? 0 : rules.length) &&
        deciding.join() === (byRule ? decision.decidedBy : '') &&
        considered.every(({ outcome, matched }) => (outcome === 'other_principal') === (matched.length === 0))
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test('what is allowed on a hidden document is denied, by what keeps it from being read', async (t) => {
  const hidden: Resource = {
    ...resource,
    places: [{ place: { kind: 'document' }, rules: [{ ...atDocument, effect: 'deny' }] }],
  };
  const writing = explain(clerk, listOf(hidden), 'doc.write');
  t.match(writing.decision, { allowed: true, hidden: true });
  const { decision, lines } = explainHidden(writing, explain(clerk, listOf(hidden), 'doc.read'));
  t.match(decision, { allowed: false, hidden: true, reason: 'rule_denies', decidedBy: readAtDocument });
  t.equal(lines[0], `May principal ${anna} doc.write?`);
  t.ok(lines.includes('But nobody does anything to what he may not read.'));
  t.match(lines.at(-1), `Denied: rule ${readAtDocument} denies it`);
});

t.test('what the credential takes away is looked at, and named', async (t) => {
  const list = listOf({ ...resource, places: resource.places.slice(0, 1) });
  const narrow = { ...clerk, tokenScope: capabilitySet('doc.read') };
  const byKey = explain(narrow, list, 'doc.write', { kind: 'api_key', id: 'k' });
  t.match(byKey.decision, { allowed: false, reason: 'outside_scope', decidedBy: 'scope' });
  t.ok(byKey.lines.includes('The scope of API key k does not include doc.write.'));
  t.equal(byKey.lines.at(-1), 'Denied: the principal may doc.write, but the scope of its credential leaves that out.');
  t.ok(explain(narrow, list, 'doc.read', { kind: 'token', id: 'j' }).lines.includes('The scope of token j includes doc.read.'));
  t.ok(explain(narrow, list, 'doc.read', { kind: 'scope' }).lines.includes('The scope of the credential includes doc.read.'));
});

t.test('a key that was revoked or has expired is refused, whatever its principal may', async (t) => {
  for (const refusedFor of ['revoked', 'expired'] as const) {
    const { decision, considered, lines } = explain(clerk, listOf(resource), 'doc.read', {
      kind: 'api_key',
      id: 'k',
      refusedFor,
    });
    t.match(decision, { allowed: false, reason: 'credential_refused', decidedBy: 'credential' });
    t.same(considered, []);
    t.match(lines.join(' '), refusedFor === 'revoked' ? /API key k was revoked\. Denied/ : /API key k has expired\. Denied/);
  }
});
