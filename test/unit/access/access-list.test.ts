import t from 'tap';
import { compileRules } from '../../../src/access/access-list.ts';
import type { AccessRule, RuleEffect, SubjectId } from '../../../src/access/rule.ts';
import { type Capability, capabilitySet } from '../../../src/core/capability.ts';
import type { GroupId, PrincipalId, RuleId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { idOf } from './arbitrary-question.ts';

const anna = idOf<PrincipalId>('1', 0);
const clerks = idOf<GroupId>('2', 0);

function rule(index: number, effect: RuleEffect, action: Capability, ...principals: SubjectId[]): AccessRule {
  return { id: idOf<RuleId>('4', index), effect, actions: capabilitySet(action), principals };
}

const at = (kind: 'document' | 'org') => ({ place: { kind }, placeId: anna, version: 1 });

t.test('rules are arranged by subject: what they deny, what they allow, and where they stand', async (t) => {
  const rules = [
    rule(0, 'allow', 'doc.read', anna, clerks),
    rule(1, 'deny', 'doc.delete', clerks),
    rule(2, 'allow', 'doc.write', anna, anna),
  ];
  const { bySubject } = compileRules(at('document'), rules);
  t.same([...bySubject.keys()].sort(), [anna, clerks].sort());
  t.same(bySubject.get(anna), { denied: 0, allowed: capabilitySet('doc.read', 'doc.write'), indexes: [0, 2] });
  t.same(bySubject.get(clerks), { denied: capabilitySet('doc.delete'), allowed: capabilitySet('doc.read'), indexes: [0, 1] });
});

t.test('no rules say nothing', async (t) => {
  t.equal(compileRules(at('org'), []).bySubject.size, 0);
});

t.test('as many rules as a list may have are taken, and more are a bug', async (t) => {
  const rules = Array.from({ length: limits.accessRulesMax + 1 }, (_, index) => rule(index, 'deny', 'doc.read', anna));
  t.equal(compileRules(at('org'), rules.slice(1)).bySubject.get(anna)?.indexes.length, limits.accessRulesMax);
  t.throws(() => compileRules(at('org'), rules), { name: 'AssertionError' });
});
