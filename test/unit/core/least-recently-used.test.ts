import t from 'tap';
import { LeastRecentlyUsed } from '../../../src/core/least-recently-used.ts';

t.test('what was not used for longest goes first', async (t) => {
  const kept = new LeastRecentlyUsed<number>(2);
  kept.set('a', 1);
  kept.set('b', 2);
  t.equal(kept.get('a'), 1);
  kept.set('c', 3);
  t.equal(kept.get('b'), undefined);
  t.equal(kept.get('a'), 1);
  t.equal(kept.size, 2);
});

t.test('setting again is a use, and no second entry', async (t) => {
  const kept = new LeastRecentlyUsed<number>(2);
  kept.set('a', 1);
  kept.set('b', 2);
  kept.set('a', 3);
  kept.set('c', 4);
  t.strictSame([kept.get('a'), kept.get('b'), kept.get('c')], [3, undefined, 4]);
});

t.test('weight is bounded too, and given back', async (t) => {
  const kept = new LeastRecentlyUsed<string>(10, { max: 10, weigh: (text) => text.length });
  kept.set('a', '1234');
  kept.set('b', '123456');
  kept.set('b', '12');
  kept.set('c', '1234');
  t.equal(kept.size, 3);
  kept.set('d', '123');
  t.strictSame([kept.get('a'), kept.get('b')], [undefined, '12']);
  kept.set('e', '12345678901');
  t.equal(kept.get('e'), undefined, 'heavier than all may be');
  t.equal(kept.size, 3);
});

t.test('entries go by themselves or by the start of their keys', async (t) => {
  const kept = new LeastRecentlyUsed<number>(10);
  for (const key of ['a/1', 'a/2', 'b/1']) kept.set(key, 1);
  kept.delete('a/2');
  kept.delete('none');
  kept.deleteWhere('a/');
  t.strictSame([kept.get('a/1'), kept.get('a/2'), kept.get('b/1')], [undefined, undefined, 1]);
});
