import t from 'tap';
import { ConnectionCap } from '../../../src/http/connection-cap.ts';

function openCap(max: number) {
  const cut: string[] = [];
  const cap = new ConnectionCap<{ readonly name: string; cut(): void }>(max);
  const connect = (name: string) => {
    const connection = { name, cut: () => cut.push(name) };
    cap.admit(connection);
    return connection;
  };
  return { cap, cut, connect };
}

t.test('a new connection gets the place of the one that has waited longest, and none of one that serves', async (t) => {
  const { cap, cut, connect } = openCap(2);
  const first = connect('first');
  connect('second');
  cap.serves(first);
  connect('third');
  t.strictSame(cut, ['second']);
  t.ok(cap.canAdmit);
  for (const connection of cap.open) cap.serves(connection);
  t.notOk(cap.canAdmit);
});

t.test('connections that never brought a request go before one that has and waits', async (t) => {
  const { cap, cut, connect } = openCap(3);
  const known = connect('known');
  cap.serves(known);
  cap.waits(known);
  for (let n = 0; n < 6; n++) connect(`idle ${n}`);
  t.strictSame(cut, ['idle 0', 'idle 1', 'idle 2', 'idle 3']);
  t.ok(cap.open.has(known));
  for (const connection of cap.open) if (connection !== known) cap.serves(connection);
  connect('last');
  t.strictSame(cut.at(-1), 'known', 'when there is no other');
});
