import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { LocalNode } from '../../../src/graviton/local-node.ts';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import { blockOf, blocksOf, brokenOf, manifestsOf, nodeOptions, openNode, smallSegments } from '../../helpers/node-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function segmentsOf(directory: string): string[] {
  return readdirSync(join(directory, 'seg'))
    .filter((name) => name.endsWith('.seg'))
    .sort();
}

t.test('a node keeps its identity and its blocks from one run to the next', async (t) => {
  const directory = temporaryFolder(t);
  const blocks = [...blocksOf(50, { size: 3000 }), blockOf(99, 10, 'manifest')];
  const first = await openNode(t, directory);
  await Promise.all(blocks.map((block) => first.putBlocks([block])));
  await first.close();
  const second = await openNode(t, directory);
  t.equal(second.id, first.id);
  t.same(second.recovery.lines, [], 'a clean stop leaves nothing to recover');
  t.same(await brokenOf(second, blocks), []);
  t.same(await manifestsOf(second), [blockOf(99, 10, 'manifest').id]);
});

t.test('only records that are missing are written, within and between calls and runs', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  const twice = [...blocksOf(10), ...blocksOf(10)];
  await Promise.all([node.putBlocks(twice), node.putBlocks(blocksOf(15)), node.putBlocks(blocksOf(5))]);
  await node.putBlocks(blocksOf(15));
  t.equal(node.writerStats.records, 15);
  await node.close();
  const again = await openNode(t, directory);
  await again.putBlocks(blocksOf(16));
  t.equal(again.writerStats.records, 1);
});

t.test('a second process, or a second open, is refused and does no harm', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  await node.putBlocks(blocksOf(3));
  await t.rejects(LocalNode.open(nodeOptions(directory)), { code: 'storage_in_use' });
  await node.putBlocks(blocksOf(3, { from: 10 }));
  await node.close();
  const next = await openNode(t, directory);
  t.same(await brokenOf(next, [...blocksOf(3), ...blocksOf(3, { from: 10 })]), []);
});

t.test('another segment size than the node was made with is refused, and leaves the lock free', async (t) => {
  const directory = temporaryFolder(t);
  await (await openNode(t, directory)).close();
  await t.rejects(LocalNode.open(nodeOptions(directory, { segmentSize: 2 * smallSegments })), {
    code: 'storage_incompatible',
    message: /segment size of 1048576 bytes, this start wants 2097152/,
  });
  await (await openNode(t, directory)).close();
});

t.test('a new node opens no segment before the first block, and every segment is sealed in the end', async (t) => {
  const directory = temporaryFolder(t);
  await (await openNode(t, directory)).close();
  t.same(segmentsOf(directory), []);
  const node = await openNode(t, directory);
  for (const block of blocksOf(30, { size: 100_000 })) await node.putBlocks([block]);
  await node.close();
  t.ok(segmentsOf(directory).length >= 3);
  for (const name of segmentsOf(directory)) {
    const { size, mode } = statSync(join(directory, 'seg', name));
    t.ok(size <= smallSegments + 65_536, 'a segment keeps to its size');
    t.equal(mode & 0o777, 0o444, 'a sealed segment is read-only');
  }
});

t.test('a segment that nobody writes to is sealed, and the next block opens another', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory, { idleSealMs: 20 });
  await node.putBlocks(blocksOf(2));
  while ((statSync(segmentPath(directory, 1)).mode & 0o200) !== 0) await pause(5);
  await node.putBlocks(blocksOf(2, { from: 10 }));
  t.equal(segmentsOf(directory).length, 2);
  t.same(await brokenOf(node, [...blocksOf(2), ...blocksOf(2, { from: 10 })]), []);
});

t.test('spares are made after the first segment has rolled, and the next segment takes one', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory, { spareSegments: 1 });
  const spares = (): string[] => readdirSync(join(directory, 'seg')).filter((name) => name.endsWith('.spare'));
  const blocks = blocksOf(40, { size: 100_000 });
  await node.putBlocks(blocks.slice(0, 5));
  await pause(50);
  t.same(spares(), []);
  for (const block of blocks.slice(5, 15)) await node.putBlocks([block]);
  const whole = (): boolean => spares().some((name) => statSync(join(directory, 'seg', name)).size === smallSegments);
  while (!whole()) await pause(10);
  const taken = spares();
  for (const block of blocks.slice(15)) await node.putBlocks([block]);
  t.notSame(spares(), taken);
  await node.close();
  const again = await openNode(t, directory);
  t.same(await brokenOf(again, blocks), []);
});
