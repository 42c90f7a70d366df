import fc from 'fast-check';
import t from 'tap';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { blockIdOf } from '../../../src/core/blake3.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { Slab, type Slot, type UploadAccount } from '../../../src/core/slab.ts';
import { BlockCache, type CachedBlock } from '../../../src/graviton/block-cache.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { patterned } from '../../helpers/segment-fixture.ts';

const SLOT = 4096;
const SLOTS = 8;

interface Fixture {
  readonly slab: Slab;
  readonly node: MemoryNode;
  readonly cache: BlockCache;
  readonly corrupt: BlockId[];
  readonly ids: readonly BlockId[];
}

/** A cache over `SLOTS` slots, of which uploads may have half; the node holds ten blocks. */
async function openCache(t: { teardown(end: () => Promise<void>): void }): Promise<Fixture> {
  const slab = new Slab({ slotSize: SLOT, slotCount: SLOTS, uploadSlotsMax: SLOTS / 2, extraSize: 0 });
  const hasher = await PiscinaHasher.open({ slab, lanes: 1 });
  t.teardown(() => hasher.close());
  const node = new MemoryNode();
  const corrupt: BlockId[] = [];
  const cache = new BlockCache({ slab, node, hasher, onCorrupt: (id) => corrupt.push(id) });
  const ids: BlockId[] = [];
  for (let seed = 0; seed < 10; seed++) {
    const bytes = patterned(SLOT - seed, seed);
    ids.push(blockIdOf(bytes));
    await node.putBlocks([{ kind: 'data', id: blockIdOf(bytes), bytes }]);
  }
  return { slab, node, cache, corrupt, ids };
}

const idAt = ({ ids }: Fixture, index: number) => ids[index] as BlockId;
const sizeOf = (index: number) => SLOT - index;
const load = (fixture: Fixture, index: number) => fixture.cache.get(idAt(fixture, index), sizeOf(index), {});

t.test('a block is read once for many readers, and each gives it back on its own', async (t) => {
  const fixture = await openCache(t);
  const blocks = await Promise.all([load(fixture, 0), load(fixture, 0), load(fixture, 0)]);
  t.equal(fixture.node.reads, 1);
  for (const { bytes } of blocks) t.ok(Buffer.from(bytes).equals(patterned(SLOT, 0)));
  blocks[0]?.release();
  t.throws(() => blocks[0]?.release(), 'once per reader');
  blocks[1]?.release();
  blocks[2]?.release();
  t.same(fixture.cache.statistics, { blocks: 1, hits: 2, misses: 1 });
  t.equal(fixture.slab.freeSlots, SLOTS - 1, 'the block stays in memory');
});

t.test('a loader that fails takes nobody down: who waited for it tries, and no slot is lost', async (t) => {
  const fixture = await openCache(t);
  let failures = 1;
  fixture.node.beforeRead = async () => {
    if (failures-- > 0) throw new Error('the disk hiccups');
  };
  const [first, second] = await Promise.allSettled([load(fixture, 3), load(fixture, 3)]);
  t.equal(first.status, 'rejected');
  t.equal(second.status, 'fulfilled');
  if (second.status === 'fulfilled') second.value.release();
  t.equal(fixture.slab.freeSlots, SLOTS - 1);
});

t.test('a bad page in memory is read again from the disk, and condemns nothing', async (t) => {
  const fixture = await openCache(t);
  fixture.node.badPages.set(idAt(fixture, 1), Buffer.alloc(sizeOf(1)));
  const block = await load(fixture, 1);
  t.ok(Buffer.from(block.bytes).equals(patterned(sizeOf(1), 1)));
  block.release();
  t.same(fixture.node.reports, []);
});

t.test('damage on the disk is reported once; later readers are refused at once', async (t) => {
  const fixture = await openCache(t);
  const stored = fixture.node.blocks.get(idAt(fixture, 2));
  if (stored !== undefined) stored.bytes[7] = (stored.bytes[7] as number) ^ 1;
  await t.rejects(load(fixture, 2), { code: 'corrupt' });
  await t.rejects(load(fixture, 2), { code: 'corrupt' });
  t.same(fixture.corrupt, [idAt(fixture, 2)]);
  t.equal(fixture.node.reports.length, 1);
  t.equal(fixture.slab.freeSlots, SLOTS);
});

t.test('a node that hashes is believed, and its lesson is told once, before anybody has the block', async (t) => {
  const fixture = await openCache(t);
  fixture.node.hashes = true;
  const lessons: (readonly string[])[] = [];
  const learn = (stretches: readonly string[]): void => {
    t.equal(fixture.cache.statistics.blocks, 0);
    lessons.push(stretches);
  };
  const get = () => fixture.cache.get(idAt(fixture, 0), sizeOf(0), { batched: true, learn });
  for (const block of await Promise.all([get(), get()])) block.release();
  (await get()).release();
  t.same(lessons, [[idAt(fixture, 0)]], 'a block of one stretch');
  (await fixture.cache.get(idAt(fixture, 1), sizeOf(1), { learn })).release();
  t.equal(lessons.length, 1, 'who reads many in a row is served in the ordinary way');
});

t.test('what a node that hashes found is compared: a bad page is read again, damage reported, and neither teaches', async (t) => {
  const fixture = await openCache(t);
  fixture.node.hashes = true;
  const learn = (): void => void t.fail('nothing is learned from bytes that were wrong');
  fixture.node.badPages.set(idAt(fixture, 1), Buffer.alloc(sizeOf(1)));
  const block = await fixture.cache.get(idAt(fixture, 1), sizeOf(1), { batched: true, learn });
  t.ok(Buffer.from(block.bytes).equals(patterned(sizeOf(1), 1)));
  block.release();
  t.same(fixture.node.reports, []);
  const stored = fixture.node.blocks.get(idAt(fixture, 2));
  if (stored !== undefined) stored.bytes[7] = (stored.bytes[7] as number) ^ 1;
  await t.rejects(fixture.cache.get(idAt(fixture, 2), sizeOf(2), { batched: true, learn }), { code: 'corrupt' });
  await t.rejects(fixture.cache.get(idAt(fixture, 4), 17, { batched: true, learn }), { code: 'corrupt' });
  t.equal(fixture.node.reports.length, 1);
  t.equal(fixture.slab.freeSlots, SLOTS - 1);
});

t.test('a manifest that is wrong about a size does not condemn a healthy block', async (t) => {
  const fixture = await openCache(t);
  await t.rejects(fixture.cache.get(idAt(fixture, 4), 17, {}), { code: 'corrupt' });
  t.same(fixture.node.reports, []);
  (await load(fixture, 4)).release();
});

t.test('a block the node never had is missing, and its slot is free again', async (t) => {
  const fixture = await openCache(t);
  await t.rejects(fixture.cache.get('0'.repeat(64) as BlockId, 5, {}), { code: 'block_missing' });
  t.equal(fixture.slab.freeSlots, SLOTS);
});

t.test('reading ahead takes no slot others wait for', async (t) => {
  const fixture = await openCache(t);
  const read: CachedBlock[] = [];
  for (let index = 0; ; index++) {
    const block = await fixture.cache.get(idAt(fixture, index), sizeOf(index), { ahead: true });
    if (block === undefined) break;
    read.push(block);
  }
  t.ok(read.length >= 1 && read.length <= (SLOTS * 3) / 4);
  for (const block of read) block.release();
});

t.test('who is aborted in line gives up its place, and who waited for it goes on alone', async (t) => {
  const fixture = await openCache(t);
  const taken = takeAll(fixture.slab);
  const stop = new AbortController();
  const first = fixture.cache.get(idAt(fixture, 5), sizeOf(5), { signal: stop.signal });
  const second = load(fixture, 5);
  stop.abort(new Error('the client left'));
  await t.rejects(first, { message: 'the client left' });
  for (const slot of taken) slot.release();
  (await second).release();
  t.equal(fixture.slab.freeSlots, SLOTS - 1);
});

t.test('readers of cached blocks leave what is promised to uploads, and go on when it is free', async (t) => {
  const fixture = await openCache(t);
  const { slab, cache } = fixture;
  for (let index = 0; index < 7; index++) (await load(fixture, index)).release();
  const accounts = [1, 2, 3, 4].map(() => slab.admitUpload() as UploadAccount);
  const held: CachedBlock[] = [];
  const refused: number[] = [];
  for (let index = 0; index < 7; index++) {
    const block = cache.tryGet(idAt(fixture, index));
    if (block === undefined) refused.push(index);
    else held.push(block);
  }
  t.ok(refused.length > 0, 'not every cached block may be kept from uploads');
  const again = load(fixture, refused[0] as number);
  for (const account of accounts) t.ok(account.tryAcquire(1), 'an admitted upload gets its slot');
  for (const block of held) block.release();
  const block = await again;
  t.ok(Buffer.from(block.bytes).equals(patterned(sizeOf(refused[0] as number), refused[0] as number)));
  block.release();
});

t.test('whatever readers and uploads do, no slot is lost and every admitted upload gets one', async (t) => {
  const fixture = await openCache(t);
  const step = fc.record({
    what: fc.constantFrom('get', 'ahead', 'tryGet', 'release', 'admit', 'take', 'give', 'close', 'abort', 'turn'),
    which: fc.nat(9),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const crowd = new Crowd(fixture);
      for (const { what, which } of steps) await crowd.run(what, which);
      await crowd.leave();
      return fixture.slab.freeSlots + fixture.cache.statistics.blocks === SLOTS && fixture.slab.uploadSlots === 0;
    }),
    { numRuns: 150 },
  );
  t.pass('150 random crowds');
});

/** Readers and uploads that do what they are told, and in the end give everything back. */
class Crowd {
  readonly #fixture: Fixture;
  readonly #blocks: CachedBlock[] = [];
  readonly #waiting: { stop: AbortController; done: Promise<void> }[] = [];
  readonly #uploads: { account: UploadAccount; slots: Slot[]; open: boolean }[] = [];

  constructor(fixture: Fixture) {
    this.#fixture = fixture;
  }

  async run(what: string, which: number): Promise<void> {
    const { cache, slab } = this.#fixture;
    const id = idAt(this.#fixture, which);
    const upload = this.#uploads[which % Math.max(1, this.#uploads.length)];
    if (what === 'get') this.#get((signal) => cache.get(id, sizeOf(which), { signal }));
    else if (what === 'ahead') this.#get((signal) => cache.get(id, sizeOf(which), { signal, ahead: true }));
    else if (what === 'tryGet') this.#keep(cache.tryGet(id));
    else if (what === 'release') this.#blocks.shift()?.release();
    else if (what === 'abort') this.#waiting[which % Math.max(1, this.#waiting.length)]?.stop.abort();
    else if (what === 'turn') await new Promise((resolve) => setImmediate(resolve));
    else if (what === 'admit') this.#admit(slab.admitUpload());
    else if (upload !== undefined) use(upload, what, which);
  }

  async leave(): Promise<void> {
    for (const upload of this.#uploads) {
      if (upload.open && upload.slots.length === 0) use(upload, 'take', 1);
      for (const slot of upload.slots.splice(0)) upload.account.giveBack(slot);
      upload.account.close();
    }
    for (const { stop } of this.#waiting) stop.abort();
    await Promise.all(this.#waiting.map(({ done }) => done));
    for (const block of this.#blocks.splice(0)) block.release();
  }

  #get(load: (signal: AbortSignal) => Promise<CachedBlock | undefined>): void {
    const stop = new AbortController();
    const done = load(stop.signal).then(
      (block) => this.#keep(block),
      (error: unknown) => {
        if (!stop.signal.aborted) throw error;
      },
    );
    this.#waiting.push({ stop, done });
  }

  #keep(block: CachedBlock | undefined): void {
    if (block !== undefined) this.#blocks.push(block);
  }

  #admit(account: UploadAccount | undefined): void {
    if (account !== undefined) this.#uploads.push({ account, slots: [], open: true });
  }
}

function use(upload: { account: UploadAccount; slots: Slot[]; open: boolean }, what: string, mayHold: number): void {
  if (what === 'take' && upload.open) {
    const slot = upload.account.tryAcquire(mayHold);
    if (slot !== undefined) upload.slots.push(slot);
    else if (upload.slots.length === 0) throw new Error('an admitted upload gets its slot');
  } else if (what === 'give') {
    const slot = upload.slots.pop();
    if (slot !== undefined) upload.account.giveBack(slot);
  } else if (what === 'close') {
    upload.account.close();
    upload.open = false;
  }
}

function takeAll(slab: Slab): Slot[] {
  const slots: Slot[] = [];
  for (let slot = slab.tryAcquire(); slot !== undefined; slot = slab.tryAcquire()) slots.push(slot);
  return slots;
}
