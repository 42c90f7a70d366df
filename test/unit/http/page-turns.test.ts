import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId, type Scope } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { asksForLargePage, PageTurns } from '../../../src/http/page-turns.ts';

const member = (): Scope => ({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });

t.test('a few large pages are made at once, and another caller is next, however many one has asked for', async (t) => {
  const turns = new PageTurns();
  const [greedy, other] = [member(), member()];
  const ends: (() => void)[] = [];
  const made: string[] = [];
  const page = (name: string) => () => {
    made.push(name);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const all = Array.from({ length: 20 }, (_, n) => turns.run(greedy, page(`greedy ${n}`)));
  all.push(turns.run(other, page('other')));
  await turnsOfTheLoop();
  t.equal(made.length, limits.largePagesMax);
  ends.shift()?.();
  ends.shift()?.();
  await turnsOfTheLoop();
  t.ok(made.slice(limits.largePagesMax).includes('other'), 'at most one of the greedy comes first');
  while (made.length < 21 || ends.length > 0) {
    ends.shift()?.();
    await turnsOfTheLoop();
  }
  await Promise.all(all);
});

t.test('a page that fails passes its turn on, and too many that wait are refused', async (t) => {
  const turns = new PageTurns();
  const asker = member();
  const failing = Array.from({ length: limits.largePagesMax + 1 }, () => turns.run(asker, () => Promise.reject(new Error('no'))));
  for (const outcome of await Promise.allSettled(failing)) t.equal(outcome.status, 'rejected');
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const room = limits.largePagesMax + limits.largePagesWaitingMax;
  const waiting = Array.from({ length: room }, () => turns.run(asker, () => held));
  await t.rejects(
    turns.run(asker, () => held),
    { code: 'rate_limited', details: { limit: 'large_pages', share: 'principal' } },
  );
  const stranger = turns.run(member(), () => held);
  end();
  await Promise.all([...waiting, stranger]);
});

t.test('what is more than a page has by itself is large', async (t) => {
  t.ok(asksForLargePage('limit=101') && asksForLargePage('cursor=x&limit=1000'));
  t.notOk(asksForLargePage('') || asksForLargePage('limit=100') || asksForLargePage('xlimit=1000'));
});

async function turnsOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
