import { setImmediate as endOfTurn } from 'node:timers/promises';
import t from 'tap';
import { Gate } from '../../../src/cli/gate.ts';

t.test('a gate lets so many through, the next one when another is done, failed or not', async (t) => {
  const gate = new Gate(2);
  const ends: ((failure?: Error) => void)[] = [];
  const enter = () =>
    gate.through(() => new Promise<void>((resolve, reject) => ends.push((failure) => (failure ? reject(failure) : resolve()))));
  const all = [enter(), enter(), enter(), enter()];
  await endOfTurn();
  t.equal(ends.length, 2);
  ends[0]?.(new Error('it failed'));
  await t.rejects(all[0] as Promise<void>, { message: 'it failed' });
  await endOfTurn();
  t.equal(ends.length, 3);
  ends[1]?.();
  ends[2]?.();
  await endOfTurn();
  t.equal(ends.length, 4);
  ends[3]?.();
  await Promise.all(all.slice(1));
  const late = enter();
  await endOfTurn();
  ends[4]?.();
  await late;
});
