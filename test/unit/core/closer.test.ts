import t from 'tap';
import { Closer } from '../../../src/core/closer.ts';

t.test('what was opened last is closed first, one after the other', async (t) => {
  const order: string[] = [];
  const closer = new Closer();
  closer.push('database', () => void order.push('database'));
  closer.push('node', async () => {
    order.push('node begins');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('node ends');
  });
  t.same(await closer.close(), []);
  t.same(order, ['node begins', 'node ends', 'database']);
});

t.test('a step that fails is told and does not keep the others from closing', async (t) => {
  const order: string[] = [];
  const closer = new Closer();
  closer.push('first', () => void order.push('first'));
  closer.push('rejects', () => Promise.reject(new Error('late')));
  closer.push('throws', () => {
    throw new Error('early');
  });
  t.match(await closer.close(), [
    { name: 'throws', cause: { message: 'early' } },
    { name: 'rejects', cause: { message: 'late' } },
  ]);
  t.same(order, ['first']);
});

t.test('a step that never ends is left behind after its time', async (t) => {
  const closer = new Closer();
  let closed = false;
  closer.push('good', () => {
    closed = true;
  });
  closer.push('stuck', () => new Promise<void>(() => undefined), 5);
  t.match(await closer.close(), [{ name: 'stuck', cause: { message: /did not close within 5 ms/ } }]);
  t.ok(closed);
});

t.test('closing twice closes once', async (t) => {
  let count = 0;
  const closer = new Closer();
  closer.push('once', () => {
    count += 1;
  });
  await Promise.all([closer.close(), closer.close()]);
  await closer.close();
  t.equal(count, 1);
});
