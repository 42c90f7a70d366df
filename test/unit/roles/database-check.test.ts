import t from 'tap';
import { DatabaseCheck } from '../../../src/roles/database-check.ts';

t.test('an answer and a failure are told', async (t) => {
  t.equal(await new DatabaseCheck({ ping: async () => {} }).answers(), true);
  const failing = new DatabaseCheck({ ping: async () => Promise.reject(new Error('connection refused')) });
  t.equal(await failing.answers(), false);
});

t.test('a database that hangs is waited for no longer than the limit, and asked once however many want to know', async (t) => {
  let asked = 0;
  let answer = () => {};
  const check = new DatabaseCheck({
    limitMs: 20,
    ping: () => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  });
  t.strictSame(await Promise.all([check.answers(), check.answers(), check.answers()]), [false, false, false]);
  t.equal(await check.answers(), false);
  t.equal(asked, 1);
  const late = check.answers();
  answer();
  t.equal(await late, true, 'it answers after all');
  answer = () => {};
  const again = check.answers();
  t.equal(asked, 2);
  answer();
  t.equal(await again, true);
});
