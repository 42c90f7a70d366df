import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import type { BlobFacts } from '../../../src/catalog/catalog.ts';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { blockIdOf } from '../../../src/core/blake3.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { encodeManifestPages } from '../../../src/core/manifest.ts';
import { Slab } from '../../../src/core/slab.ts';
import { BlockMap } from '../../../src/download/block-map.ts';
import { type RestoreOptions, restore, tryRead } from '../../../src/download/restore.ts';
import { BlockCache } from '../../../src/graviton/block-cache.ts';
import { StretchReader } from '../../../src/graviton/stretch-reader.ts';
import { MemoryCatalog } from '../../helpers/memory-catalog.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { testScope } from '../../helpers/open-uploads.ts';
import { patterned } from '../../helpers/segment-fixture.ts';
import { blobFacts, versionWish } from '../../helpers/version-wish.ts';

const STRETCH = limits.stretchSize;
const sizes = [limits.blockSizeMax, 700_001, limits.blockSizeMax, 65_537, 300_000];
const SLOTS = 3;

/** A blob of blocks of odd sizes, more than the slab holds. Close its hasher. */
async function openBlob(hashes = false) {
  const slab = new Slab({ slotSize: limits.slotSize, slotCount: SLOTS, uploadSlotsMax: 0, extraSize: 0 });
  const hasher = await PiscinaHasher.open({ slab, lanes: 1 });
  const node = new MemoryNode();
  node.hashes = hashes;
  const cache = new BlockCache({ slab, node, hasher, onCorrupt: () => {} });
  const list = new BlockList();
  const ids: BlockId[] = [];
  const bytes = Buffer.concat(sizes.map((size, seed) => patterned(size, seed)));
  let at = 0;
  for (const size of sizes) {
    const block = bytes.subarray(at, at + size);
    const id = blockIdOf(block);
    await node.putBlocks([{ kind: 'data', id, bytes: block }]);
    list.push(id, size);
    ids.push(id);
    at += size;
  }
  const blob: BlobFacts = { ...blobFacts('stretches'), chunker: 'fastcdc-v1', blockCount: list.count, size: list.size };
  const catalog = new MemoryCatalog(systemClock.now);
  await catalog.commit(testScope, versionWish({ blob, pages: encodeManifestPages(list) }));
  const stretches = new StretchReader({ node, hasher, cachedBlocks: 1 });
  const deps: RestoreOptions = { cache, stretches, map: new BlockMap(catalog) };
  return { slab, hasher, node, cache, ids, stretches, blob, deps, bytes };
}

type OpenBlob = Awaited<ReturnType<typeof openBlob>>;

async function openBlobFor(t: { teardown(end: () => Promise<void>): void }, hashes = false): Promise<OpenBlob> {
  const world = await openBlob(hashes);
  t.teardown(() => world.hasher.close());
  return world;
}

async function stream({ blob, deps }: OpenBlob, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const run of restore(testScope, blob, { start, end }, deps)) {
    parts.push(Buffer.from(run.bytes));
    run.release();
  }
  return Buffer.concat(parts);
}

/** As an answer is made: in one piece where that is possible. */
async function read(world: OpenBlob, start: number, end: number): Promise<Buffer> {
  const run = await tryRead(testScope, world.blob, { start, end }, world.deps);
  if (run === undefined) return stream(world, start, end);
  const bytes = Buffer.from(run.bytes);
  run.release();
  return bytes;
}

/** Reads enough of the blob for the first block to leave the cache. */
async function evictFirst(world: OpenBlob): Promise<void> {
  await stream(world, sizes[0] as number, world.blob.size);
}

function flip({ node, ids }: OpenBlob, index: number, at: number): void {
  const stored = node.blocks.get(ids[index] as BlockId)?.bytes;
  if (stored !== undefined) stored[at] = (stored[at] as number) ^ 0x10;
}

for (const hashes of [false, true]) {
  t.test(`the second small range of a block reads its stretch alone; the node hashes: ${hashes}`, async (t) => {
    const world = await openBlobFor(t, hashes);
    await stream(world, 0, 10);
    await evictFirst(world);
    const { reads } = world.node;
    t.ok((await read(world, STRETCH, 2 * STRETCH)).equals(world.bytes.subarray(STRETCH, 2 * STRETCH)));
    t.same([world.node.reads - reads, world.node.partReads], [0, 1]);
  });
}

t.test('damage in a stretch that was verified before is found, marked and refused', async (t) => {
  const world = await openBlobFor(t);
  await stream(world, 0, 10);
  await evictFirst(world);
  flip(world, 0, STRETCH + 1);
  await t.rejects(read(world, STRETCH, STRETCH + 100), { code: 'corrupt' });
  await t.rejects(stream(world, STRETCH, STRETCH + 100), { code: 'corrupt' });
  t.same(world.node.reports, [world.ids[0]]);
  t.equal(world.stretches.statistics.buffers, 0);
});

t.test('a bad page in memory is read again from the disk, and condemns nothing', async (t) => {
  const world = await openBlobFor(t);
  await stream(world, 0, 10);
  await evictFirst(world);
  world.node.badPages.set(world.ids[0] as BlockId, Buffer.alloc(sizes[0] as number));
  t.ok((await read(world, 5, 500)).equals(world.bytes.subarray(5, 500)));
  t.same(world.node.reports, []);
});

t.test('many readers of one stretch all get it', async (t) => {
  const world = await openBlobFor(t);
  const wanted = world.bytes.subarray(10, 1000);
  await stream(world, 0, 10);
  await evictFirst(world);
  const all = await Promise.all(Array.from({ length: 100 }, () => read(world, 10, 1000)));
  t.ok(all.every((bytes) => bytes.equals(wanted)));
  t.equal(world.stretches.statistics.buffers, 0);
});

t.test('whatever ranges are read while bits flip, an answer is right or an error, and nothing is lost', async (t) => {
  const step = fc.record({
    what: fc.constantFrom('read', 'read', 'read', 'stream', 'flip', 'turn'),
    at: fc.nat(sizes.reduce((sum, size) => sum + size) - 1),
    length: fc.integer({ min: 1, max: 3 * STRETCH }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.boolean(), async (steps, hashes) => {
      const world = await openBlob(hashes);
      const reads: Promise<boolean>[] = [];
      for (const { what, at, length } of steps) {
        const end = Math.min(world.blob.size, at + length);
        if (what === 'flip') flip(world, at % sizes.length, at % 65_537);
        else if (what === 'turn') await Promise.all(reads);
        else reads.push(isRightOrCorrupt((what === 'read' ? read : stream)(world, at, end), world.bytes.subarray(at, end)));
      }
      const right = (await Promise.all(reads)).every(Boolean);
      const givenBack = await givesAllBack(world);
      await world.hasher.close();
      return right && givenBack;
    }),
    { numRuns: 25 },
  );
  t.pass('25 random days');
});

/** What was read ahead for a reading that failed comes back when it is done. */
async function givesAllBack({ slab, cache, stretches }: OpenBlob): Promise<boolean> {
  for (let turn = 0; turn < 2000; turn++) {
    if (stretches.statistics.buffers === 0 && slab.freeSlots + cache.statistics.blocks === SLOTS) return true;
    await sleep(1);
  }
  return false;
}

function isRightOrCorrupt(reading: Promise<Buffer>, wanted: Buffer): Promise<boolean> {
  return reading.then(
    (bytes) => bytes.equals(wanted),
    (error: unknown) => (error as { code?: string }).code === 'corrupt',
  );
}
