import t from 'tap';
import { type Revocation, type RevocationName, Revocations } from '../../../src/access/revocations.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const orgId = newId<OrgId>(systemClock);
const name = (id: string): RevocationName => ({ kind: 'api_key', orgId, id });
const end = Number.POSITIVE_INFINITY;

function fixture() {
  const clock = standingClock();
  const revocations = new Revocations(clock);
  const revocation = (id: string, untilMs = end): Revocation => ({ ...name(id), untilMs });
  return { clock, revocations, revocation };
}

t.test('nothing is clear before everything was read once', async (t) => {
  const { revocations, revocation } = fixture();
  t.equal(revocations.stateOf(name('a')), 'unknown');
  await revocations.reload(async () => [revocation('a')]);
  t.equal(revocations.stateOf(name('a')), 'revoked');
  t.equal(revocations.stateOf(name('b')), 'clear');
});

t.test('kinds and organisations are apart, whatever an id contains', async (t) => {
  const { revocations } = fixture();
  await revocations.reload(async () => []);
  revocations.add({ kind: 'token', orgId, id: `x ${orgId} y`, untilMs: end });
  t.equal(revocations.stateOf({ kind: 'token', orgId, id: `x ${orgId} y` }), 'revoked');
  t.equal(revocations.stateOf({ kind: 'token', orgId, id: 'y' }), 'clear');
  t.equal(revocations.stateOf({ kind: 'principal', orgId, id: `x ${orgId} y` }), 'clear');
  t.equal(revocations.stateOf({ kind: 'token', orgId: newId<OrgId>(systemClock), id: `x ${orgId} y` }), 'clear');
});

t.test('a revocation holds as long as the credential would be taken, and half a minute of skew', async (t) => {
  const { clock, revocations, revocation } = fixture();
  await revocations.reload(async () => []);
  revocations.add(revocation('a', clock.now() + 1000));
  clock.advance(1000 + limits.tokenSkewMs - 1);
  t.equal(revocations.stateOf(name('a')), 'revoked');
  clock.advance(1);
  t.equal(revocations.stateOf(name('a')), 'clear');
});

t.test('revoking twice keeps the later end', async (t) => {
  const { clock, revocations, revocation } = fixture();
  await revocations.reload(async () => []);
  revocations.add(revocation('a', end));
  revocations.add(revocation('a', clock.now()));
  clock.advance(1_000_000);
  t.equal(revocations.stateOf(name('a')), 'revoked');
  t.equal(revocations.count, 1);
});

t.test('what is lifted is clear again', async (t) => {
  const { revocations, revocation } = fixture();
  await revocations.reload(async () => [revocation('a')]);
  revocations.lift(name('a'));
  revocations.lift(name('never revoked'));
  t.equal(revocations.stateOf(name('a')), 'clear');
});

t.test('what arrives while the database is read is not lost to the older picture', async (t) => {
  const { revocations, revocation } = fixture();
  await revocations.reload(async () => {
    revocations.add(revocation('new'));
    revocations.lift(name('lifted'));
    revocations.add(revocation('both'));
    revocations.lift(name('both'));
    return [revocation('old'), revocation('lifted')];
  });
  const states = ['new', 'old', 'lifted', 'both'].map((id) => revocations.stateOf(name(id)));
  t.same(states, ['revoked', 'revoked', 'clear', 'clear']);
});

t.test('a reload that fails leaves all as it was', async (t) => {
  const { revocations, revocation } = fixture();
  await revocations.reload(async () => [revocation('a')]);
  revocations.distrust();
  await t.rejects(
    revocations.reload(async () => {
      throw new Error('no database');
    }),
    /no database/,
  );
  t.equal(revocations.stateOf(name('a')), 'revoked');
  t.equal(revocations.stateOf(name('b')), 'unknown');
});

t.test('after notifications may have been missed nothing is clear until everything was read again', async (t) => {
  const { revocations, revocation } = fixture();
  await revocations.reload(async () => [revocation('a')]);
  revocations.distrust();
  t.equal(revocations.stateOf(name('a')), 'revoked');
  t.equal(revocations.stateOf(name('b')), 'unknown');
  await revocations.reload(async () => []);
  t.equal(revocations.stateOf(name('a')), 'clear');
});

t.test('a set that overflows stays bounded and says that it does not know, until it is read again', async (t) => {
  const { revocations, revocation } = fixture();
  const many = Array.from({ length: limits.revocationsMax }, (_, index) => revocation(`${index}`));
  await revocations.reload(async () => many);
  t.equal(revocations.stateOf(name('other')), 'clear');
  revocations.add(revocation('one more'));
  t.equal(revocations.count, limits.revocationsMax);
  t.equal(revocations.stateOf(name('one more')), 'unknown');
  t.equal(revocations.stateOf(name('other')), 'unknown');
  t.equal(revocations.stateOf(name('0')), 'revoked');
  await revocations.reload(async () => many.slice(1));
  t.equal(revocations.stateOf(name('other')), 'clear');
});

t.test('what has expired makes room for what is new', async (t) => {
  const { clock, revocations, revocation } = fixture();
  const soon = clock.now() + 1000;
  await revocations.reload(async () => Array.from({ length: limits.revocationsMax }, (_, index) => revocation(`${index}`, soon)));
  clock.advance(1000 + limits.tokenSkewMs);
  revocations.add(revocation('new'));
  t.equal(revocations.count, 1);
  t.equal(revocations.stateOf(name('new')), 'revoked');
  t.equal(revocations.stateOf(name('other')), 'clear');
});
