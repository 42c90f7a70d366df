import fc from 'fast-check';
import t from 'tap';
import { blockIdOf } from '../../../src/core/blake3.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { hashStretches } from '../../../src/graviton/hash-stretches.ts';
import { type BlockPart, type PartBytes, StretchReader } from '../../../src/graviton/stretch-reader.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { patterned } from '../../helpers/segment-fixture.ts';

const STRETCH = limits.stretchSize;
const sizes = [limits.blockSizeMax, 3 * STRETCH + 17, 2 * STRETCH, 9 * STRETCH - 1, STRETCH - 5, 1] as const;

interface World {
  readonly node: MemoryNode;
  readonly reader: StretchReader;
  readonly blocks: readonly { readonly id: BlockId; readonly bytes: Buffer }[];
}

async function openWorld(changes: { blocksMax?: number; readsMax?: number; cachedBlocks?: number } = {}): Promise<World> {
  const node = new MemoryNode();
  const blocks = sizes.map((size, seed) => {
    const bytes = patterned(size, seed);
    return { id: blockIdOf(bytes), bytes };
  });
  for (const { id, bytes } of blocks) await node.putBlocks([{ kind: 'data', id, bytes }]);
  return {
    node,
    blocks,
    reader: new StretchReader({ node, hasher: { hashStretches: hashIn(blocks) }, cachedBlocks: 0, ...changes }),
  };
}

/** Stands for the slab: every block lies alone in its memory, known by its size. */
function hashIn(blocks: World['blocks']) {
  return async (_at: number, size: number): Promise<readonly string[]> => {
    const block = blocks.find(({ bytes }) => bytes.byteLength === size);
    const bytes = block?.bytes ?? Buffer.alloc(size);
    const count = Math.ceil(size / STRETCH);
    return Array.from({ length: count }, (_, index) => blockIdOf(bytes.subarray(index * STRETCH, (index + 1) * STRETCH)));
  };
}

function partOf({ blocks }: World, index: number, start: number, end: number): BlockPart {
  const { id, bytes } = blocks[index] as World['blocks'][number];
  return { id, size: bytes.byteLength, start, end };
}

function learn(world: World, part: BlockPart): Promise<void> {
  const block = world.blocks.find(({ id }) => id === part.id);
  return world.reader.learn(part, { bytes: block?.bytes ?? Buffer.alloc(0), release: () => undefined });
}

async function read(world: World, part: BlockPart): Promise<Buffer | undefined> {
  const found = await world.reader.read(part, { ahead: false });
  if (found === undefined) return undefined;
  const bytes = Buffer.from(found.bytes);
  found.release();
  return bytes;
}

function flip(world: World, index: number, at: number): void {
  const stored = world.node.blocks.get(partOf(world, index, 0, 1).id)?.bytes;
  if (stored !== undefined) stored[at] = (stored[at] as number) ^ 1;
}

t.test('a part is read alone once its block was learned, and never before', async (t) => {
  const world = await openWorld();
  const part = partOf(world, 0, 5 * STRETCH + 3, 6 * STRETCH + 9);
  t.equal(world.reader.read(part, { ahead: false }), undefined);
  await learn(world, part);
  t.ok((await read(world, part))?.equals(patterned(limits.blockSizeMax, 0).subarray(part.start, part.end)));
  t.same(world.reader.statistics, { blocks: 1, reads: 1, mismatches: 0, buffers: 0 });
  t.equal(world.node.partReads, 1);
});

t.test('a lesson is wanted once, for small parts, and spares the hashing', async (t) => {
  const world = await openWorld();
  const part = partOf(world, 3, STRETCH + 1, STRETCH + 9);
  t.equal(world.reader.lesson(partOf(world, 4, 0, 10)), undefined, 'most of a small block');
  world.reader.lesson(part)?.(hashStretches(patterned(sizes[3], 3)));
  t.equal(world.reader.lesson(part), undefined);
  t.ok((await read(world, part))?.equals(patterned(sizes[3], 3).subarray(part.start, part.end)));
});

t.test('a short last stretch verifies, and so do blocks of odd sizes', async (t) => {
  const world = await openWorld();
  for (const [index, start, end] of [
    [1, 3 * STRETCH + 1, 3 * STRETCH + 17],
    [3, 8 * STRETCH, 9 * STRETCH - 1],
    [2, STRETCH, 2 * STRETCH],
  ] as const) {
    const part = partOf(world, index, start, end);
    await learn(world, part);
    t.ok((await read(world, part))?.equals(patterned(sizes[index], index).subarray(start, end)));
  }
});

t.test('what is not small beside its block is left to a read of the whole, and not learned', async (t) => {
  const world = await openWorld();
  for (const part of [
    partOf(world, 4, 0, 10),
    partOf(world, 5, 0, 1),
    partOf(world, 0, 0, limits.stretchReadMax + 1),
    partOf(world, 1, 0, 3 * STRETCH),
  ]) {
    await learn(world, part);
    t.equal(world.reader.read(part, { ahead: false }), undefined);
  }
  t.equal(world.reader.statistics.blocks, 0);
});

t.test('a flipped bit, a short record, a read error and a wrong size are all left to the whole block', async (t) => {
  const world = await openWorld();
  const part = partOf(world, 0, STRETCH, 2 * STRETCH);
  await learn(world, part);
  t.equal(world.reader.read({ ...part, size: part.size - 1 }, { ahead: false }), undefined);
  flip(world, 0, 2 * STRETCH - 1);
  t.equal(await read(world, part), undefined);
  flip(world, 0, 2 * STRETCH - 1);
  world.node.badPages.set(part.id, Buffer.alloc(STRETCH + 10));
  t.equal(await read(world, part), undefined);
  world.node.badPages.clear();
  world.node.beforeRead = async () => {
    throw new Error('the disk hiccups');
  };
  t.equal(await read(world, part), undefined);
  world.node.beforeRead = async () => {};
  t.ok(await read(world, part), 'it is not held against the block');
  world.node.harm(part.id);
  await t.rejects(world.node.readBlockFromDisk(part.id, new Uint8Array(1024 * 1024)), { code: 'corrupt' });
  t.equal(await read(world, part), undefined);
  t.match(world.reader.statistics, { mismatches: 4, buffers: 0 });
});

t.test('damage elsewhere in the block does not matter to a part', async (t) => {
  const world = await openWorld();
  const part = partOf(world, 0, STRETCH, 2 * STRETCH);
  await learn(world, part);
  flip(world, 0, 2 * STRETCH);
  flip(world, 0, STRETCH - 1);
  t.ok(await read(world, part));
});

t.test('the table is bounded: the block not asked for longest is forgotten', async (t) => {
  const world = await openWorld({ blocksMax: 2 });
  const parts = [0, 1, 3].map((index) => partOf(world, index, 0, 10));
  const [first, second, third] = parts as [BlockPart, BlockPart, BlockPart];
  await learn(world, first);
  await learn(world, second);
  t.ok(await read(world, first));
  await learn(world, third);
  t.equal(world.reader.statistics.blocks, 2);
  t.ok(await read(world, first));
  t.equal(await read(world, second), undefined);
  t.ok((await read(world, third))?.equals(patterned(sizes[3], 3).subarray(0, 10)), 'a reused row holds the new digests');
});

t.test('a block forgotten while a part of it is read is not served from the row of another', async (t) => {
  const world = await openWorld({ blocksMax: 1 });
  const part = partOf(world, 0, 0, 10);
  await learn(world, part);
  world.node.beforeRead = () => learn(world, partOf(world, 3, 0, 10));
  t.equal(await read(world, part), undefined);
});

t.test('reads beyond the buffers wait in line, and long holders never take the last half', async (t) => {
  const world = await openWorld({ readsMax: 4 });
  const part = partOf(world, 0, 0, 10);
  await learn(world, part);
  const held: PartBytes[] = [];
  for (let found = await world.reader.read(part, { ahead: true }); found !== undefined; ) {
    held.push(found);
    found = await world.reader.read(part, { ahead: true });
  }
  t.equal(held.length, 2);
  const all = await Promise.all(Array.from({ length: 20 }, () => read(world, part)));
  t.ok(all.every((bytes) => bytes?.equals(patterned(10, 0))));
  t.equal(world.reader.statistics.buffers, 2);
  for (const found of held) found.release();
  t.throws(() => held[0]?.release(), 'once per reader');
  t.equal(world.reader.statistics.buffers, 0);
});

t.test('a block of which parts are read again and again is asked for whole; one among many is not', async (t) => {
  const world = await openWorld({ cachedBlocks: 1 });
  const hot = partOf(world, 0, 0, 10);
  const other = partOf(world, 3, 0, 10);
  await learn(world, hot);
  await learn(world, other);
  for (let turn = 0; turn < 20; turn++) t.ok((await read(world, hot)) && (await read(world, other)));
  let alone = 0;
  while ((await read(world, hot)) !== undefined) alone += 1;
  t.ok(alone < 10);
  t.ok(await read(world, hot), 'and then from the beginning');
});

t.test('whatever is read, flipped and forgotten, no wrong byte comes out and no buffer is lost', async (t) => {
  const step = fc.record({
    what: fc.constantFrom('read', 'read', 'learn', 'flip', 'turn'),
    index: fc.nat(sizes.length - 1),
    at: fc.nat(limits.blockSizeMax - 1),
    length: fc.integer({ min: 1, max: limits.stretchReadMax }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = await openWorld({ blocksMax: 3, readsMax: 2, cachedBlocks: 2 });
      const truth = world.blocks.map(({ bytes }) => Buffer.from(bytes));
      const reads: Promise<boolean>[] = [];
      for (const { what, index, at, length } of steps) {
        const size = sizes[index] as number;
        const start = at % size;
        const part = partOf(world, index, start, Math.min(size, start + length));
        const wanted = truth[index]?.subarray(part.start, part.end);
        if (what === 'learn') await learn(world, part);
        else if (what === 'flip') flip(world, index, start);
        else if (what === 'turn') await Promise.all(reads);
        else reads.push(read(world, part).then((bytes) => bytes === undefined || wanted?.equals(bytes) === true));
      }
      return (await Promise.all(reads)).every(Boolean) && world.reader.statistics.buffers === 0;
    }),
    { numRuns: 60 },
  );
  t.pass('60 random days');
});
