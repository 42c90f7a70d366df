import t from 'tap';
import { decidingPlace, explainEvent } from '../../../src/access/explain-event.ts';
import type { RuleChange } from '../../../src/access/rule-store.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { capabilitySet } from '../../../src/core/capability.ts';
import type { PrincipalId, RuleId } from '../../../src/core/ids.ts';
import { sampleEvent } from '../../helpers/audit-log-fixture.ts';

const FOLDER = '018f0000-0000-7000-8000-0000000000cc';
const RULE = '018f0000-0000-7000-8000-0000000000ff' as RuleId;
const place = { kind: 'folder', id: FOLDER } as const;
const credential = { kind: 'token', id: 'j', issuer: 'https://id.example.org/' } as const;
const rules = [{ ...place, version: 3 }];
const ruleSet: RuleChange = {
  ...{ version: 3, changedBy: 'somebody' as PrincipalId, changedAtMs: 0 },
  rules: [{ id: RULE, effect: 'deny', actions: capabilitySet('doc.read'), principals: ['anna' as PrincipalId] }],
};

function wordsOf(changes: Partial<AuditEvent>, set?: RuleChange): string {
  return explainEvent(sampleEvent(1, { credential, address: '192.0.2.1', ...changes }), set).lines.join('\n');
}

t.test('a denial by a rule names the rule, its place, its version, who made it, and the credential', async (t) => {
  const decision = { reason: 'rule_denies', capability: 'doc.read', rule: { id: RULE, effect: 'deny', place }, rules } as const;
  const event = sampleEvent(1, { credential, address: '192.0.2.1', outcome: 'denied', reason: 'rule_denies', decision });
  t.same(decidingPlace(event), rules[0]);
  t.same(explainEvent(event, ruleSet).lines, [
    `At ${event.time} user ${event.principal.id} was denied doc.read on document ${event.resource.id}, in request request-1.`,
    'It came with token j of https://id.example.org/, from 192.0.2.1.',
    `Rule ${RULE} denied doc.read, and a denial outweighs all that allows.`,
    `The rule at folder ${FOLDER} denied doc.read to anna; somebody made version 3 of the rules there at 1970-01-01T00:00:00.000Z.`,
    `The rules in force were those of folder ${FOLDER} version 3.`,
  ]);
  t.match(explainEvent(event, undefined).lines[3], `The rule hung at folder ${FOLDER}.`);
});

t.test('whatever decided is said', async (t) => {
  const of = (reason: string, more: object = {}) => wordsOf({ decision: { reason, capability: 'doc.write', ...more } });
  t.match(
    of('role_allows', { roles: ['clerk'] }),
    'The role clerk gave doc.write, and no rule denied it.\nNo rules were in force.',
  );
  t.match(of('role_allows', { roles: ['admin', 'clerk'] }), 'The roles admin, clerk gave doc.write');
  t.match(of('rule_allows', { rule: { id: RULE, effect: 'allow', place }, rules }), `Rule ${RULE} allowed doc.write`);
  t.match(of('outside_scope'), 'The scope of the credential left doc.write out.');
  t.match(of('nothing_allows'), 'No role and no rule allowed doc.write, or there was no such thing.');
  t.match(of('disposed'), 'but the document was disposed of');
  t.match(of('suspended'), 'The principal was suspended.');
  t.match(of('of_a_later_version'), 'What decided about doc.write was: of_a_later_version.');
  const failed = wordsOf({
    outcome: 'failed',
    reason: 'version_conflict',
    decision: { reason: 'role_allows', roles: ['admin'] },
  });
  t.match(failed, /tried doc\.read on(.|\n)*It was allowed to be tried, and failed with version_conflict\.$/);
});

t.test('where nothing was decided that is said, and so is what an old event does not tell', async (t) => {
  const bare = { credential: undefined, address: undefined } as unknown as Partial<AuditEvent>;
  t.match(
    wordsOf({ ...bare, principal: { kind: 'system', id: 'up' } }),
    'names no credential, and no address.\nThe server did it by itself.',
  );
  t.match(wordsOf({ principal: { kind: 'anonymous', id: 'token' }, reason: 'revoked' }), 'The credential was refused (revoked)');
  t.match(wordsOf({ reason: 'member' }), 'Nothing had to be decided (member).');
  const old = explainEvent(sampleEvent(1, { v: 1 }), undefined).lines.join('\n');
  t.match(old, /event of version 1, which does not say with what credential(.|\n)*Its reason is acl_deny\./);
});
