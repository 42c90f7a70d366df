import t from 'tap';
import { AccessEpochs } from '../../../src/access/access-epochs.ts';
import { type ApiKey, macOf, newApiKey } from '../../../src/access/api-key.ts';
import { Authenticator } from '../../../src/access/authenticator.ts';
import { unauthenticated } from '../../../src/access/bearer-fault.ts';
import { CredentialRefusals } from '../../../src/access/credential-refusals.ts';
import type { FoundKey, KeyStore } from '../../../src/access/key-store.ts';
import type { PrincipalStore } from '../../../src/access/principal-store.ts';
import type { RevocationStore } from '../../../src/access/revocation-store.ts';
import { capabilitiesOf } from '../../../src/access/role.ts';
import type { VerifiedToken } from '../../../src/access/token-claims.ts';
import type { EventWindows } from '../../../src/audit/event-windows.ts';
import type { NoteContext } from '../../../src/audit/note-maker.ts';
import { Secret } from '../../../src/config/secret.ts';
import type { Deed } from '../../../src/core/actor.ts';
import { allCapabilities, capabilitySet } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { type KeyId, newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { type Log, silentLog } from '../../../src/core/log.ts';
import { MemoryRateLimiter } from '../../../src/volatile/memory-rate-limiter.ts';
import { settled } from '../../helpers/held-queries.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const pepper = new Secret('pepper');
const orgId = newId<OrgId>(systemClock);
const operatorOrgId = newId<OrgId>(systemClock);
/** Credentials that an address may try in vain at once. */
const RATE_BURST = 20;
const principalId = newId<PrincipalId>(systemClock);
const ARRIVAL = { requestId: 'r1', address: '192.0.2.7' };
const TOKEN = 'eyJh.eyJz.c2ln';

/** One org with one principal; its keys and what is revoked stand in here as the database would have them. */
class World {
  readonly clock = standingClock();
  readonly epochs = new AccessEpochs();
  readonly keys = new Map<KeyId, FoundKey>();
  readonly noted: { readonly context: NoteContext; readonly deed: Deed }[] = [];
  readonly uses: number[] = [];
  readonly warnings: string[] = [];
  readonly asked: string[] = [];
  readonly authenticator: Authenticator;
  principalSuspended = false;
  tokenRevoked = false;
  subjectKnown = true;
  usesFail = false;
  noteFails = false;
  token: VerifiedToken | undefined;
  refusal = unauthenticated('signature_invalid', { log: '' });
  /** Runs while the credential is being looked up. */
  meanwhile: () => void = () => undefined;

  constructor(verifier = true) {
    this.epochs.listening = true;
    const { clock, epochs } = this;
    const log: Log = { ...silentLog, warn: (_, message) => this.warnings.push(message) };
    const windows: Pick<EventWindows, 'note'> = {
      note: async (context, deed) => {
        if (this.noteFails) throw new Error('no database');
        this.noted.push({ context, deed });
      },
    };
    const limiter = new MemoryRateLimiter({ clock, keysMax: 10 });
    this.authenticator = new Authenticator({
      keys: this.#keyStore(),
      principals: this.#principalStore(),
      revocations: {
        isRevoked: async () => this.#ask('isRevoked', this.tokenRevoked),
      } as Partial<RevocationStore> as RevocationStore,
      verifier: verifier ? { verify: async () => this.#verified() } : undefined,
      refusals: new CredentialRefusals({
        windows,
        operatorOrgId,
        rate: { limiter, rule: { perSecond: 1, burst: RATE_BURST } },
        clock,
      }),
      ...{ windows, pepper, operatorOrgId, epochs, clock, log },
    });
  }

  addKey(more: Partial<FoundKey> = {}): ApiKey {
    const key = newApiKey(this.clock);
    const never = { expiresAt: undefined, revokedAt: undefined, lastUsedAtMs: undefined };
    const scope = allCapabilities;
    this.keys.set(key.id, { orgId, principalId, scope, mac: macOf(key, pepper), ...never, suspended: false, ...more });
    return key;
  }

  async take(credential: ApiKey | string) {
    const text = typeof credential === 'string' ? credential : credential.text.reveal();
    return this.authenticator.authenticate(`Bearer ${text}`, ARRIVAL);
  }

  /** Why it is refused, or that it is taken. */
  async fateOf(credential: ApiKey | string): Promise<unknown> {
    try {
      await this.take(credential);
      return 'taken';
    } catch (error) {
      const { code, details } = error as { code: string; details: { reason: string } };
      return code === 'unauthenticated' ? details.reason : error;
    }
  }

  #ask<T>(what: string, answer: T): T {
    this.asked.push(what);
    this.meanwhile();
    return answer;
  }

  #verified(): VerifiedToken {
    if (this.token === undefined) throw this.refusal;
    return this.token;
  }

  #keyStore(): KeyStore {
    const store: Partial<KeyStore> = {
      findKey: async (keyId) => this.#ask('findKey', this.keys.get(keyId)),
      noteUse: async (_, __, atMs) => {
        if (this.usesFail) throw new Error('no database');
        this.uses.push(atMs);
        return true;
      },
    };
    return store as KeyStore;
  }

  #principalStore(): PrincipalStore {
    const store: Partial<PrincipalStore> = {
      findPrincipal: async () =>
        this.#ask('findPrincipal', this.subjectKnown ? { principalId, suspended: this.principalSuspended } : undefined),
      loadRequester: async () => {
        const roleCapabilities = capabilitiesOf(['admin']);
        const requester = { orgId, principalId, groups: new Set<never>(), suspended: this.principalSuspended, roleCapabilities };
        return this.#ask('loadRequester', { requester, roles: ['admin'], kind: 'user' });
      },
    };
    return store as PrincipalStore;
  }
}

function newToken(world: World, more: Partial<VerifiedToken> = {}): VerifiedToken {
  const now = world.clock.now();
  const times = { issuedAtMs: now, expiresAtMs: now + 60_000, takenUntilMs: now + 90_000 };
  return { subject: 'anna', orgId, jti: 'token 1', issuer: undefined, ...times, scope: allCapabilities, ...more };
}

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

t.test('whatever is no credential of anybody known leaves an event in the log of the operator', async (t) => {
  const world = new World();
  const expected: [string, string][] = [];
  const refuse = async (credential: string, kind: string, reason: string): Promise<void> => {
    t.equal(await world.fateOf(credential), reason);
    expected.push([kind, reason]);
  };
  await refuse('!', 'malformed', 'credentials_malformed');
  await refuse('quasar_x', 'api-key', 'api_key_malformed');
  await refuse(TOKEN, 'token', 'signature_invalid');
  world.refusal = unauthenticated('token_expired', { log: '', token: { orgId, subject: 'anna', jti: 'token 1' } });
  await refuse(TOKEN, 'token', 'token_expired');
  t.strictSame(
    world.noted.at(-1)?.deed.detail,
    { first: { orgId, subject: 'anna', jti: 'token 1' } },
    'what its signature vouches for',
  );
  world.token = newToken(world);
  world.subjectKnown = false;
  await refuse(TOKEN, 'token', 'token_refused');
  t.strictSame(
    world.noted.map(({ context }) => [context.principal.id, context.reason]),
    expected,
  );
  for (const { context, deed } of world.noted) {
    t.match(context, { orgId: operatorOrgId, outcome: 'denied', address: '192.0.2.7', credential: undefined });
    t.match(deed, { action: 'session.authenticate', resource: { kind: 'org', id: operatorOrgId } });
  }
  t.throws(() => world.authenticator.authenticate(undefined, ARRIVAL), { code: 'unauthenticated' });
  t.equal(world.noted.length, expected.length, 'without a credential nothing was tried');
});

t.test('an address that tried too many is refused before anything is looked up, and gets its tries back in time', async (t) => {
  const world = new World();
  const good = world.addKey();
  const known = world.addKey();
  await world.take(known);
  const unknown = () => newApiKey(systemClock);
  for (let tried = 0; tried < RATE_BURST; tried++) t.equal(await world.fateOf(unknown()), 'token_refused');
  world.asked.length = 0;
  for (const credential of [unknown(), good, '!', TOKEN]) {
    t.match(await world.fateOf(credential), { code: 'rate_limited', details: { limit: 'refused_credentials_per_address' } });
  }
  t.strictSame(world.asked, [], 'no statement');
  t.equal(await world.fateOf(known), 'taken', 'who was good here passes');
  world.epochs.changed({ orgId, kind: 'principal' });
  t.equal(await world.fateOf(known), 'taken', 'also when it has to be looked up again');
  const elsewhere = { requestId: 'r3', address: '192.0.2.8' };
  await t.resolves(Promise.resolve(world.authenticator.authenticate(`Bearer ${good.text.reveal()}`, elsewhere)));
  world.clock.advance(1000);
  t.equal(await world.fateOf(unknown()), 'token_refused');
  t.match(await world.fateOf(unknown()), { code: 'rate_limited' });
});

t.test('a network of IPv6 shares its tries; credentials that are taken use none', async (t) => {
  const world = new World();
  const from = (address: string, text: string) =>
    Promise.resolve(world.authenticator.authenticate(`Bearer ${text}`, { requestId: 'r', address })).catch(({ code }) => code);
  for (let tried = 0; tried < 2 * RATE_BURST; tried++) await from('2001:db8::1', world.addKey().text.reveal());
  for (let tried = 0; tried < RATE_BURST; tried++) {
    t.equal(await from(`2001:db8::${tried + 1}`, newApiKey(systemClock).text.reveal()), 'unauthenticated');
  }
  t.equal(await from('2001:db8::ffff', newApiKey(systemClock).text.reveal()), 'rate_limited');
  t.equal(await from('2001:db8:0:1::1', newApiKey(systemClock).text.reveal()), 'unauthenticated');
});

t.test('with too many addresses at once the rest share an event without one', async (t) => {
  const world = new World();
  const noted: (string | undefined)[] = [];
  const windows = { note: async (context: NoteContext) => void noted.push(context.address) };
  const refusals = new CredentialRefusals({ windows, operatorOrgId, rate: undefined, clock: world.clock });
  const note = (address: string) => refusals.note({ kind: 'token', reason: 'token_expired', requestId: 'r', address });
  for (let index = 0; index < limits.refusalWindowsMax; index++) await note(`2001:db8::${index}`);
  await note('192.0.2.1');
  await note('2001:db8::0');
  t.strictSame(noted.slice(-2), [undefined, '2001:db8::0']);
  world.clock.advance(limits.auditWindowMs);
  await note('192.0.2.1');
  t.equal(noted.at(-1), '192.0.2.1', 'once windows have ended there is room');
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
