import t from 'tap';
import { Turns } from '../../../src/upload/turns.ts';

t.test('work for one key runs one after another in the order it came, also behind a failure', async (t) => {
  const turns = new Turns<string>();
  const told: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const outcomes = await Promise.allSettled([
    turns.run('key', work('first')),
    turns.run('key', work('second', true)),
    turns.run('key', work('third')),
  ]);
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.same(told, ['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
});

t.test('keys do not wait for each other', async (t) => {
  const turns = new Turns<string>();
  let open = () => {};
  const held = turns.run('a', () => new Promise<void>((resolve) => (open = resolve)));
  t.equal(await turns.run('b', async () => 'b'), 'b');
  open();
  await held;
  t.equal(await turns.run('a', async () => 'again'), 'again');
});
