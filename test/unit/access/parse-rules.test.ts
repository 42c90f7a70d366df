import t from 'tap';
import { parseRules } from '../../../src/access/parse-rules.ts';
import { capabilities, capabilitySet } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type GroupId, isId, type PrincipalId, type RuleId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { idOf } from './arbitrary-question.ts';

const anna = idOf<PrincipalId>('1', 0);
const clerks = idOf<GroupId>('2', 0);
const kept = idOf<RuleId>('4', 7);
const good = { effect: 'allow', actions: ['doc.read'], principals: [anna] };

function parse(value: unknown, current: readonly RuleId[] = [kept]) {
  return parseRules(value, { clock: systemClock, current: new Set(current), pointer: '/rules' });
}

t.test('rules are read in their order, and each gets an id of its own', async (t) => {
  const rules = parse([
    { effect: 'deny', actions: ['doc.read', 'doc.export'], principals: [anna, clerks] },
    { effect: 'allow', actions: [...capabilities], principals: [clerks] },
  ]);
  t.match(rules, [
    { effect: 'deny', actions: capabilitySet('doc.read', 'doc.export'), principals: [anna, clerks] },
    { effect: 'allow', actions: capabilitySet(...capabilities), principals: [clerks] },
  ]);
  t.ok(rules.every(({ id }) => isId(id)));
  t.not(rules[0]?.id, rules[1]?.id);
});

t.test('an empty list is a list', async (t) => t.same(parse([]), []));

t.test('a list that was read can be written back with its ids, and no other id can be chosen', async (t) => {
  t.match(parse([{ id: kept, ...good }]), [{ id: kept }]);
  const chosen = [{ id: idOf('4', 8), ...good }];
  t.throws(() => parse(chosen), { code: 'access_rules_invalid', details: { pointer: '/rules/0/id' } });
  t.throws(() => parse([{ id: kept, ...good }], []), { code: 'access_rules_invalid', details: { pointer: '/rules/0/id' } });
  const twice = [good, { id: kept, ...good }, { id: kept, ...good }];
  t.throws(() => parse(twice), { code: 'access_rules_invalid', details: { pointer: '/rules/2/id' } });
});

t.test('names that occur twice in a rule count once', async (t) => {
  const [rule] = parse([{ ...good, actions: ['doc.read', 'doc.read'], principals: [anna, anna] }]);
  t.match(rule, { actions: capabilitySet('doc.read') });
  t.same(rule?.principals, [anna]);
});

const faulty: readonly { readonly what: string; readonly value: unknown; readonly pointer: string }[] = [
  { what: 'an object for the list', value: { 0: good }, pointer: '/rules' },
  { what: 'null for the list', value: null, pointer: '/rules' },
  { what: 'a text for a rule', value: ['allow'], pointer: '/rules/0' },
  { what: 'a list for a rule', value: [good, [good]], pointer: '/rules/1' },
  { what: 'null for a rule', value: [null], pointer: '/rules/0' },
  { what: 'an unknown field', value: [{ ...good, efect: 'deny' }], pointer: '/rules/0' },
  { what: 'a field named __proto__', value: [JSON.parse('{"__proto__": {"effect": "allow"}}')], pointer: '/rules/0' },
  { what: 'no effect', value: [{ ...good, effect: undefined }], pointer: '/rules/0/effect' },
  { what: 'another effect', value: [{ ...good, effect: 'ALLOW' }], pointer: '/rules/0/effect' },
  { what: 'no actions', value: [{ ...good, actions: [] }], pointer: '/rules/0/actions' },
  { what: 'a mask for actions', value: [{ ...good, actions: 8 }], pointer: '/rules/0/actions' },
  { what: 'a number for an action', value: [{ ...good, actions: ['doc.read', 8] }], pointer: '/rules/0/actions/1' },
  { what: 'no principals', value: [{ ...good, principals: [] }], pointer: '/rules/0/principals' },
  { what: 'a text for principals', value: [{ ...good, principals: anna }], pointer: '/rules/0/principals' },
  { what: 'a name for a principal', value: [{ ...good, principals: [anna, 'anna'] }], pointer: '/rules/0/principals/1' },
  { what: 'everybody for a principal', value: [{ ...good, principals: ['*'] }], pointer: '/rules/0/principals/0' },
  {
    what: 'capitals in an id',
    value: [{ ...good, principals: ['ABCDEF00-0000-7000-8000-000000000000'] }],
    pointer: '/rules/0/principals/0',
  },
];

for (const { what, value, pointer } of faulty) {
  t.test(`${what} is refused, and the place is named`, async (t) => {
    t.throws(() => parse(value), { code: 'access_rules_invalid', details: { pointer } });
  });
}

t.test('a misspelt action is refused with its place and the nearest name', async (t) => {
  t.throws(() => parse([good, { ...good, actions: ['doc.read', 'doc.wirte'] }]), {
    code: 'capability_unknown',
    message: '"doc.wirte" is no capability; did you mean doc.write?',
    details: { pointer: '/rules/1/actions/1' },
  });
});

t.test('lists may be as long as their limits, and no longer', async (t) => {
  const ids = Array.from({ length: limits.rulePrincipalsMax + 1 }, (_, index) => idOf<PrincipalId>('1', index));
  t.equal(parse([{ ...good, principals: ids.slice(1) }])[0]?.principals.length, limits.rulePrincipalsMax);
  t.throws(() => parse([{ ...good, principals: ids }]), {
    code: 'access_rules_invalid',
    details: { pointer: '/rules/0/principals' },
  });

  const rules = Array.from({ length: limits.accessRulesMax + 1 }, () => good);
  t.equal(parse(rules.slice(1)).length, limits.accessRulesMax);
  t.throws(() => parse(rules), { code: 'access_rules_invalid', details: { pointer: '/rules' } });

  const actions = Array.from({ length: limits.ruleActionsMax + 1 }, () => 'doc.read');
  t.equal(parse([{ ...good, actions: actions.slice(1) }]).length, 1);
  t.throws(() => parse([{ ...good, actions }]), { code: 'access_rules_invalid', details: { pointer: '/rules/0/actions' } });
  t.ok(capabilities.length <= limits.ruleActionsMax, 'all capabilities fit into one rule');
});
