import t from 'tap';
import { shuffled } from '../../../bench/harness/shuffle.ts';

t.test('the same items come in another order, which is always the same', async (t) => {
  const items = Array.from({ length: 1000 }, (_, index) => index);
  const first = shuffled(items);
  t.not(first.join(), items.join());
  t.same(
    [...first].sort((left, right) => left - right),
    items,
  );
  t.same(shuffled(items), first);
  t.same(shuffled([]), []);
});
