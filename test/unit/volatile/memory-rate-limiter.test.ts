import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { MemoryRateLimiter } from '../../../src/volatile/memory-rate-limiter.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const limit = { perSecond: 1, burst: 10 };

t.test('keys that are full again are forgotten as others come', async (t) => {
  const clock = standingClock();
  const limiter = new MemoryRateLimiter({ clock, keysMax: 1000 });
  for (let key = 0; key < 100; key++) await limiter.take(`old ${key}`, 1, limit);
  t.equal(limiter.count, 100);
  clock.advance(1000);
  for (let key = 0; key < 40; key++) await limiter.take(`new ${key}`, 1, limit);
  t.equal(limiter.count, 40);
});

t.test('a key that took nothing, or has everything back, is not remembered', async (t) => {
  const clock = standingClock();
  const limiter = new MemoryRateLimiter({ clock, keysMax: 1000 });
  await limiter.take('asks', 0, limit);
  t.equal(limiter.count, 0);
  await limiter.take('takes', 1, limit);
  t.equal(limiter.count, 1);
  clock.advance(1000);
  await limiter.take('takes', 0, limit);
  t.equal(limiter.count, 0);
});

t.test('no flood of keys makes it remember more than its bound', async (t) => {
  const clock = standingClock();
  const limiter = new MemoryRateLimiter({ clock, keysMax: 50 });
  for (let key = 0; key < 5000; key++) await limiter.take(`flood ${key}`, 1 + (key % 10), limit);
  t.equal(limiter.count, 50);
});

t.test('a key that has much to pay back stays known in a flood of keys that owe little', async (t) => {
  const clock = standingClock();
  const limiter = new MemoryRateLimiter({ clock, keysMax: 50 });
  await limiter.take('debtor', 10, limit);
  for (let key = 0; key < 5000; key++) await limiter.take(`flood ${key}`, 1, limit);
  t.match(await limiter.take('debtor', 1, limit), { allowed: false, remaining: 0 });
});

t.test('a clock that is set forth or back neither opens nor closes a key', async (t) => {
  let wallMs = systemClock.now();
  const limiter = new MemoryRateLimiter({
    clock: { ...systemClock, now: () => wallMs, monotonic: () => 5000 },
    keysMax: 50,
  });
  await limiter.take('key', 10, limit);
  for (const stepMs of [3_600_000, -7_200_000]) {
    wallMs += stepMs;
    t.match(await limiter.take('key', 1, limit), { allowed: false, retryAfterMs: 1000 });
  }
});

t.test('costs and limits that are no numbers are bugs of the caller', async (t) => {
  const limiter = new MemoryRateLimiter({ clock: standingClock(), keysMax: 50 });
  for (const cost of [-1, Number.NaN, Number.POSITIVE_INFINITY]) await t.rejects(limiter.take('key', cost, limit), /cost/);
  await t.rejects(limiter.take('key', 1, { perSecond: 0, burst: 1 }), /comes back/);
  await t.rejects(limiter.take('key', 1, { perSecond: 1, burst: 0 }), /burst/);
});
