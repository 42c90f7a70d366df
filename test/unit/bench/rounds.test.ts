import t from 'tap';
import { type Candidate, measureInRounds } from '../../../bench/harness/rounds.ts';

const settle = async () => undefined;

function stage() {
  const lost: string[] = [];
  return {
    lostNames: lost,
    progress: () => undefined,
    lost(candidate: string, cause: unknown) {
      lost.push(candidate);
      return `${candidate} failed and is left out: ${(cause as Error).message}`;
    },
  };
}

function candidate(name: string, run: Candidate['run']): Candidate {
  return { name, role: 'peer', run };
}

t.test('each round begins with the next candidate', async (t) => {
  const order: string[] = [];
  const named = (name: string) =>
    candidate(name, async () => {
      order.push(name);
      return { value: 1 };
    });
  await measureInRounds(stage(), ['a', 'b', 'c'].map(named), { runs: 4, settle });
  t.equal(order.join(''), 'abcbcacababc');
});

t.test('the given order is kept where it is asked for', async (t) => {
  const order: string[] = [];
  const named = (name: string) =>
    candidate(name, async () => {
      order.push(name);
      return { value: 1 };
    });
  await measureInRounds(stage(), ['a', 'b'].map(named), { runs: 2, order: 'given', settle });
  t.equal(order.join(''), 'abab');
});

t.test('samples stand in the order of the rounds, with their median', async (t) => {
  const { rows, notes } = await measureInRounds(
    stage(),
    [
      candidate('a', async (round) => ({ value: 10 - round, failures: 2 })),
      candidate('b', async (round) => ({ value: round, p50Ms: round, p99Ms: 2 * round })),
    ],
    { runs: 3, settle },
  );
  t.match(rows, [
    { candidate: 'a', samples: [10, 9, 8], median: 9, min: 8, max: 10, failures: 6 },
    { candidate: 'b', samples: [0, 1, 2], median: 1, p50Ms: 1, p99Ms: 2, failures: 0 },
  ]);
  t.same(notes, []);
});

t.test('a candidate that fails costs its own row only', async (t) => {
  const given = stage();
  let tries = 0;
  const { rows, notes } = await measureInRounds(
    given,
    [
      candidate('good', async () => ({ value: 1 })),
      candidate('bad', async (round) => {
        tries += 1;
        if (round === 1) throw new Error('it broke');
        return { value: 1 };
      }),
      candidate('also good', async () => ({ value: 2 })),
    ],
    { runs: 3, settle },
  );
  t.same(
    rows.map(({ candidate, samples }) => [candidate, samples.length]),
    [
      ['good', 3],
      ['also good', 3],
    ],
  );
  t.equal(tries, 2, 'it is not tried again');
  t.same(given.lostNames, ['bad']);
  t.same(notes, ['bad failed and is left out: it broke']);
});

t.test('a failure before or after the measurement is one of the candidate too', async (t) => {
  const given = stage();
  const fails = async () => {
    throw new Error('no');
  };
  const good = async () => ({ value: 1 });
  const { rows } = await measureInRounds(
    given,
    [{ ...candidate('before', good), prepare: fails }, { ...candidate('after', good), finish: fails }, candidate('good', good)],
    { runs: 2, settle },
  );
  t.same(
    rows.map(({ candidate }) => candidate),
    ['good'],
  );
  t.same(given.lostNames, ['before', 'after']);
});

t.test('when all fail there are no rows, and notes that say so', async (t) => {
  const fails = candidate('only', async () => {
    throw new Error('no');
  });
  const { rows, notes } = await measureInRounds(stage(), [fails], { runs: 2, settle });
  t.same(rows, []);
  t.equal(notes.length, 1);
});
