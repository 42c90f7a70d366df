import t from 'tap';
import { unauthenticated } from '../../../src/access/bearer-fault.ts';
import { CachingJwtVerifier } from '../../../src/access/caching-jwt-verifier.ts';
import type { VerifiedToken } from '../../../src/access/token-claims.ts';
import { noCapabilities } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

/** In front of a verifier that takes every text but `bad`, for `lifeMs`, and counts what it was asked. */
function fixture(lifeMs = 600_000) {
  const clock = standingClock();
  const asked: string[] = [];
  const orgId = newId<OrgId>(systemClock);
  const inner = {
    verify: async (text: string): Promise<VerifiedToken> => {
      asked.push(text);
      if (text === 'bad') throw unauthenticated('signature_invalid', { log: 'bad' });
      const times = { issuedAtMs: clock.now(), expiresAtMs: clock.now() + lifeMs, takenUntilMs: clock.now() + lifeMs };
      return { subject: text, orgId, jti: text, issuer: undefined, ...times, scope: noCapabilities };
    },
  };
  return { clock, asked, verifier: new CachingJwtVerifier(inner, clock) };
}

t.test('a token is verified once, and the same is said of it each time', async (t) => {
  const { verifier, asked } = fixture();
  const first = await verifier.verify('a');
  t.equal(await verifier.verify('a'), first);
  t.equal((await verifier.verify('b')).subject, 'b');
  t.equal((await verifier.verify('A')).subject, 'A', 'one bit is another token');
  t.same(asked, ['a', 'b', 'A']);
});

t.test('after its time it is verified again, so that a withdrawn key comes to be known', async (t) => {
  const { verifier, asked, clock } = fixture();
  await verifier.verify('a');
  clock.advance(limits.verifiedTokenMs - 1);
  await verifier.verify('a');
  t.equal(asked.length, 1);
  clock.advance(1);
  await verifier.verify('a');
  t.equal(asked.length, 2);
});

t.test('no token is taken longer than its claims allow', async (t) => {
  const { verifier, asked, clock } = fixture(1000);
  await verifier.verify('a');
  clock.advance(999);
  await verifier.verify('a');
  t.equal(asked.length, 1);
  clock.advance(1);
  await verifier.verify('a');
  t.equal(asked.length, 2);
});

t.test('a clock that was set back is judged by the verifier itself', async (t) => {
  const { verifier, asked, clock } = fixture();
  await verifier.verify('a');
  clock.advance(-1);
  await verifier.verify('a');
  t.equal(asked.length, 2);
});

t.test('a refusal is not kept', async (t) => {
  const { verifier, asked } = fixture();
  for (let tries = 0; tries < 3; tries++) await t.rejects(verifier.verify('bad'), { code: 'unauthenticated' });
  t.equal(asked.length, 3);
  t.equal(verifier.count, 0);
});

t.test('however many tokens there are, a bounded number is kept: the newest at least', async (t) => {
  const { verifier, asked } = fixture();
  for (let index = 0; index < 3 * limits.verifiedTokensMax; index++) await verifier.verify(`token ${index}`);
  t.ok(verifier.count <= limits.verifiedTokensMax);
  const before = asked.length;
  for (let age = 1; age <= limits.verifiedTokensMax / 2; age++)
    await verifier.verify(`token ${3 * limits.verifiedTokensMax - age}`);
  t.equal(asked.length, before);
});
