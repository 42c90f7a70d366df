import fc from 'fast-check';
import t from 'tap';
import { decide, type Requester } from '../../../src/access/decide.ts';
import { type DatedRequester, DecisionCache } from '../../../src/access/decision-cache.ts';
import { RevocationEpochs } from '../../../src/access/revocation-epochs.ts';
import { allCapabilities, capabilities, capabilitySet, noCapabilities } from '../../../src/core/capability.ts';
import type { DocumentId, OrgId, PrincipalId, RuleId } from '../../../src/core/ids.ts';
import { idOf, listOf, orgs, type Question, question, users } from './arbitrary-question.ts';

const [org] = orgs as [OrgId];
const [anna, bert] = users as [PrincipalId, PrincipalId];
const place = { kind: 'document' } as const;
const rules = [{ id: idOf<RuleId>('4', 0), effect: 'allow' as const, actions: capabilitySet('doc.read'), principals: [anna] }];
const documentId = idOf<DocumentId>('5', 0);
const readable = listOf({ orgId: org, documentId, places: [{ place, rules }] }, 'one');
const withdrawn = listOf({ orgId: org, documentId, places: [{ place, rules: [] }] }, 'two');

function open(entriesMax = 100) {
  const epochs = new RevocationEpochs<PrincipalId>();
  const cache = new DecisionCache({ epochs, entriesMax });
  const load = (changes: Partial<DatedRequester> = {}): DatedRequester => {
    const principalId = changes.principalId ?? anna;
    const plain = { orgId: org, principalId, groups: new Set<never>(), suspended: false, roleCapabilities: noCapabilities };
    return { ...plain, tokenScope: allCapabilities, epoch: epochs.epochOf(principalId), ...changes };
  };
  return { epochs, cache, load };
}

t.test('a decision is made once, and found after that', async (t) => {
  const { cache, load } = open();
  const first = cache.decide(load(), readable, 'doc.read');
  t.match(first, { allowed: true, decidedBy: rules[0]?.id });
  t.equal(cache.decide(load(), readable, 'doc.read'), first);
  t.same(cache.statistics, { entries: 1, hits: 1, misses: 1 });
});

t.test('another action, principal, token scope or version of the rules is another question', async (t) => {
  const { cache, load } = open();
  t.match(cache.decide(load(), readable, 'doc.read'), { allowed: true });
  t.match(cache.decide(load(), readable, 'doc.write'), { allowed: false });
  t.match(cache.decide(load({ principalId: bert }), readable, 'doc.read'), { allowed: false });
  t.match(cache.decide(load({ tokenScope: capabilitySet('doc.write') }), readable, 'doc.read'), { reason: 'outside_scope' });
  t.match(cache.decide(load({ orgId: orgs[1] as OrgId }), readable, 'doc.read'), { reason: 'other_org' });
  t.match(cache.decide(load(), withdrawn, 'doc.read'), { reason: 'nothing_allows' });
  t.match(cache.decide(load(), readable, 'doc.read'), { allowed: true });
  t.same(cache.statistics, { entries: 5, hits: 1, misses: 5 });
});

t.test('a revoked principal is not answered from what was known, and once loaded again gets what holds now', async (t) => {
  const { cache, epochs, load } = open();
  const before = load({ roleCapabilities: allCapabilities });
  const bertBefore = load({ principalId: bert });
  t.match(cache.decide(before, withdrawn, 'doc.read'), { allowed: true });
  cache.decide(bertBefore, withdrawn, 'doc.read');

  epochs.revoke(anna);
  t.equal(cache.decide(before, withdrawn, 'doc.read'), undefined, 'what was loaded before is of no use');
  t.equal(cache.decide(before, readable, 'doc.write'), undefined, 'for new questions either');
  t.match(cache.decide(load({ suspended: true }), withdrawn, 'doc.read'), { allowed: false, reason: 'suspended' });
  t.match(cache.decide(bertBefore, withdrawn, 'doc.read'), { allowed: false }, 'others go on');
});

t.test('facts that were being loaded while the revocation came are of no use', async (t) => {
  const { cache, epochs } = open();
  const epoch = epochs.epochOf(anna);
  epochs.revoke(anna);
  const { load } = open();
  t.equal(cache.decide(load({ epoch, roleCapabilities: allCapabilities }), withdrawn, 'doc.read'), undefined);
});

t.test('the least recently used decision goes when the cache is full', async (t) => {
  const { cache, load } = open(2);
  cache.decide(load(), readable, 'doc.read');
  cache.decide(load(), readable, 'doc.write');
  cache.decide(load(), readable, 'doc.read');
  cache.decide(load(), readable, 'doc.delete');
  t.same(cache.statistics, { entries: 2, hits: 1, misses: 3 });
  cache.decide(load(), readable, 'doc.read');
  t.equal(cache.statistics.hits, 2);
  cache.decide(load(), readable, 'doc.write');
  t.equal(cache.statistics.misses, 4);
});

t.test('it never holds more than it may, and revoked decisions make room', async (t) => {
  const { cache, epochs, load } = open(8);
  for (let turn = 0; turn < 5; turn++) {
    epochs.revoke(anna);
    for (const action of capabilities) cache.decide(load(), readable, action);
    t.equal(cache.statistics.entries, 8);
  }
});

t.test('whoever asks, and whatever changes with a revocation, the answer is that of a decision made anew', async (t) => {
  const turn = fc.record({ change: fc.boolean(), who: fc.nat(2), what: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(question, { minLength: 4, maxLength: 4 }), fc.array(turn, { maxLength: 60 }), (questions, turns) => {
      const { cache, epochs } = open(5);
      const facts = users.map((principalId, index) => ({ ...(questions[index] as Question).requester, principalId }));
      return turns.every(({ change, who, what }) => {
        const principalId = users[who] as PrincipalId;
        const { requester, resource, action } = questions[what] as Question;
        if (change) {
          facts[who] = { ...requester, principalId };
          epochs.revoke(principalId);
        }
        const known = { ...(facts[who] as Requester), epoch: epochs.epochOf(principalId) };
        const list = listOf(resource, `version ${what}`);
        return JSON.stringify(cache.decide(known, list, action)) === JSON.stringify(decide(known, list, action));
      });
    }),
  );
  t.pass();
});
