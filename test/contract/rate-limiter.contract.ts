import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type t from 'tap';
import type { RateLimit, RateLimiter } from '../../src/volatile/rate-limiter.ts';

export interface RateLimiterUnderTest {
  readonly limiter: RateLimiter;
  /** Moves the limiter's time, which stands still otherwise. */
  readonly advance: (ms: number) => Promise<void>;
}

/** What every RateLimiter must do. Keys are fresh in each test, so that a store that outlives the run may be used. */
export function rateLimiterContract(test: typeof t, { limiter, advance }: RateLimiterUnderTest): void {
  const slow: RateLimit = { perSecond: 1, burst: 3 };
  const freshKey = (): string => `contract/${randomUUID()}`;

  test.test('a key that was never seen has its whole burst, and no more', async (t) => {
    const key = freshKey();
    t.strictSame(await limiter.take(key, 1, slow), { allowed: true, retryAfterMs: 0, remaining: 2 });
    t.strictSame(await limiter.take(key, 2, slow), { allowed: true, retryAfterMs: 0, remaining: 0 });
    t.strictSame(await limiter.take(key, 1, slow), { allowed: false, retryAfterMs: 1000, remaining: 0 });
  });

  test.test('what was taken comes back unit by unit, and never beyond the burst', async (t) => {
    const key = freshKey();
    await limiter.take(key, 3, slow);
    await advance(999);
    t.strictSame(await limiter.take(key, 1, slow), { allowed: false, retryAfterMs: 1, remaining: 0 });
    await advance(1);
    t.match(await limiter.take(key, 1, slow), { allowed: true, remaining: 0 });
    await advance(3_600_000);
    t.match(await limiter.take(key, 0, slow), { allowed: true, remaining: 3 });
  });

  test.test('a refused request costs nothing, however often it is tried', async (t) => {
    const key = freshKey();
    await limiter.take(key, 2, slow);
    for (let tries = 0; tries < 5; tries++) {
      t.strictSame(await limiter.take(key, 2, slow), { allowed: false, retryAfterMs: 1000, remaining: 1 });
    }
    t.match(await limiter.take(key, 1, slow), { allowed: true, remaining: 0 });
  });

  test.test('who waits as long as told is let in', async (t) => {
    const key = freshKey();
    const odd: RateLimit = { perSecond: 7, burst: 5 };
    await limiter.take(key, 5, odd);
    for (const cost of [1, 2, 5, 3]) {
      const { allowed, retryAfterMs } = await limiter.take(key, cost, odd);
      t.equal(allowed, false);
      await advance(retryAfterMs);
      t.equal((await limiter.take(key, cost, odd)).allowed, true);
    }
  });

  test.test('keys do not touch each other', async (t) => {
    const [key, other] = [freshKey(), freshKey()];
    await limiter.take(key, 3, slow);
    t.match(await limiter.take(other, 3, slow), { allowed: true });
    t.match(await limiter.take(key, 1, slow), { allowed: false });
  });

  test.test('asking with cost 0 takes nothing', async (t) => {
    const key = freshKey();
    for (let asked = 0; asked < 5; asked++) t.match(await limiter.take(key, 0, slow), { allowed: true, remaining: 3 });
    t.match(await limiter.take(key, 3, slow), { allowed: true, remaining: 0 });
    t.match(await limiter.take(key, 0, slow), { allowed: true, remaining: 0 });
  });

  test.test('a cost above the burst passes when the whole burst is there, and is paid for afterwards', async (t) => {
    const key = freshKey();
    await limiter.take(key, 1, slow);
    t.strictSame(await limiter.take(key, 10, slow), { allowed: false, retryAfterMs: 1000, remaining: 2 });
    await advance(1000);
    t.match(await limiter.take(key, 10, slow), { allowed: true, remaining: 0 });
    t.strictSame(await limiter.take(key, 1, slow), { allowed: false, retryAfterMs: 8000, remaining: 0 });
    await advance(8000);
    t.match(await limiter.take(key, 1, slow), { allowed: true });
  });

  test.test('bytes by the hundred million are counted to within a few', async (t) => {
    const key = freshKey();
    const bytes: RateLimit = { perSecond: 10 * 2 ** 20, burst: 64 * 2 ** 20 };
    t.match(await limiter.take(key, bytes.burst - 64, bytes), { allowed: true });
    t.match(await limiter.take(key, 128, bytes), { allowed: false, retryAfterMs: 1 });
    await advance(1000);
    const { remaining } = await limiter.take(key, 0, bytes);
    t.ok(remaining > bytes.perSecond && remaining < bytes.perSecond + 128, `${remaining} bytes`);
  });

  test.test('of many who take at once no more get through than there are units', async (t) => {
    const key = freshKey();
    const decisions = await Promise.all(Array.from({ length: 50 }, () => limiter.take(key, 1, { perSecond: 1, burst: 20 })));
    t.equal(decisions.filter(({ allowed }) => allowed).length, 20);
  });

  test.test('a rate below one a second is kept', async (t) => {
    const key = freshKey();
    const hourly: RateLimit = { perSecond: 1 / 3600, burst: 1 };
    t.match(await limiter.take(key, 1, hourly), { allowed: true });
    t.match(await limiter.take(key, 1, hourly), { allowed: false, retryAfterMs: 3_600_000 });
    await advance(3_600_000);
    t.match(await limiter.take(key, 1, hourly), { allowed: true });
  });

  test.test('what is given back may be taken again, and never more than the burst', async (t) => {
    const key = freshKey();
    for (let time = 0; time < slow.burst; time++) t.match(await limiter.take(key, 1, slow), { allowed: true });
    t.match(await limiter.take(key, 1, slow), { allowed: false });
    limiter.giveBack(key, 1, slow);
    t.match(await limiter.take(key, 1, slow), { allowed: true, remaining: 0 });
    limiter.giveBack(key, 100, slow);
    limiter.giveBack(freshKey(), 1, slow);
    t.match(await limiter.take(key, 0, slow), { remaining: slow.burst });
  });

  test.test('a limit that is raised holds from the next request on', async (t) => {
    const key = freshKey();
    await limiter.take(key, 3, slow);
    t.match(await limiter.take(key, 1, slow), { allowed: false });
    t.match(await limiter.take(key, 1, { perSecond: 1, burst: 10 }), { allowed: true, remaining: 6 });
  });

  test.test('no stretch of time lets more through than a burst and what came back in it', async (t) => {
    const step = fc.record({ cost: fc.integer({ min: 1, max: 8 }), pauseMs: fc.integer({ min: 0, max: 400 }) });
    const limit: RateLimit = { perSecond: 20, burst: 8 };
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const key = freshKey();
      const taken: { atMs: number; cost: number }[] = [];
      let atMs = 0;
      for (const { cost, pauseMs } of steps) {
        await advance(pauseMs);
        atMs += pauseMs;
        if ((await limiter.take(key, cost, limit)).allowed) taken.push({ atMs, cost });
      }
      return taken.every((first, index) => {
        let sum = 0;
        return taken.slice(index).every(({ atMs: end, cost }) => {
          sum += cost;
          return sum <= limit.burst + ((end - first.atMs) * limit.perSecond) / 1000 + 1e-6;
        });
      });
    });
    await fc.assert(property, { numRuns: 100 });
    t.pass('held');
  });
}
