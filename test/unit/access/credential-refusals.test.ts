import t from 'tap';
import { newApiKey } from '../../../src/access/api-key.ts';
import { unauthenticated } from '../../../src/access/bearer-fault.ts';
import { CredentialRefusals } from '../../../src/access/credential-refusals.ts';
import type { NoteContext } from '../../../src/audit/note-maker.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { limits } from '../../../src/core/limits.ts';
import { ARRIVAL, newToken, operatorOrgId, orgId, RATE_BURST, TOKEN, World } from './authenticator-world.ts';

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
