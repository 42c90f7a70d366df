import t from 'tap';
import { macOf, newApiKey } from '../../../src/access/api-key.ts';
import type { FoundKey } from '../../../src/access/key-store.ts';
import type { Deed } from '../../../src/core/actor.ts';
import { capabilitySet } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { settled } from '../../helpers/held-queries.ts';
import { ARRIVAL, newToken, operatorOrgId, orgId, pepper, principalId, TOKEN, World } from './authenticator-world.ts';

t.test('a key that was taken is taken again without a promise, until something about its org changes', async (t) => {
  const world = new World();
  const key = world.addKey({ scope: capabilitySet('doc.read') });
  const session = await world.take(key);
  t.match(session, { orgId, principalId, kind: 'user', account: { orgId, credential: key.id } });
  t.equal(session.requester.tokenScope, capabilitySet('doc.read'));
  const header = `Bearer ${key.text.reveal()}`;
  t.equal(world.authenticator.authenticate(header, { ...ARRIVAL, requestId: 'r2' }), session);
  world.epochs.changed({ orgId: newId<OrgId>(systemClock), kind: 'principal' });
  world.epochs.changed({ orgId, kind: 'rules' });
  t.equal(
    world.authenticator.authenticate(header, { ...ARRIVAL, requestId: 'r2' }),
    session,
    'what others do, and rules, are nothing to it',
  );
  world.epochs.changed({ orgId, kind: 'principal' });
  t.type(world.authenticator.authenticate(header, { ...ARRIVAL, requestId: 'r2' }), Promise);
  await settled();
  world.epochs.changed(undefined);
  t.type(world.authenticator.authenticate(header, { ...ARRIVAL, requestId: 'r2' }), Promise);
});

t.test('nothing is remembered while changes may not be heard of', async (t) => {
  const world = new World();
  const key = world.addKey();
  const header = `Bearer ${key.text.reveal()}`;
  await world.take(key);
  world.epochs.listening = false;
  for (let time = 0; time < 3; time++) {
    const taken = world.authenticator.authenticate(header, ARRIVAL);
    t.type(taken, Promise);
    await taken;
  }
  t.equal(world.asked.filter((what) => what === 'findKey').length, 4);
});

t.test('what changes while a credential is looked up is not missed', async (t) => {
  const world = new World();
  const key = world.addKey();
  world.meanwhile = () => world.epochs.changed({ orgId, kind: 'key' });
  await world.take(key);
  world.meanwhile = () => undefined;
  const again = world.authenticator.authenticate(`Bearer ${key.text.reveal()}`, ARRIVAL);
  t.type(again, Promise);
  await again;
});

t.test('a key that is in memory ends when it expires', async (t) => {
  const world = new World();
  const key = world.addKey({ expiresAt: world.clock.now() + 1000 });
  await world.take(key);
  world.clock.advance(999);
  t.equal(await world.fateOf(key), 'taken');
  world.clock.advance(1);
  t.equal(await world.fateOf(key), 'token_expired');
});

t.test('a token that is in memory is asked about again when nobody would take it any more', async (t) => {
  const world = new World();
  world.token = newToken(world);
  t.match(await world.take(TOKEN), { orgId, principalId, account: { orgId, credential: 'anna' } });
  t.notMatch(world.authenticator.authenticate(`Bearer ${TOKEN}`, ARRIVAL), Promise);
  world.clock.advance(90_000);
  world.token = undefined;
  t.equal(await world.fateOf(TOKEN), 'signature_invalid');
});

t.test('keys are refused with the reason that docs/errors.md has', async (t) => {
  const world = new World();
  const past = world.clock.now() - 1;
  t.equal(await world.fateOf(world.addKey()), 'taken');
  t.equal(await world.fateOf(world.addKey({ revokedAt: past })), 'token_revoked');
  t.equal(await world.fateOf(world.addKey({ expiresAt: past })), 'token_expired');
  t.equal(await world.fateOf(world.addKey({ suspended: true })), 'token_revoked');
  t.equal(await world.fateOf('quasar_x'), 'api_key_malformed');
  t.equal(await world.fateOf('!'), 'credentials_malformed');
  t.throws(() => world.authenticator.authenticate(undefined, ARRIVAL), {
    code: 'unauthenticated',
    details: { reason: 'credentials_missing' },
  });
  world.principalSuspended = true;
  t.equal(await world.fateOf(world.addKey()), 'token_revoked', 'suspended since the key was found');
});

t.test('tokens are refused with the reason that docs/errors.md has', async (t) => {
  const world = new World();
  world.token = newToken(world);
  world.tokenRevoked = true;
  t.equal(await world.fateOf(TOKEN), 'token_revoked');
  world.tokenRevoked = false;
  world.subjectKnown = false;
  t.equal(await world.fateOf(TOKEN), 'token_refused');
  world.subjectKnown = true;
  world.principalSuspended = true;
  t.equal(await world.fateOf(TOKEN), 'token_revoked');
  world.principalSuspended = false;
  t.equal(await world.fateOf(TOKEN), 'taken');
  t.equal(await new World(false).fateOf(TOKEN), 'token_refused');
});

t.test('an unknown id and a wrong secret take the same statements, get the same answer, and leave the same event', async (t) => {
  const world = new World();
  const known = world.addKey();
  const row = world.keys.get(known.id) as FoundKey;
  const mac = macOf(newApiKey(systemClock), pepper);
  const fates: unknown[] = [];
  for (const stored of [undefined, { mac }, { mac, revokedAt: 1 }, { mac, expiresAt: 1 }, { mac, suspended: true }]) {
    if (stored === undefined) world.keys.delete(known.id);
    else world.keys.set(known.id, { ...row, ...stored });
    world.asked.length = 0;
    const fate = await world.take(known).catch((error: QuasarError) => error);
    if (!(fate instanceof QuasarError)) throw new Error('it was taken');
    fates.push([fate.code, fate.message, fate.details, (fate.cause as Error).message, ...world.asked]);
  }
  for (const fate of fates) t.strictSame(fate, fates[0]);
  t.equal(world.noted.length, 5);
  for (const noted of world.noted) t.strictSame(noted, world.noted[0]);
  t.match(world.noted[0], {
    context: { orgId: operatorOrgId, principal: { kind: 'anonymous', id: 'api-key' }, outcome: 'denied', address: '192.0.2.7' },
    deed: { resource: { kind: 'org', id: operatorOrgId }, detail: { first: { keyId: known.id } } },
  });
});

t.test('credentials that were good once leave an event when they are refused', async (t) => {
  const world = new World();
  const past = world.clock.now() - 1;
  const revoked = world.addKey({ revokedAt: past });
  const expired = world.addKey({ expiresAt: past });
  const suspended = world.addKey({ suspended: true });
  for (const key of [revoked, expired, suspended]) await world.fateOf(key);
  world.token = newToken(world, { issuer: 'https://id.example.org/' });
  world.tokenRevoked = true;
  await world.fateOf(TOKEN);
  const ofKey = { orgId, principal: { kind: 'anonymous', id: 'api-key' }, outcome: 'denied', ...ARRIVAL };
  const withKey = (id: string) => ({ credential: { kind: 'api_key', id } });
  const withToken = { credential: { kind: 'token', id: 'token 1', issuer: 'https://id.example.org/' } };
  const ofToken = { ...ofKey, principal: { kind: 'anonymous', id: 'token' } };
  t.strictSame(world.noted, [
    { context: { ...ofKey, reason: 'revoked', ...withKey(revoked.id) }, deed: deedAbout('key', revoked.id) },
    { context: { ...ofKey, reason: 'expired', ...withKey(expired.id) }, deed: deedAbout('key', expired.id) },
    { context: { ...ofKey, reason: 'suspended', ...withKey(suspended.id) }, deed: deedAbout('key', suspended.id) },
    { context: { ...ofToken, reason: 'revoked', ...withToken }, deed: deedAbout('token', 'token 1') },
  ]);
  world.noteFails = true;
  t.match(await world.fateOf(revoked), { message: 'no database' }, 'no answer without the event');
});

function deedAbout(kind: 'key' | 'token', id: string): Deed {
  return { action: 'session.authenticate', resource: { kind, id } };
}

t.test('the use of a key is noted once a minute at most', async (t) => {
  const world = new World();
  const key = world.addKey();
  const start = world.clock.now();
  for (let time = 0; time < 3; time++) await world.take(key);
  world.clock.advance(limits.keyUseIntervalMs - 1);
  await world.take(key);
  t.strictSame(world.uses, [start]);
  world.clock.advance(1);
  for (let time = 0; time < 3; time++) await world.take(key);
  t.strictSame(world.uses, [start, start + limits.keyUseIntervalMs]);
  const fresh = world.addKey({ lastUsedAtMs: world.clock.now() - 1 });
  await world.take(fresh);
  t.equal(world.uses.length, 2, 'another process noted it a moment ago');
});

t.test('a use that cannot be noted harms nobody, and the next one tries again', async (t) => {
  const world = new World();
  const key = world.addKey();
  world.usesFail = true;
  t.equal(await world.fateOf(key), 'taken');
  await settled();
  t.strictSame(world.warnings, ['the use of an API key was not noted']);
  world.usesFail = false;
  t.equal(await world.fateOf(key), 'taken');
  t.equal(world.uses.length, 1);
});

t.test('sessions in memory are bounded: with one too many the oldest is looked up again', async (t) => {
  const world = new World();
  world.token = newToken(world);
  const texts = Array.from({ length: limits.sessionsMax + 1 }, (_, index) => `a.b.${index}`);
  for (const text of texts) await world.take(text);
  t.type(world.authenticator.authenticate(`Bearer ${texts[0]}`, ARRIVAL), Promise);
  t.notMatch(world.authenticator.authenticate(`Bearer ${texts[2]}`, ARRIVAL), Promise);
});
