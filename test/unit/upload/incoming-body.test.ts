import fc from 'fast-check';
import t from 'tap';
import { Slab, type UploadAccount } from '../../../src/core/slab.ts';
import { type FilledSlot, IncomingBody } from '../../../src/upload/incoming-body.ts';
import { OverflowGate } from '../../../src/upload/overflow-gate.ts';
import { ScriptedSource } from '../../helpers/scripted-source.ts';

const SLOT = 4096;

function openBody(
  chunks: Uint8Array[],
  options: { slots: number; sizeMax?: number; carries?: boolean; mayHold?: number; gate?: OverflowGate },
) {
  const slab = new Slab({
    slotSize: SLOT,
    slotCount: options.slots,
    uploadSlotsMax: options.slots,
    extraSize: 0,
  });
  const account = slab.admitUpload() as UploadAccount;
  const source = new ScriptedSource(chunks);
  const body = new IncomingBody({
    source,
    slab,
    account,
    mayHold: () => options.mayHold ?? options.slots,
    gate: options.gate ?? new OverflowGate(SLOT),
    sizeMax: options.sizeMax ?? Number.MAX_SAFE_INTEGER,
    carries: options.carries ?? false,
    observe: undefined,
  });
  return { slab, account, source, body };
}

function textOf(filled: FilledSlot): Buffer {
  return Buffer.from(filled.slot.bytes.slice(0, filled.size));
}

function patternOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + size) & 0xff));
}

async function collect(body: IncomingBody, account: UploadAccount): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let filled = await body.next(); filled !== undefined; filled = await body.next()) {
    parts.push(textOf(filled));
    account.giveBack(filled.slot);
    body.slotAvailable();
  }
  return Buffer.concat(parts);
}

t.test('every way to split a body into chunks comes out as the same bytes, whatever the number of slots', async (t) => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3 * SLOT }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 5 }), async (parts, slots) => {
      const { body, account, slab } = openBody(parts, { slots });
      body.start();
      const received = await collect(body, account);
      body.close();
      account.close();
      t.ok(received.equals(Buffer.concat(parts)));
      return received.equals(Buffer.concat(parts)) && slab.freeSlots === slots && slab.uploadSlots === 0;
    }),
    { numRuns: 60 },
  );
});

t.test('bytes carried in front of a slot precede what the client sends next', async (t) => {
  const sent = Buffer.alloc(3 * SLOT, 'abcdefghij');
  const { body, account, slab } = openBody([sent], { slots: 2, carries: true });
  body.start();
  const parts: Buffer[] = [];
  for (let filled = await body.next(); filled !== undefined; filled = await body.next()) {
    const keep = filled.last ? 0 : 100;
    parts.push(textOf(filled).subarray(0, filled.size - keep));
    if (!filled.last) {
      slab.move(filled.slot.at, filled.slot.at + filled.size - keep, keep);
      body.release({ slot: filled.slot, size: keep });
    } else {
      account.giveBack(filled.slot);
    }
  }
  t.ok(Buffer.concat(parts).equals(sent));
});

t.test('the last slot is marked, also when the body is empty or ends with a full slot', async (t) => {
  for (const size of [0, 1, SLOT, SLOT + 1]) {
    const { body, account } = openBody(size === 0 ? [] : [new Uint8Array(size)], { slots: 3 });
    body.start();
    const flags: boolean[] = [];
    for (let filled = await body.next(); filled !== undefined; filled = await body.next()) {
      flags.push(filled.last);
      account.giveBack(filled.slot);
      body.slotAvailable();
    }
    t.equal(flags.filter(Boolean).length, 1, `one last slot for ${size} bytes`);
    t.equal(flags.at(-1), true);
  }
});

t.test('slots that are full already come together, in order, the last one marked, and then none', async (t) => {
  const { body, account } = openBody([patternOf(3 * SLOT + 5)], { slots: 4 });
  body.start();
  const counts: number[] = [];
  const parts: Buffer[] = [];
  for (let few = await body.nextFew(3); few.length > 0; few = await body.nextFew(3)) {
    counts.push(few.length);
    for (const filled of few) {
      parts.push(textOf(filled));
      t.equal(filled.last, parts.length === 4);
      account.giveBack(filled.slot);
    }
    body.slotAvailable();
  }
  t.same(counts, [3, 1]);
  t.ok(Buffer.concat(parts).equals(patternOf(3 * SLOT + 5)));
  body.close();
  account.close();
});

t.test('a body over its limit fails, and what came before stays usable', async (t) => {
  const { body, account } = openBody([new Uint8Array(SLOT), new Uint8Array(10)], { slots: 2, sizeMax: SLOT + 5 });
  body.start();
  const first = await body.next();
  t.equal(first?.size, SLOT);
  if (first !== undefined) account.giveBack(first.slot);
  body.slotAvailable();
  await t.rejects(body.next(), { code: 'upload_too_large' });
  body.close();
  account.close();
});

t.test('a client that vanishes leaves the partly filled slot to be kept', async (t) => {
  const { body, source, account, slab } = openBody([Buffer.from('half a record')], { slots: 2 });
  source.endless = true;
  body.start();
  source.vanish();
  await t.rejects(body.next(), { code: 'cancelled' });
  const rest = body.takeRest();
  t.equal(rest === undefined ? '' : textOf(rest).toString(), 'half a record');
  if (rest !== undefined) account.giveBack(rest.slot);
  body.close();
  account.close();
  t.equal(slab.uploadSlots, 0);
});

t.test('a chunk that does not fit waits only when no other slot can come back', async (t) => {
  const sent = [patternOf(SLOT / 2), patternOf(SLOT), patternOf(SLOT)];
  const { body, account, slab } = openBody(sent, { slots: 4 });
  body.start();
  t.equal(body.paused, false, 'the fourth slot was taken ahead');
  t.equal(slab.freeSlots, 0);
  const single = openBody(sent, { slots: 1 });
  single.body.start();
  t.equal(single.body.paused, true, 'the rest waits for the only slot');
  for (const { body: each, account: its } of [{ body, account }, single]) {
    t.ok((await collect(each, its)).equals(Buffer.concat(sent)));
    each.close();
    its.close();
  }
  t.equal(slab.freeSlots, 4);
});

t.test('nothing is placed after close, and every slot is free again', async (t) => {
  const { body, account, slab } = openBody([new Uint8Array(2 * SLOT + 7)], { slots: 1 });
  body.start();
  body.close();
  account.close();
  body.slotAvailable();
  t.equal(slab.freeSlots, 1);
});
