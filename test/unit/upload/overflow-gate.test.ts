import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { Slab, type UploadAccount } from '../../../src/core/slab.ts';
import { IncomingBody } from '../../../src/upload/incoming-body.ts';
import { OverflowGate } from '../../../src/upload/overflow-gate.ts';
import { ScriptedSource } from '../../helpers/scripted-source.ts';

const SLOT = 4096;

/** Bodies that own one slot each. */
function openBodies(count: number, gate: OverflowGate) {
  const slab = new Slab({ slotSize: SLOT, slotCount: count, uploadSlotsMax: count, extraSize: 0 });
  return Array.from({ length: count }, () => {
    const account = slab.admitUpload() as UploadAccount;
    const source = new ScriptedSource([]);
    source.endless = true;
    const mayHold = () => 1;
    const body = new IncomingBody({ source, slab, account, mayHold, gate, sizeMax: 1e9, carries: false, observe: undefined });
    body.start();
    return { account, source, body };
  });
}

type Opened = ReturnType<typeof openBodies>[number];

async function empty({ account, body }: Opened): Promise<number> {
  const filled = await body.next();
  if (filled === undefined) return 0;
  account.giveBack(filled.slot);
  body.slotAvailable();
  return filled.size;
}

t.test('too much outside the slab pauses every body that may add to it, until half of it has found slots', async (t) => {
  const gate = new OverflowGate(2 * SLOT);
  const [first, second, third] = openBodies(3, gate) as [Opened, Opened, Opened];
  for (const { source } of [first, second, third]) source.send(new Uint8Array(SLOT / 2));
  first.source.send(new Uint8Array(SLOT));
  t.notOk(third.body.paused, 'there is room outside for one more chunk');
  second.source.send(new Uint8Array(2 * SLOT));
  t.equal(gate.kept, 2 * SLOT);
  t.ok(third.body.paused && third.source.paused, 'the third has room in its slot, and may not use it');

  t.equal(await empty(first), SLOT);
  t.notOk(first.source.paused && !gate.closed);
  t.equal(await empty(second), SLOT);
  t.equal(gate.kept, SLOT / 2);
  t.notOk(gate.closed);
  t.notOk(third.body.paused || third.source.paused, 'it goes on');
  for (const { body } of [first, second, third]) body.close();
});

t.test('a body on its only slot waits while the gate is closed, and what a closed body kept opens it', async (t) => {
  const gate = new OverflowGate(SLOT / 4);
  const [first, second] = openBodies(2, gate) as [Opened, Opened];
  first.source.send(new Uint8Array(SLOT), new Uint8Array(SLOT / 2));
  t.ok(first.body.paused, 'its slot is full');
  const kept = gate.keep(new Uint8Array(SLOT));
  second.source.send(new Uint8Array(SLOT / 2));
  t.ok(gate.closed && second.body.paused);
  gate.give(kept);
  t.notOk(gate.closed || second.body.paused);
  second.source.send(new Uint8Array(SLOT));
  t.ok(gate.closed, 'half a slot is kept');
  second.body.close();
  t.equal(gate.kept, 0);
  t.notOk(gate.closed);
  first.body.close();
});

t.test('a body that goes on may close the gate again for those behind it', async (t) => {
  const gate = new OverflowGate(SLOT / 4);
  const kept = gate.keep(new Uint8Array(SLOT));
  const resumed: string[] = [];
  const standing = (name: string, keeps: number) => ({
    pauseAtGate: () => undefined,
    resumeAtGate: () => {
      resumed.push(name);
      if (keeps > 0) gate.keep(new Uint8Array(keeps));
    },
  });
  gate.enter(standing('first', 0));
  gate.enter(standing('second', SLOT));
  gate.enter(standing('third', 0));
  gate.give(kept);
  t.same(resumed, ['first', 'second']);
  t.ok(gate.closed);
});

t.test('large copies use the same memory again, small ones do not hold it', async (t) => {
  const gate = new OverflowGate(limits.httpChunkMax * 2);
  const large = gate.keep(Buffer.alloc(limits.httpChunkMax - 1, 1));
  t.equal(large.byteLength, limits.httpChunkMax - 1);
  t.equal(gate.kept, limits.httpChunkMax, 'counted with the memory it takes');
  gate.give(large);
  const next = gate.keep(Buffer.alloc(limits.httpChunkMax / 2, 2));
  t.equal(next.buffer, large.buffer);
  t.ok(Buffer.from(next).equals(Buffer.alloc(limits.httpChunkMax / 2, 2)));
  const small = gate.keep(Buffer.from('small'));
  t.equal(small.buffer.byteLength, 5);
  gate.give(small);
  gate.give(next);
  t.equal(gate.kept, 0);
});
