import t from 'tap';
import { macOf, newApiKey, verifyApiKey } from '../../src/access/api-key.ts';
import { Secret } from '../../src/config/secret.ts';
import { capabilitySet } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type KeyId, newId, type PrincipalId, type Scope } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { ALL, accessStores, NOW, newKey, newPrincipal } from '../helpers/access-rows.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const stranger = await makeOrg(admin, 'stranger');
const ownerOf = ({ orgId, principalId }: Scope) => ({ orgId, principalId });
const { principals, orgs, keys, revocations } = accessStores(pool);
const pepper = new Secret('pepper');
const noKey = newId<KeyId>(systemClock);

t.test('a key is found by its id alone and fits the text it was made with', async (t) => {
  const key = newApiKey(systemClock);
  const wish = newKey(scope.principalId, {
    ...{ keyId: key.id, mac: macOf(key, pepper), scope: capabilitySet('doc.read', 'cluster.admin'), expiresAtMs: NOW + 1000 },
  });
  t.equal(await keys.createKey(scope, wish), 'created');
  const found = await keys.findKey(key.id);
  t.strictSame(found, {
    ...ownerOf(scope),
    ...{
      scope: wish.scope,
      mac: wish.mac,
      expiresAt: NOW + 1000,
      revokedAt: undefined,
      lastUsedAtMs: undefined,
      suspended: false,
    },
  });
  t.equal(verifyApiKey(key, found, { pepper, now: NOW }), 'good');
  t.equal(verifyApiKey(key, found, { pepper, now: NOW + 1000 }), 'expired');
  t.equal(verifyApiKey(key, found, { pepper: new Secret('salt'), now: NOW }), 'unknown');
  t.equal(await keys.findKey(noKey), undefined);
});

t.test('keys of every org are found, each for its own', async (t) => {
  const [ours, theirs] = [newKey(scope.principalId), newKey(stranger.principalId)];
  t.equal(await keys.createKey(scope, ours), 'created');
  t.equal(await keys.createKey(stranger, theirs), 'created');
  t.match(await keys.findKey(ours.keyId), ownerOf(scope));
  t.match(await keys.findKey(theirs.keyId), ownerOf(stranger));
});

t.test('an id that another org took later finds the key that was there first', async (t) => {
  const key = newKey(scope.principalId);
  await keys.createKey(scope, key);
  t.equal(await keys.createKey(stranger, { ...key, principalId: stranger.principalId, atMs: NOW + 1 }), 'created');
  t.match(await keys.findKey(key.keyId), ownerOf(scope));
});

t.test('a revoked key says so, and stays revoked', async (t) => {
  const key = newKey(scope.principalId);
  await keys.createKey(scope, key);
  t.equal(await keys.revokeKey(scope, key.keyId, NOW + 5), 'revoked');
  t.equal(await keys.revokeKey(scope, key.keyId, NOW + 6), 'unchanged');
  t.equal((await keys.findKey(key.keyId))?.revokedAt, NOW + 5);
  t.equal(await keys.revokeKey(scope, noKey, NOW), 'key_missing');
  t.equal(await keys.revokeKey(stranger, key.keyId, NOW), 'key_missing');
});

t.test('a key tells that its principal or its org is suspended', async (t) => {
  const key = newKey(stranger.principalId);
  await keys.createKey(stranger, key);
  const suspended = async () => (await keys.findKey(key.keyId))?.suspended;
  for (const now of [true, false]) {
    await principals.suspendPrincipal(stranger, stranger.principalId, { suspended: now, atMs: NOW });
    t.equal(await suspended(), now);
  }
  for (const now of [true, false]) {
    await orgs.suspendOrg(scope, stranger.orgId, { suspended: now, atMs: NOW });
    t.equal(await suspended(), now);
  }
});

t.test('the last use of a key is written once a minute at most, and never goes back', async (t) => {
  const key = newKey(scope.principalId);
  await keys.createKey(scope, key);
  const lastUse = async () => (await keys.findKey(key.keyId))?.lastUsedAtMs;
  const minute = limits.keyUseIntervalMs;
  t.equal(await keys.noteUse(scope.orgId, key.keyId, NOW), true);
  for (const atMs of [NOW, NOW + 1, NOW + minute - 1, NOW - minute]) {
    t.equal(await keys.noteUse(scope.orgId, key.keyId, atMs), false);
    t.equal(await lastUse(), NOW);
  }
  const later = await Promise.all(Array.from({ length: 5 }, () => keys.noteUse(scope.orgId, key.keyId, NOW + minute)));
  t.equal(later.filter(Boolean).length, 1);
  t.equal(await lastUse(), NOW + minute);
  t.equal(await keys.noteUse(stranger.orgId, key.keyId, NOW + 2 * minute), false);
});

t.test('keys are listed by principal or all, page by page, without what their secrets are checked with', async (t) => {
  const owner = newPrincipal('owner of keys');
  await principals.createPrincipal(scope, owner);
  const { keyId, atMs, mac, ...rest } = newKey(owner.principalId, { name: 'scanner', expiresAtMs: NOW + 9 });
  await keys.createKey(scope, { keyId, atMs, mac, ...rest });
  await keys.createKey(scope, newKey(owner.principalId));
  const listed = { keyId, ...rest, createdAtMs: atMs, revokedAtMs: undefined, lastUsedAtMs: undefined };
  const first = await keys.listKeys(scope, owner.principalId, { limit: 1, after: undefined });
  t.strictSame(first, { items: [listed], next: keyId });
  const rest2 = await keys.listKeys(scope, owner.principalId, { limit: 1, after: first.next });
  t.equal(rest2.items.length, 1);
  t.equal(rest2.next, undefined);
  t.ok((await keys.listKeys(scope, undefined, ALL)).items.length > 2);
});

t.test('a principal has no more keys than the limit, revoked ones aside', async (t) => {
  const owner = newPrincipal('keeper of keys');
  await principals.createPrincipal(scope, owner);
  const wishes = Array.from({ length: limits.apiKeysMax }, () => newKey(owner.principalId));
  for (const wish of wishes) await keys.createKey(scope, wish);
  t.equal(await keys.createKey(scope, newKey(owner.principalId)), 'keys_full');
  await keys.revokeKey(scope, wishes[0]?.keyId as KeyId, NOW);
  const outcomes = await Promise.all([0, 1].map(() => keys.createKey(scope, newKey(owner.principalId))));
  t.strictSame(outcomes.sort(), ['created', 'keys_full']);
  const nobody = newId<PrincipalId>(systemClock);
  t.equal(await keys.createKey(scope, newKey(nobody)), 'principal_missing');
});

t.test('a token is revoked by its own name, by its principal or by its org', async (t) => {
  const token = { orgId: stranger.orgId, jti: 'jti', subject: 'subject of bearer' };
  const bearer = newPrincipal('bearer');
  await principals.createPrincipal(stranger, bearer);
  t.equal(await revocations.isRevoked(token), false);
  await revocations.revokeToken(stranger, { jti: 'jti', untilMs: NOW + 5, atMs: NOW });
  t.equal(await revocations.isRevoked(token), true);
  t.equal(await revocations.isRevoked({ ...token, orgId: scope.orgId }), false, 'the same name in another org');
  const other = { ...token, jti: 'another' };
  t.equal(await revocations.isRevoked(other), false);
  for (const now of [true, false]) {
    await principals.suspendPrincipal(stranger, bearer.principalId, { suspended: now, atMs: NOW });
    t.equal(await revocations.isRevoked(other), now);
  }
  for (const now of [true, false]) {
    await orgs.suspendOrg(scope, stranger.orgId, { suspended: now, atMs: NOW });
    t.equal(await revocations.isRevoked({ ...other, subject: 'nobody' }), now);
  }
});

t.test('revoked tokens are forgotten when they have run out, and the later end counts', async (t) => {
  const names = async () => {
    const { rows } = await admin.query<{ jti: string }>('SELECT jti FROM core.revoked_token WHERE org_id = $1', [scope.orgId]);
    return rows.map(({ jti }) => jti).sort();
  };
  const revoke = (jti: string, untilMs: number, atMs = NOW) => revocations.revokeToken(scope, { jti, untilMs, atMs });
  t.equal(await revoke('short', NOW + 10), 'revoked');
  t.equal(await revoke('extended', NOW + 10), 'revoked');
  t.equal(await revoke('extended', NOW + 100), 'revoked');
  t.equal(await revoke('extended', NOW + 20), 'unchanged');
  t.strictSame(await names(), ['extended', 'short']);
  await revoke('last', NOW + 100, NOW + 50);
  t.strictSame(await names(), ['extended', 'last']);
});
