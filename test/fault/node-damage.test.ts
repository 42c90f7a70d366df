import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { blockIdOf } from '../../src/core/blake3.ts';
import { systemClock } from '../../src/core/clock.ts';
import { acceptLoss } from '../../src/graviton/accept-loss.ts';
import { LocalNode } from '../../src/graviton/local-node.ts';
import type { OutgoingBlock } from '../../src/graviton/node.ts';
import { segmentPath } from '../../src/graviton/node-directory.ts';
import { ReadOnlyNode } from '../../src/graviton/read-only-node.ts';
import { diskFiles, type SegmentFile, type SegmentFiles } from '../../src/segment/segment-files.ts';
import { blockOf, blocksOf, brokenOf, lookAt, nodeOptions, openNode, stateOf } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Copies what a node has on the disk while it runs: what a kill at this moment would leave. */
function killedCopy(t: Test, node: LocalNode): string {
  const copy = temporaryFolder(t);
  for (const name of ['seg', 'quarantine', 'idx']) mkdirSync(join(copy, name));
  for (const name of ['NODE', 'MANIFEST']) copyFileSync(join(node.directory, name), join(copy, name));
  for (const folder of ['seg', 'idx']) {
    for (const name of readdirSync(join(node.directory, folder))) {
      copyFileSync(join(node.directory, folder, name), join(copy, folder, name));
    }
  }
  return copy;
}

/** A killed node with one unsealed segment of three batches of two blocks. */
async function killedNode(t: Test, changes: { flushed: boolean }): Promise<{ directory: string; batches: OutgoingBlock[][] }> {
  const node = await openNode(t, temporaryFolder(t));
  const batches = [1, 2, 3].map((batch) => blocksOf(2, { from: batch * 10, size: 5000 }));
  for (const batch of batches) await node.putBlocks(batch);
  if (changes.flushed) await node.flushIndex();
  const directory = killedCopy(t, node);
  await node.close();
  return { directory, batches };
}

/** Where the payload of a block lies in a segment's file, found by its bytes. */
function payloadAt(path: string, block: OutgoingBlock): number {
  return readFileSync(path).indexOf(Buffer.from(block.bytes));
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

function quarantined(directory: string): string[] {
  return readdirSync(join(directory, 'quarantine'));
}

for (const flushed of [false, true]) {
  const index = flushed ? 'with an index that knew it' : 'unknown to the index';

  t.test(`a flipped bit in the middle of an unsealed segment, ${index}, damages one record and cuts nothing`, async (t) => {
    const { directory, batches } = await killedNode(t, { flushed });
    const [first, second, third] = batches as [OutgoingBlock[], OutgoingBlock[], OutgoingBlock[]];
    const victim = second[0] as OutgoingBlock;
    const path = segmentPath(directory, 1);
    flip(path, payloadAt(path, victim) + 100);
    const node = await openNode(t, directory);
    t.same(await brokenOf(node, [...first, second[1] as OutgoingBlock, ...third]), []);
    t.equal(await stateOf(node, victim), 'corrupt');
    t.equal(node.health().damagedRecords, 1);
    t.match(node.recovery.lines.join(), /damaged .*kept and marked/);
    t.same(quarantined(directory), []);
    t.same(await node.putBlocks([victim, third[0] as OutgoingBlock]), ['written', 'present']);
    t.equal(await stateOf(node, victim), 'whole');
    await node.close();
    rmSync(join(directory, 'idx'), { recursive: true });
    const again = await openNode(t, directory);
    t.same(await brokenOf(again, batches.flat()), [], 'the healed copy is found without the index, too');
    t.equal(again.health().damagedRecords, 0);
  });

  t.test(`a flipped bit in a record header in the middle, ${index}, is damage, and the block is stored again`, async (t) => {
    const { directory, batches } = await killedNode(t, { flushed });
    const victim = batches[1]?.[0] as OutgoingBlock;
    const path = segmentPath(directory, 1);
    flip(path, payloadAt(path, victim) - 100);
    const node = await openNode(t, directory);
    t.equal(await stateOf(node, victim), flushed ? 'corrupt' : 'missing');
    t.same(await node.putBlocks([victim]), ['written']);
    t.same(await brokenOf(node, batches.flat()), []);
    t.same(quarantined(directory), []);
  });

  t.test(`a damaged last commit frame, ${index}, costs no block`, async (t) => {
    const { directory, batches } = await killedNode(t, { flushed });
    const path = segmentPath(directory, 1);
    const last = batches[2]?.[1] as OutgoingBlock;
    flip(path, payloadAt(path, last) + 5056 + 20);
    const node = await openNode(t, directory);
    t.same(await brokenOf(node, batches.flat()), []);
    t.equal(quarantined(directory).length, flushed ? 0 : 1, 'only a tail nobody knows to be acknowledged is moved');
  });
}

t.test('a torn tail goes to quarantine and what is whole in it is stored again', async (t) => {
  const { directory, batches } = await killedNode(t, { flushed: false });
  const path = segmentPath(directory, 1);
  const [whole, torn] = batches[2] as [OutgoingBlock, OutgoingBlock];
  truncateSync(path, payloadAt(path, torn) + 2000);
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, [...(batches[0] ?? []), ...(batches[1] ?? []), whole]), []);
  t.equal(await stateOf(node, torn), 'missing');
  t.equal(quarantined(directory).length, 1);
  t.match(node.recovery.lines.join(), /never acknowledged.*1 whole records of them were stored again/);
});

t.test('a lost tail that the index knew to be acknowledged is not taken for present', async (t) => {
  const { directory, batches } = await killedNode(t, { flushed: true });
  const path = segmentPath(directory, 1);
  const lost = batches[2]?.[1] as OutgoingBlock;
  truncateSync(path, payloadAt(path, lost) + 2000);
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, batches.flat().slice(0, 5)), []);
  t.not(await stateOf(node, lost), 'whole');
  t.same(await node.putBlocks([lost]), ['written']);
  t.equal(await stateOf(node, lost), 'whole');
});

t.test('a damaged superblock costs no block', async (t) => {
  const { directory, batches } = await killedNode(t, { flushed: false });
  flip(segmentPath(directory, 1), 60);
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, batches.flat()), []);
  t.match(node.recovery.lines.join(), /superblock of segment 1 is damaged/);
});

async function sealedNode(t: Test): Promise<{ directory: string; blocks: OutgoingBlock[] }> {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  const blocks = blocksOf(8, { size: 5000 });
  for (const block of blocks) await node.putBlocks([block]);
  await node.close();
  return { directory, blocks };
}

t.test('what a sealed segment that lost its end still has is read; given up, the rest is stored again', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const path = segmentPath(directory, 1);
  truncateSync(path, payloadAt(path, blocks[4] as OutgoingBlock) - 128);
  const first = await openNode(t, directory);
  t.same(await brokenOf(first, blocks.slice(0, 4)), []);
  t.equal(await stateOf(first, blocks[7] as OutgoingBlock), 'block_unavailable');
  t.match(first.recovery.lines.join(), /1 of 1 segments cannot be read: 1 \(its file has \d+ bytes instead of \d+\)/);
  await first.close();
  await acceptLoss({ directory, clock: systemClock, segments: [1], reason: 'the test gives it up' });
  const node = await openNode(t, directory);
  t.same(await node.putBlocks(blocks), [...new Array(4).fill('present'), ...new Array(4).fill('written')]);
  t.same(await brokenOf(node, blocks), []);
});

t.test('a damaged footer costs no block, not even without the index', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const path = segmentPath(directory, 1);
  flip(path, statSync(path).size - 200);
  rmSync(join(directory, 'idx'), { recursive: true });
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), []);
  t.match(node.recovery.lines.join(), /footer of segment 1 is damaged/);
});

t.test('what an overwritten segment held is damaged, not missing, and whole again when the file is back', async (t) => {
  const directory = temporaryFolder(t);
  const blocks = blocksOf(8, { size: 200_000 });
  const first = await openNode(t, directory);
  for (const block of blocks) await first.putBlocks([block]);
  await first.close();
  const path = segmentPath(directory, 1);
  const bytes = readFileSync(path);
  chmodSync(path, 0o600);
  writeFileSync(path, Buffer.alloc(bytes.length));
  const node = await openNode(t, directory);
  const broken = await brokenOf(node, blocks);
  t.ok(broken.length > 2 && broken.every((line) => line.endsWith('corrupt')), 'the index knows what was there');
  t.match(node.health(), { damagedRecords: broken.length, writable: true });
  await node.close();
  writeFileSync(path, bytes);
  const again = await openNode(t, directory);
  t.same(await brokenOf(again, blocks), []);
  t.equal(again.health().damagedRecords, 0);
  await again.close();
});

t.test('a bit that flips while the node runs is found by the reader and marked', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const node = await openNode(t, directory);
  const path = segmentPath(directory, 1);
  const [payloadHit, headerHit] = blocks as [OutgoingBlock, OutgoingBlock];
  flip(path, payloadAt(path, payloadHit) + 5);
  flip(path, payloadAt(path, headerHit) - 50);
  t.equal(await stateOf(node, payloadHit), 'wrong bytes', 'the node leaves hashing to its caller');
  t.equal(await stateOf(node, headerHit), 'corrupt');
  t.equal(await lookAt(node, payloadHit), 'corrupt');
  t.equal(node.health().damagedRecords, 2);
  await node.close();
  const again = await openNode(t, directory);
  t.equal(await stateOf(again, payloadHit), 'corrupt', 'the mark outlives the process');
  t.same(await again.putBlocks([payloadHit, headerHit]), ['written', 'written']);
  t.same(await brokenOf(again, blocks), []);
});

/** What a reader in shared memory gets to see of each block, all asked for in one turn. */
function statesInOneTurn(node: LocalNode, blocks: readonly OutgoingBlock[]): Promise<string[]> {
  const states = blocks.map(async ({ id, bytes }) => {
    const target = Buffer.from(new SharedArrayBuffer(bytes.byteLength));
    try {
      const read = await node.readHashed(id, target, { stretches: true });
      if (read === undefined) return 'missing';
      if (read.digest === undefined) return blockIdOf(target) === id ? 'to be hashed' : 'wrong bytes';
      return read.digest === id && target.equals(bytes) ? 'whole' : 'a wrong digest';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  });
  return Promise.all(states);
}

t.test('damage is found, and marked as ever, when blocks are read and hashed by one hop', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const node = await openNode(t, directory);
  const path = segmentPath(directory, 1);
  const [payloadHit, headerHit, ...others] = blocks as [OutgoingBlock, OutgoingBlock, ...OutgoingBlock[]];
  t.same(await statesInOneTurn(node, blocks), new Array(blocks.length).fill('whole'));
  flip(path, payloadAt(path, payloadHit) + 5);
  flip(path, payloadAt(path, headerHit) - 50);
  const states = await statesInOneTurn(node, blocks);
  t.same(states.slice(0, 2), ['wrong bytes', 'corrupt'], 'the wrong payload is for who hashes to report');
  t.same(states.slice(2), new Array(others.length).fill('whole'));
  t.equal(node.health().damagedRecords, 1);
  t.equal(await lookAt(node, payloadHit), 'corrupt');
  t.same(await node.putBlocks([payloadHit, headerHit]), ['written', 'written']);
  for (const state of await statesInOneTurn(node, blocks)) t.ok(state === 'whole');
});

t.test('a disk that fails is no damage, when blocks are read by one hop: the next read may succeed', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  let fails = false;
  const open: SegmentFiles['open'] = async (path, options) => {
    const file = await diskFiles.open(path, options);
    const readVector: SegmentFile['readVector'] = (into, at) => (fails ? Promise.reject(diskError()) : file.readVector(into, at));
    const read: SegmentFile['read'] = (into, at) => (fails ? Promise.reject(diskError()) : file.read(into, at));
    return options.access === 'read' ? { ...delegateTo(file), read, readVector } : file;
  };
  const node = await openNode(t, directory, { files: { ...diskFiles, open } });
  fails = true;
  t.same(await statesInOneTurn(node, blocks), new Array(blocks.length).fill('block_unavailable'));
  fails = false;
  t.same(await statesInOneTurn(node, blocks), new Array(blocks.length).fill('to be hashed'));
  t.equal(node.health().damagedRecords, 0);
});

/** The file under a descriptor that is of no open file: another thread fails to read it. */
function delegateTo(file: SegmentFile): SegmentFile {
  return {
    path: file.path,
    descriptor: 1_000_000,
    write: (bytes, at) => file.write(bytes, at),
    read: (into, at) => file.read(into, at),
    readVector: (into, at) => file.readVector(into, at),
    dataSync: () => file.dataSync(),
    sync: () => file.sync(),
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    chmod: (mode) => file.chmod(mode),
    close: () => file.close(),
  };
}

function diskError(): Error {
  return Object.assign(new Error('the disk fails'), { code: 'EIO' });
}

t.test('MANIFEST that lost its last entry costs no segment', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const path = join(directory, 'MANIFEST');
  truncateSync(path, statSync(path).size - 10);
  const node = await openNode(t, directory);
  t.match(node.recovery.lines.join(), /MANIFEST ended in bytes that are no entry/);
  t.same(await brokenOf(node, blocks), []);
});

t.test('without MANIFEST the segments enter it again', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  rmSync(join(directory, 'MANIFEST'));
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), []);
  t.same(await node.putBlocks(blocks.slice(0, 1)), ['present']);
});

t.test('a foreign file among the segments is moved aside', async (t) => {
  const { directory, blocks } = await sealedNode(t);
  const stranger = await sealedNode(t);
  copyFileSync(segmentPath(stranger.directory, 1), segmentPath(directory, 7));
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), []);
  t.notOk(existsSync(segmentPath(directory, 7)));
  t.equal(quarantined(directory).length, 1);
});

t.test('a node whose NODE file is gone is refused rather than made anew', async (t) => {
  const { directory } = await sealedNode(t);
  rmSync(join(directory, 'NODE'));
  await t.rejects(LocalNode.open(nodeOptions(directory)), { code: 'storage_incompatible' });
});

t.test('a reader without lock finds what is whole and names what is not', async (t) => {
  const { directory, batches } = await killedNode(t, { flushed: false });
  const path = segmentPath(directory, 1);
  flip(path, payloadAt(path, batches[0]?.[0] as OutgoingBlock) - 100);
  const before = readdirSync(directory, { recursive: true });
  const reader = await ReadOnlyNode.open({ directory });
  t.match(reader.problems.join(), /Segment 1: \d+ bytes at 4096 are damaged/);
  t.same(await brokenOf(reader, batches.flat().slice(1)), []);
  t.equal(await stateOf(reader, blockOf(99)), 'missing');
  await reader.close();
  t.same(readdirSync(directory, { recursive: true }), before, 'nothing was made or removed');
});
