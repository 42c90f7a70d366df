import t from 'tap';
import { Arrivals } from '../../../../bench/load/requests/arrivals.ts';
import { OpenLoop } from '../../../../bench/load/requests/open-loop.ts';
import { type DueRequest, RequestNumbers } from '../../../../bench/load/requests/request-source.ts';

/** 100 requests a second at even times, for one second, after a tenth of a second of warm-up; the test turns the clock. */
function openLoop() {
  const clock = { now: 0 };
  const loop = new OpenLoop({
    numbers: new RequestNumbers({ worker: 0, workers: 1, limit: undefined }),
    arrivals: new Arrivals({ kind: 'open', rate: 100, arrivals: 'uniform' }, { seed: 1, worker: 0, workers: 1 }),
    now: () => clock.now,
    warmUpMs: 100,
    endMs: 1100,
  });
  return { loop, clock };
}

t.test('requests keep their planned times while a server stalls and nobody can take them', async (t) => {
  const { loop, clock } = openLoop();
  const taken: DueRequest[] = [];
  clock.now = 2000;
  loop.pump();
  for (let due = await loop.take(); due !== undefined; due = await loop.take()) taken.push(due);
  t.equal(taken.length, 110);
  t.strictSame(
    taken.map(({ plannedAt }) => plannedAt),
    Array.from({ length: 110 }, (_, index) => index * 10),
  );
  t.equal(loop.queueMax, 110);
  t.equal(loop.lateCount, 0, 'nobody was free, so the load generator was not late');
  t.equal(taken.filter(({ index }) => index < 2 ** 40).length, 100, 'ten were warm-up');
});

t.test('a free connection gets a request when it is due; what is sent late then is our own fault', async (t) => {
  const { loop, clock } = openLoop();
  const first = loop.take();
  loop.pump();
  t.equal((await first)?.plannedAt, 0);
  t.equal(loop.nextAt, 10);
  const second = loop.take();
  clock.now = 10.4;
  loop.pump();
  t.equal((await second)?.plannedAt, 10);
  t.equal(loop.lateCount, 0);
  const third = loop.take();
  clock.now = 29;
  loop.pump();
  t.equal((await third)?.plannedAt, 20);
  t.equal(loop.lateCount, 1);
});

t.test('the end lets go of those who wait, and leaves what nobody took', async (t) => {
  const { loop, clock } = openLoop();
  const waiting = loop.take();
  loop.end();
  t.equal(await waiting, undefined);
  t.equal(loop.nextAt, undefined);
  const other = openLoop();
  other.clock.now = 35;
  other.loop.pump();
  await other.loop.take();
  t.strictSame(
    other.loop.rest().map(({ plannedAt }) => plannedAt),
    [10, 20, 30],
  );
  t.strictSame(other.loop.rest(), []);
  t.equal(clock.now, 0);
});

t.test('a long line is given out in its order', async (t) => {
  const loop = new OpenLoop({
    numbers: new RequestNumbers({ worker: 0, workers: 1, limit: 5000 }),
    arrivals: new Arrivals({ kind: 'open', rate: 1000, arrivals: 'uniform' }, { seed: 1, worker: 0, workers: 1 }),
    now: () => 10_000,
    warmUpMs: 0,
    endMs: 60_000,
  });
  loop.pump();
  for (let index = 0; index < 5000; index += 1) {
    const due = await loop.take();
    if (due?.index !== index) t.fail(`${due?.index} instead of ${index}`);
  }
  t.equal(await loop.take(), undefined);
});

t.test('Poisson arrivals have the rate, repeat with the seed, and differ between workers', async (t) => {
  const loop = { kind: 'open', rate: 200, arrivals: 'poisson' } as const;
  const times = (worker: number) => {
    const arrivals = new Arrivals(loop, { seed: 3, worker, workers: 2 });
    return Array.from({ length: 10_000 }, () => {
      const { next } = arrivals;
      arrivals.advance();
      return next;
    });
  };
  const first = times(0);
  const mean = (first.at(-1) as number) / 10_000;
  t.ok(mean > 9.7 && mean < 10.3, `each of two workers has one in ${mean} ms`);
  t.equal(times(0).join(), first.join());
  t.not(times(1).join(), first.join());
});
