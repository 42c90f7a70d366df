import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { clientRequestId, requestIds } from '../../../src/http/request-id.ts';

t.test('a well-formed id is taken over, anything else is not', async (t) => {
  for (const id of [
    'a',
    '0198c5b2-0000-7000-8000-000000000000',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'a/b:c=+@~._',
    'a'.repeat(128),
  ]) {
    t.equal(clientRequestId(id), id);
  }
  for (const id of [undefined, '', 'a b', 'a\nb', 'a\r\nSet-Cookie: x', 'ä', '"a"', '{a}', 'a'.repeat(129)])
    t.equal(clientRequestId(id), undefined);
});

t.test('ids made here are unique UUIDs of version 7, also within one millisecond', async (t) => {
  let now = 1_000;
  const next = requestIds({ ...systemClock, now: () => now });
  const ids = Array.from({ length: 1000 }, () => next());
  now += 1;
  ids.push(next());
  t.equal(new Set(ids).size, 1001);
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.same(ids.slice(0, 1000).toSorted(), ids.slice(0, 1000));
  t.not(ids[999]?.slice(0, 30), ids[1000]?.slice(0, 30));
});

t.test('a clock that stands still does not run out of ids', async (t) => {
  const next = requestIds({ ...systemClock, now: () => 0 });
  const seen = new Set<string>();
  for (let count = 0; count < 1_000_000; count++) seen.add(next());
  t.equal(seen.size, 1_000_000);
});
