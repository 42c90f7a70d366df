import type { Test } from 'tap';
import { limits } from '../../src/core/limits.ts';
import { hashStretches } from '../../src/graviton/hash-stretches.ts';
import type { Node, OutgoingBlock } from '../../src/graviton/node.ts';
import { blockOf, blocksOf, brokenOf, lookAt, manifestsOf, stateOf } from '../helpers/node-fixture.ts';
import { testSlab } from '../helpers/segment-fixture.ts';

/** A node whose stored bytes a test can spoil. */
export interface OpenedNode {
  readonly node: Node;
  readonly harm: (block: OutgoingBlock) => void;
}

/** What every node does. `opening` makes an empty one that the test's end closes. */
export function nodeContract(t: Test, opening: (t: Test) => Promise<OpenedNode>): void {
  const open = async (t: Test) => (await opening(t)).node;
  storing(t, open);
  reading(t, open);
  readingHashed(t, opening);
  readingParts(t, opening);
  damaging(t, opening);
  closing(t, open);
}

function storing(t: Test, open: (t: Test) => Promise<Node>): void {
  t.test('a stored block reads back, whatever its size', async (t) => {
    const node = await open(t);
    const blocks = [1, 63, 64, 65, 4096, 100_000, limits.blockSizeMax].map((size, seed) => blockOf(seed, size));
    for (const block of blocks) {
      t.same(await node.putBlocks([block]), ['written']);
      t.equal(node.statBlock(block.id), block.bytes.byteLength);
    }
    t.same(await brokenOf(node, blocks), []);
  });

  t.test('outcomes come in the order of the blocks', async (t) => {
    const node = await open(t);
    await node.putBlocks([blockOf(2)]);
    t.same(await node.putBlocks(blocksOf(3)), ['written', 'present', 'written']);
    t.same(await node.putBlocks([]), []);
  });

  t.test('a block given twice in one call is written once', async (t) => {
    const node = await open(t);
    const block = blockOf(1);
    t.same(await node.putBlocks([block, blockOf(2), block]), ['written', 'written', 'present']);
  });

  t.test('of callers that bring the same block at once one writes it', async (t) => {
    const node = await open(t);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => node.putBlocks([blockOf(1, 300_000)])));
    t.equal(outcomes.flat().filter((outcome) => outcome === 'written').length, 1);
    t.equal(await stateOf(node, blockOf(1, 300_000)), 'whole');
  });

  t.test('many callers at once all read back what they stored', async (t) => {
    const node = await open(t);
    const blocks = [...blocksOf(200, { size: 700 }), ...blocksOf(10, { from: 1000, size: 400_000 })];
    await Promise.all(blocks.map((block) => node.putBlocks([block])));
    t.same(await brokenOf(node, blocks), []);
  });

  t.test('blocks that lie in shared memory are taken from there and read into it', async (t) => {
    const node = await open(t);
    const slab = testSlab();
    const slot = await slab.acquire();
    const block = blockOf(7, 500_000);
    slot.bytes.set(block.bytes);
    await node.putBlocks([{ ...block, bytes: slot.bytes.subarray(0, 500_000) }]);
    slot.bytes.fill(0);
    t.equal(await node.readBlock(block.id, slot.bytes), 500_000);
    t.ok(Buffer.from(slot.bytes.subarray(0, 500_000)).equals(Buffer.from(block.bytes)));
    slot.release();
  });

  t.test('only manifests are listed, each once', async (t) => {
    const node = await open(t);
    const manifests = [blockOf(1, 500, 'manifest'), blockOf(2, 600, 'manifest')];
    await node.putBlocks([...manifests, blockOf(3), blockOf(4, 800, 'piece')]);
    await node.putBlocks(manifests);
    t.same(await manifestsOf(node), manifests.map(({ id }) => id).sort());
  });

  t.test('a manifest is listed even when its bytes had come as content before', async (t) => {
    const node = await open(t);
    await node.putBlocks([blockOf(1)]);
    t.same(await node.putBlocks([{ ...blockOf(1), kind: 'manifest' }]), ['written']);
    t.same(await node.putBlocks([blockOf(1)]), ['present']);
    t.same(await manifestsOf(node), [blockOf(1).id]);
  });
}

function reading(t: Test, open: (t: Test) => Promise<Node>): void {
  t.test('a block that never came is an answer, not an error', async (t) => {
    const node = await open(t);
    t.equal(await stateOf(node, blockOf(1)), 'missing');
    t.equal(node.statBlock(blockOf(1).id), undefined);
  });

  t.test('a block is read again past the caches of the operating system', async (t) => {
    const node = await open(t);
    const block = blockOf(1, 70_000);
    await node.putBlocks([blockOf(2, 100), block]);
    const target = new Uint8Array(limits.blockSizeMax);
    t.equal(await node.readBlockFromDisk(block.id, target), 70_000);
    t.ok(Buffer.from(target.subarray(0, 70_000)).equals(Buffer.from(block.bytes)));
    t.equal(await node.readBlockFromDisk(blockOf(3).id, target), undefined);
  });
}

function readingHashed(t: Test, open: (t: Test) => Promise<OpenedNode>): void {
  t.test('blocks read with their digests are what was stored, and the digests are theirs', async (t) => {
    const { node } = await open(t);
    const blocks = [limits.blockSizeMax, 100_000, 1, 300_000].map((size, seed) => blockOf(seed, size));
    await node.putBlocks(blocks);
    for (const stretches of [false, true]) {
      // Shared memory, as the slab's: a node may have another thread fill it.
      const targets = blocks.map(() => Buffer.from(new SharedArrayBuffer(limits.blockSizeMax)));
      const reads = await Promise.all(
        blocks.map(({ id }, index) => node.readHashed(id, targets[index] as Buffer, { stretches })),
      );
      for (const [index, { id, bytes }] of blocks.entries()) {
        const found = reads[index];
        t.equal(found?.size, bytes.byteLength);
        t.ok(targets[index]?.subarray(0, bytes.byteLength).equals(bytes));
        if (found?.digest !== undefined) t.equal(found.digest, id);
        if (found?.stretches !== undefined) t.same(found.stretches, hashStretches(bytes));
      }
    }
  });

  t.test('of a block that never came, is damaged, or whose node is closed, there are no digests', async (t) => {
    const { node, harm } = await open(t);
    const target = Buffer.from(new SharedArrayBuffer(1000));
    const read = () => node.readHashed(blockOf(1).id, target, { stretches: true });
    t.equal(await read(), undefined);
    await node.putBlocks([blockOf(1)]);
    harm(blockOf(1));
    t.equal(await lookAt(node, blockOf(1)), 'corrupt');
    await t.rejects(read(), { code: 'corrupt' });
    await node.close();
    await t.rejects(read(), { code: 'node_closed' });
  });
}

function readingParts(t: Test, open: (t: Test) => Promise<OpenedNode>): void {
  t.test('a part of a block is read from any offset, as far as the block reaches', async (t) => {
    const { node } = await open(t);
    const block = blockOf(1, 70_001);
    await node.putBlocks([blockOf(2, 100), block, blockOf(3, 90_000)]);
    for (const [offset, size] of [
      [0, 70_001],
      [1, 1],
      [65_536, 4465],
      [4000, 60_000],
    ] as const) {
      const target = new Uint8Array(size);
      t.equal((await node.readPart(block.id, offset, target))?.size, size);
      t.ok(Buffer.from(target).equals(Buffer.from(block.bytes).subarray(offset, offset + size)));
    }
    t.equal((await node.readPart(block.id, 70_000, new Uint8Array(50)))?.size, 1);
    t.equal((await node.readPart(block.id, 70_001, new Uint8Array(50)))?.size, 0);
  });

  t.test('a part of a block that never came is an answer; of one that is marked damaged an error', async (t) => {
    const { node, harm } = await open(t);
    const block = blockOf(1);
    t.equal(await node.readPart(block.id, 0, new Uint8Array(10)), undefined);
    await node.putBlocks([block]);
    harm(block);
    t.equal(await lookAt(node, block), 'corrupt');
    await t.rejects(node.readPart(block.id, 0, new Uint8Array(10)), { code: 'corrupt' });
    await node.close();
    await t.rejects(node.readPart(block.id, 0, new Uint8Array(10)), { code: 'node_closed' });
  });
}

function damaging(t: Test, open: (t: Test) => Promise<OpenedNode>): void {
  t.test('a block found damaged is neither read nor taken for present, and storing it again heals it', async (t) => {
    const { node, harm } = await open(t);
    const block = blockOf(1);
    await node.putBlocks([block, blockOf(2)]);
    harm(block);
    t.same(await Promise.all([lookAt(node, block), lookAt(node, block)]), ['corrupt', 'corrupt']);
    t.equal(await stateOf(node, block), 'corrupt');
    t.equal(await node.isDamaged(block.id), true);
    t.equal(node.statBlock(block.id), undefined);
    t.equal(node.health().damagedRecords, 1);
    t.equal(await stateOf(node, blockOf(2)), 'whole');
    t.equal(await node.isDamaged(blockOf(2).id), false);
    t.same(await node.putBlocks([block]), ['written']);
    t.equal(await stateOf(node, block), 'whole');
    t.equal(await node.isDamaged(block.id), false);
    t.equal(node.health().damagedRecords, 0);
  });

  for (const kind of ['data', 'manifest', 'piece'] as const) {
    t.test(`damage that nobody has noticed is noticed before a ${kind} block is called present`, async (t) => {
      const { node, harm } = await open(t);
      const block = blockOf(1, 70_000, kind);
      await node.putBlocks([block, blockOf(2)]);
      t.same(await node.putBlocks([block, blockOf(2)]), ['present', 'present']);
      harm(block);
      t.same(await node.putBlocks([blockOf(2), block, block]), ['present', 'written', 'present']);
      t.equal(await stateOf(node, block), 'whole');
      t.equal(await lookAt(node, block), 'whole');
      t.equal(node.health().damagedRecords, 0);
    });
  }

  t.test('of callers that bring a damaged block at once one writes it', async (t) => {
    const { node, harm } = await open(t);
    await node.putBlocks([blockOf(1)]);
    harm(blockOf(1));
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => node.putBlocks([blockOf(1)])));
    t.equal(outcomes.flat().filter((outcome) => outcome === 'written').length, 1);
    t.equal(await stateOf(node, blockOf(1)), 'whole');
  });

  t.test('a second look at an unknown block, or at a whole one, changes nothing', async (t) => {
    const { node } = await open(t);
    t.equal(await lookAt(node, blockOf(1)), 'missing');
    t.equal(await node.isDamaged(blockOf(1).id), false);
    t.same(await node.putBlocks([blockOf(1)]), ['written']);
    t.equal(await lookAt(node, blockOf(1)), 'whole');
    t.equal(node.health().damagedRecords, 0);
  });
}

function closing(t: Test, open: (t: Test) => Promise<Node>): void {
  t.test('a node says that it takes writes until it is closed', async (t) => {
    const node = await open(t);
    t.match(node.health(), { writable: true, readOnlyReason: undefined, full: false, damagedRecords: 0 });
    await node.close();
    t.equal(node.health().writable, false);
  });

  t.test('close waits for writes in flight, and what comes later is refused', async (t) => {
    const node = await open(t);
    const blocks = blocksOf(20, { size: 50_000 });
    const writes = blocks.map((block) => node.putBlocks([block]));
    await Promise.all([node.close(), node.close()]);
    t.same((await Promise.all(writes)).flat(), new Array(20).fill('written'));
    await t.rejects(node.putBlocks([blockOf(99)]), { code: 'node_closed' });
    await t.rejects(node.readBlock(blockOf(1).id, new Uint8Array(10)), { code: 'node_closed' });
    await t.rejects(node.isDamaged(blockOf(1).id), { code: 'node_closed' });
  });
}
