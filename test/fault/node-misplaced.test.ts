import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { acceptLoss } from '../../src/graviton/accept-loss.ts';
import { segmentPath } from '../../src/graviton/node-directory.ts';
import { ReadOnlyNode } from '../../src/graviton/read-only-node.ts';
import { blocksOf, brokenOf, openNode } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const blocks = blocksOf(24, { size: 90_000 });

/** Three sealed segments. */
async function storedNode(t: Test): Promise<string> {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  for (const block of blocks) await node.putBlocks([block]);
  await node.close();
  return directory;
}

/** In `directory`, the files of the first two segments get each other's name. */
function swapFiles(directory: string): void {
  const [first, second, between] = [segmentPath(directory, 1), segmentPath(directory, 2), join(directory, 'between')];
  renameSync(first, between);
  renameSync(second, first);
  renameSync(between, second);
}

t.test('a node without a server names files that hold another segment, and reads what they hold', async (t) => {
  const directory = await storedNode(t);
  swapFiles(directory);
  const node = await ReadOnlyNode.open({ directory });
  t.same(node.problems, ['Segment 1 is missing: its file holds segment 2.', 'Segment 2 is missing: its file holds segment 1.']);
  t.same(await brokenOf(node, blocks), []);
  await node.close();
  swapFiles(directory);
  copyFileSync(segmentPath(directory, 3), segmentPath(directory, 9));
  const again = await ReadOnlyNode.open({ directory });
  t.same(again.problems, ['The file 0000000000000009.seg holds segment 3.']);
  await again.close();
});

t.test('files that are swapped under a running node make segments missing, and mark nothing', async (t) => {
  const directory = await storedNode(t);
  const node = await openNode(t, directory, { missingCheckMs: 3_600_000 });
  swapFiles(directory);
  const target = new Uint8Array(2 ** 20);
  const looks = await Promise.all(
    blocks.map(({ id }) => node.readBlockFromDisk(id, target).catch((error: { code: string }) => error.code)),
  );
  t.same(new Set(looks), new Set(['block_unavailable', 90_000]));
  t.match(node.health(), { writable: false, damagedRecords: 0, missingSegments: /its file holds segment 2/ });
  await node.close();
  swapFiles(directory);
  const again = await openNode(t, directory);
  t.same(await brokenOf(again, blocks), []);
  t.match(again.health(), { writable: true, damagedRecords: 0 });
  await again.close();
});

t.test('a segment whose file holds another one can be given up', async (t) => {
  const directory = await storedNode(t);
  rmSync(segmentPath(directory, 2));
  copyFileSync(segmentPath(directory, 1), segmentPath(directory, 2));
  await acceptLoss({ directory, clock: systemClock, segments: [2], reason: 'J. Doe: overwritten' });
  const node = await openNode(t, directory);
  t.match(node.health(), { writable: true, damagedRecords: 0 });
  const lost = await brokenOf(node, blocks);
  t.ok(lost.length > 5 && lost.every((line) => line.endsWith(': missing')));
  await node.close();
});

t.test('a folder without NODE is no new node while MANIFEST or segments are there', async (t) => {
  const directory = await storedNode(t);
  renameSync(join(directory, 'NODE'), join(directory, 'away'));
  await t.rejects(openNode(t, directory), { code: 'storage_incompatible', message: /holds segments but no file NODE/ });
  renameSync(join(directory, 'seg'), join(directory, 'seg-away'));
  await t.rejects(openNode(t, directory), { code: 'storage_incompatible', message: /holds a MANIFEST but no file NODE/ });
  rmSync(join(directory, 'seg'), { recursive: true });
  renameSync(join(directory, 'seg-away'), join(directory, 'seg'));
  renameSync(join(directory, 'away'), join(directory, 'NODE'));
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), []);
  await node.close();
});
