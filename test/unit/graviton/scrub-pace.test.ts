import fc from 'fast-check';
import t from 'tap';
import { plannedRate, restAfter } from '../../../src/graviton/scrub-pace.ts';

const MiB = 1024 ** 2;
const DAY = 86_400_000;
const rule = { rateMin: MiB, rateMax: 64 * MiB };

t.test('a small store is scrubbed at the least rate, a large one as fast as its time demands', async (t) => {
  t.equal(plannedRate(rule, { remainingBytes: 1024 ** 3, remainingMs: 15 * DAY }), MiB);
  const tenTebibytes = 10 * 1024 ** 4;
  const rate = plannedRate(rule, { remainingBytes: tenTebibytes, remainingMs: 15 * DAY });
  t.ok(rate > MiB && rate < 64 * MiB);
  t.ok(tenTebibytes / rate <= (15 * DAY) / 1000 / 2, 'with half of the time for requests');
});

t.test('a scrub that is late, or has too little time, goes at the highest rate and no faster', async (t) => {
  for (const remainingMs of [0, -DAY, 1]) t.equal(plannedRate(rule, { remainingBytes: 1024 ** 4, remainingMs }), 64 * MiB);
});

t.test('whatever it reads, a scrub keeps its rate and gives the disk three quarters of the time', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 * MiB }),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: MiB, max: 64 * MiB }),
      (bytes, readMs, otherMs, rate) => {
        const spentMs = readMs + otherMs;
        const restMs = restAfter(rate, { bytes, readMs, spentMs });
        return (bytes * 1000) / rate <= spentMs + restMs + 1e-6 && restMs >= 3 * readMs;
      },
    ),
  );
  t.end();
});
