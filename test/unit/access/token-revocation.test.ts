import t from 'tap';
import { Revocations } from '../../../src/access/revocations.ts';
import type { VerifiedToken } from '../../../src/access/token-claims.ts';
import { refuseRevoked } from '../../../src/access/token-revocation.ts';
import { noCapabilities } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const clock = standingClock();
const orgId = newId<OrgId>(systemClock);
const otherOrg = newId<OrgId>(systemClock);
const untilMs = clock.now() + 600_000;
const token: VerifiedToken = {
  ...{ subject: 'alice', orgId, jti: 'token-1', issuedAtMs: clock.now(), expiresAtMs: untilMs, takenUntilMs: untilMs },
  scope: noCapabilities,
};
const revoked = { code: 'unauthenticated', details: { reason: 'token_revoked' } };

async function loaded(): Promise<Revocations> {
  const revocations = new Revocations(clock);
  await revocations.reload(async () => []);
  return revocations;
}

t.test('a revoked jti is refused, however often it is replayed; other tokens pass', async (t) => {
  const revocations = await loaded();
  t.equal(refuseRevoked(token, revocations), 'clear');
  revocations.add({ kind: 'token', orgId, id: 'token-1', untilMs });
  for (let replay = 0; replay < 3; replay++) t.throws(() => refuseRevoked(token, revocations), revoked);
  t.equal(refuseRevoked({ ...token, jti: 'token-2' }, revocations), 'clear');
  t.equal(refuseRevoked({ ...token, orgId: otherOrg }, revocations), 'clear', 'of another organisation');
});

t.test('a valid token of a suspended principal or a deleted organisation is refused', async (t) => {
  for (const name of [{ kind: 'principal', orgId, id: 'alice' } as const, { kind: 'org', orgId, id: orgId } as const]) {
    const revocations = await loaded();
    revocations.add({ ...name, untilMs: Number.POSITIVE_INFINITY });
    t.throws(() => refuseRevoked(token, revocations), revoked, name.kind);
    t.throws(() => refuseRevoked({ ...token, jti: 'newer' }, revocations), revoked, name.kind);
    t.equal(refuseRevoked({ ...token, subject: 'bob', orgId: otherOrg }, revocations), 'clear');
  }
});

t.test('what cannot be known is not called clear, and what is known to be revoked is refused all the same', async (t) => {
  const revocations = new Revocations(clock);
  t.equal(refuseRevoked(token, revocations), 'unknown');
  revocations.add({ kind: 'principal', orgId, id: 'alice', untilMs });
  t.throws(() => refuseRevoked(token, revocations), revoked);
});
