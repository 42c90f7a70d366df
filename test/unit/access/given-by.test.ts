import t from 'tap';
import { givenBy } from '../../../src/access/given-by.ts';
import type { AccessRule } from '../../../src/access/rule.ts';
import { type Capability, capabilityNames } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type PrincipalId } from '../../../src/core/ids.ts';
import { newRule } from '../../helpers/access-rows.ts';

const [one, other] = [newId<PrincipalId>(systemClock), newId<PrincipalId>(systemClock)];
const allowRead = newRule('allow', ['doc.read'], one);

function given(rules: readonly AccessRule[], before: readonly AccessRule[]): readonly Capability[] {
  return capabilityNames(givenBy(rules, before));
}

t.test('what is allowed to somebody for the first time is given', async (t) => {
  t.strictSame(given([allowRead], []), ['doc.read']);
  t.strictSame(given([newRule('allow', ['doc.read', 'doc.write'], one)], [allowRead]), ['doc.write']);
  t.strictSame(given([newRule('allow', ['doc.read'], one, other)], [allowRead]), ['doc.read'], 'to another one');
});

t.test('what was allowed before is not given, in whatever rules it stands', async (t) => {
  const wide = newRule('allow', ['doc.read', 'blob.read', 'doc.dispose'], one, other);
  t.strictSame(given([wide], [wide]), []);
  t.strictSame(given([allowRead, newRule('allow', ['blob.read'], one)], [wide]), []);
  t.strictSame(given([], [wide]), []);
});

t.test('rules that deny give nothing, when they come and when they go', async (t) => {
  const denial = newRule('deny', ['doc.read'], one);
  t.strictSame(given([denial], []), []);
  t.strictSame(given([], [denial]), []);
  t.strictSame(given([allowRead], [denial]), ['doc.read'], 'a denial allowed nothing before');
});
