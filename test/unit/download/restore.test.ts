import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import type { BlobFacts } from '../../../src/catalog/catalog.ts';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { blockIdOf } from '../../../src/core/blake3.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { encodeManifestPages } from '../../../src/core/manifest.ts';
import { Slab, type Slot } from '../../../src/core/slab.ts';
import { BlockMap } from '../../../src/download/block-map.ts';
import { type RestoreOptions, restore, tryRestore } from '../../../src/download/restore.ts';
import { BlockCache } from '../../../src/graviton/block-cache.ts';
import { StretchReader } from '../../../src/graviton/stretch-reader.ts';
import { MemoryCatalog } from '../../helpers/memory-catalog.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { testScope } from '../../helpers/open-uploads.ts';
import { patterned } from '../../helpers/segment-fixture.ts';
import { blobFacts, versionWish } from '../../helpers/version-wish.ts';

const SLOT = 4096;
const SLOTS = 12;

/** A blob of ten blocks of different sizes in a node, and what it takes to read it. `sizes` is what its manifest says. */
async function openBlob(t: { teardown(end: () => Promise<void>): void }, sizes?: readonly number[]) {
  const slab = new Slab({ slotSize: SLOT, slotCount: SLOTS, uploadSlotsMax: 4, extraSize: 0 });
  const hasher = await PiscinaHasher.open({ slab, lanes: 1 });
  t.teardown(() => hasher.close());
  const node = new MemoryNode();
  const cache = new BlockCache({ slab, node, hasher, onCorrupt: () => {} });
  const ids: BlockId[] = [];
  const parts: Buffer[] = [];
  const list = new BlockList();
  for (let index = 0; index < 10; index++) {
    const bytes = patterned(SLOT - index * 300, index);
    const id = blockIdOf(bytes);
    await node.putBlocks([{ kind: 'data', id, bytes }]);
    list.push(id, sizes?.[index] ?? bytes.byteLength);
    ids.push(id);
    parts.push(bytes);
  }
  const blob: BlobFacts = { ...blobFacts('restore'), chunker: 'fastcdc-v1', blockCount: list.count, size: list.size };
  const catalog = new MemoryCatalog(systemClock.now);
  await catalog.commit(testScope, versionWish({ blob, pages: encodeManifestPages(list) }));
  const stretches = new StretchReader({ node, hasher, cachedBlocks: SLOTS });
  const deps: RestoreOptions = { cache, stretches, map: new BlockMap(catalog) };
  return { slab, node, cache, ids, blob, deps, bytes: Buffer.concat(parts) };
}

type OpenBlob = Awaited<ReturnType<typeof openBlob>>;

async function read({ blob, deps }: OpenBlob, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const run of restore(testScope, blob, { start, end }, deps)) {
    parts.push(Buffer.from(run.bytes));
    run.release();
  }
  return Buffer.concat(parts);
}

/** Cached blocks apart, no slot is in anybody's hands once the loads under way have ended. */
async function allSlotsBack({ slab, cache }: OpenBlob): Promise<boolean> {
  for (let turn = 0; turn < 2000; turn++) {
    if (slab.freeSlots + cache.statistics.blocks === SLOTS) return true;
    await sleep(1);
  }
  return false;
}

function takeAll(slab: Slab): Slot[] {
  const slots: Slot[] = [];
  for (let slot = slab.tryAcquire(); slot !== undefined; slot = slab.tryAcquire()) slots.push(slot);
  return slots;
}

t.test('every range comes out byte by byte, also at once when it lies in one block in memory', async (t) => {
  const world = await openBlob(t);
  const place = fc.integer({ min: 0, max: world.blob.size });
  await fc.assert(
    fc.asyncProperty(place, place, async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const expected = world.bytes.subarray(start, end);
      if (!(await read(world, start, end)).equals(expected)) return false;
      const run = start < end ? tryRestore(testScope, world.blob, start, end, world.deps) : undefined;
      const same = run === undefined || Buffer.from(run.bytes).equals(expected);
      run?.release();
      return same;
    }),
    { numRuns: 200 },
  );
  t.ok(await allSlotsBack(world));
});

t.test('a consumer that leaves early keeps no slot, also when blocks read ahead fail after it has gone', async (t) => {
  const world = await openBlob(t);
  for (const fails of [false, true]) {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const [first] = world.ids;
    world.node.beforeRead = async (id) => {
      if (id === first) return;
      await gate;
      if (fails) throw new Error('the disk is gone');
    };
    for await (const run of restore(testScope, world.blob, { start: 0, end: world.blob.size }, world.deps)) {
      run.release();
      break;
    }
    open();
    t.ok(await allSlotsBack(world), `loads ${fails ? 'fail' : 'end'} later`);
  }
});

t.test('a damaged block comes out as an error at its place; what lies before it is good', async (t) => {
  const world = await openBlob(t);
  const stored = world.node.blocks.get(world.ids[3] as BlockId);
  if (stored !== undefined) stored.bytes[5] = (stored.bytes[5] as number) ^ 0x10;
  const parts: Buffer[] = [];
  const reading = async () => {
    for await (const run of restore(testScope, world.blob, { start: 0, end: world.blob.size }, world.deps)) {
      parts.push(Buffer.from(run.bytes));
      run.release();
    }
  };
  await t.rejects(reading(), { code: 'corrupt' });
  const good = Buffer.concat(parts);
  t.equal(parts.length, 3);
  t.ok(good.equals(world.bytes.subarray(0, good.length)));
  t.ok(await allSlotsBack(world));
});

t.test('a manifest that is wrong about a size is an error, never a short answer', async (t) => {
  const world = await openBlob(t, [SLOT, 4000]);
  await t.rejects(read(world, 0, world.blob.size), { code: 'corrupt' });
  t.same(world.node.reports, [], 'the block itself is fine');
  const block = await world.cache.get(world.ids[1] as BlockId, SLOT - 300, {});
  block.release();
  await t.rejects(read(world, 0, world.blob.size), { code: 'corrupt' }, 'also when the block is in memory');
  t.ok(await allSlotsBack(world));
});

t.test('many downloads through few slots all end: who waits for a slot holds none', async (t) => {
  const world = await openBlob(t);
  const kept = takeAll(world.slab);
  for (const slot of kept.splice(0, 2)) slot.release();
  const reads = await Promise.all(Array.from({ length: 12 }, () => read(world, 0, world.blob.size)));
  for (const bytes of reads) t.ok(bytes.equals(world.bytes));
  for (const slot of kept) slot.release();
  t.ok(await allSlotsBack(world));
});

t.test('a download that is aborted in line leaves it', async (t) => {
  const world = await openBlob(t);
  const kept = takeAll(world.slab);
  const stop = new AbortController();
  const waiting = restore(testScope, world.blob, { start: 0, end: 10 }, { ...world.deps, signal: stop.signal }).next();
  await sleep(1);
  stop.abort(new Error('the client left'));
  await t.rejects(waiting, { message: 'the client left' });
  for (const slot of kept) slot.release();
  t.ok(await allSlotsBack(world));
});
