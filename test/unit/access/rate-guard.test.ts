import t from 'tap';
import { RateGuard, type RateRules } from '../../../src/access/rate-guard.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { MemoryRateLimiter } from '../../../src/volatile/memory-rate-limiter.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const orgId = newId<OrgId>(systemClock);
const [alice, bob] = ['alice', 'bob'].map((credential) => ({ orgId, credential })) as [Account, Account];
const carol = { orgId: newId<OrgId>(systemClock), credential: 'alice' };
type Account = { readonly orgId: OrgId; readonly credential: string };

function fixture(rules: Partial<RateRules>) {
  const clock = standingClock();
  const none = {
    requestsPerCredential: undefined,
    requestsPerOrg: undefined,
    bytesPerCredential: undefined,
    bytesPerOrg: undefined,
  };
  return { clock, guard: new RateGuard(new MemoryRateLimiter({ clock, keysMax: 100 }), { ...none, ...rules }) };
}

const refusedBy = (limit: string, retryAfterMs: number) => ({
  code: 'rate_limited',
  kind: 'busy',
  details: { limit, retryAfterMs },
});

t.test('a credential over its limit is refused and told when to come back', async (t) => {
  const { guard, clock } = fixture({ requestsPerCredential: { perSecond: 2, burst: 2 } });
  await guard.takeRequest(alice);
  await guard.takeRequest(alice);
  await t.rejects(guard.takeRequest(alice), refusedBy('requests_per_credential', 500));
  await guard.takeRequest(bob);
  await guard.takeRequest(carol);
  clock.advance(500);
  await guard.takeRequest(alice);
});

t.test('credentials of one organisation share its limit, and other organisations do not', async (t) => {
  const { guard } = fixture({ requestsPerOrg: { perSecond: 1, burst: 2 } });
  await guard.takeRequest(alice);
  await guard.takeRequest(bob);
  await t.rejects(guard.takeRequest(bob), refusedBy('requests_per_org', 1000));
  await guard.takeRequest(carol);
});

t.test('a credential that is over its own limit uses up nothing of its organisation', async (t) => {
  const { guard } = fixture({
    requestsPerCredential: { perSecond: 1, burst: 1 },
    requestsPerOrg: { perSecond: 1, burst: 2 },
  });
  await guard.takeRequest(alice);
  for (let tries = 0; tries < 10; tries++) await t.rejects(guard.takeRequest(alice), { code: 'rate_limited' });
  await guard.takeRequest(bob);
});

t.test('bytes are counted apart from requests', async (t) => {
  const { guard } = fixture({
    requestsPerCredential: { perSecond: 1, burst: 1 },
    bytesPerCredential: { perSecond: 1000, burst: 5000 },
    bytesPerOrg: { perSecond: 1000, burst: 8000 },
  });
  await guard.takeRequest(alice);
  await guard.takeBytes(alice, 5000);
  await t.rejects(guard.takeBytes(alice, 1000), refusedBy('bytes_per_credential', 1000));
  await t.rejects(guard.takeBytes(bob, 4000), refusedBy('bytes_per_org', 1000));
});

t.test('what has no limit is not counted', async (t) => {
  const { guard } = fixture({});
  for (let request = 0; request < 1000; request++) await guard.takeRequest(alice);
  await guard.takeBytes(alice, 2 ** 50);
  t.pass('never refused');
});
