import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LocalNode } from '../../src/graviton/local-node.ts';
import { blockOf, blocksOf, brokenOf, manifestsOf, openNode } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const blocks = [...blocksOf(30, { size: 90_000 }), blockOf(100, 300, 'manifest'), blockOf(101, 1, 'piece')];

/** Three sealed segments. */
async function storedNode(t: Test): Promise<string> {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  for (const block of blocks) await node.putBlocks([block]);
  await node.close();
  return directory;
}

async function checkWhole(t: Test, node: LocalNode): Promise<void> {
  t.same(await brokenOf(node, blocks), []);
  t.same(await manifestsOf(node), [blockOf(100, 300, 'manifest').id]);
  t.same(await node.putBlocks(blocks), new Array(blocks.length).fill('present'));
}

t.test('a deleted index comes back from the segments', async (t) => {
  const directory = await storedNode(t);
  rmSync(join(directory, 'idx'), { recursive: true });
  const node = await openNode(t, directory);
  t.match(node.recovery.lines, [/index is built anew.*missing or empty/]);
  await checkWhole(t, node);
  await node.close();
  const again = await openNode(t, directory);
  t.same(again.recovery.lines, []);
  await checkWhole(t, again);
});

t.test('the index of another node is not used', async (t) => {
  const directory = await storedNode(t);
  const other = await storedNode(t);
  rmSync(join(directory, 'idx'), { recursive: true });
  cpSync(join(other, 'idx'), join(directory, 'idx'), { recursive: true });
  const node = await openNode(t, directory);
  t.match(node.recovery.lines, [/belongs to another node/]);
  await checkWhole(t, node);
});

t.test('an index that saw segments which are gone is not used', async (t) => {
  const directory = await storedNode(t);
  const backup = temporaryFolder(t);
  cpSync(directory, backup, { recursive: true });
  const node = await openNode(t, directory);
  const later = blocksOf(3, { from: 500 });
  await node.putBlocks(later);
  await node.close();
  for (const name of ['MANIFEST', 'seg']) {
    rmSync(join(directory, name), { recursive: true });
    cpSync(join(backup, name), join(directory, name), { recursive: true });
  }
  const restored = await openNode(t, directory);
  t.match(restored.recovery.lines, [/index is built anew/]);
  t.same(await restored.putBlocks(later), ['written', 'written', 'written']);
  await checkWhole(t, restored);
});

t.test('an index that saw records which are gone from a segment is not used', async (t) => {
  const directory = temporaryFolder(t);
  const first = await openNode(t, directory);
  await first.putBlocks(blocksOf(2));
  const backup = temporaryFolder(t);
  cpSync(directory, backup, { recursive: true });
  await first.putBlocks(blocksOf(2, { from: 10 }));
  await first.close();
  for (const name of ['MANIFEST', 'seg']) {
    rmSync(join(directory, name), { recursive: true });
    cpSync(join(backup, name), join(directory, name), { recursive: true });
  }
  const node = await openNode(t, directory);
  t.match(node.recovery.lines.join(), /index is built anew.*last record it knows/);
  t.same(await brokenOf(node, blocksOf(2)), []);
  t.same(await node.putBlocks(blocksOf(2, { from: 10 })), ['written', 'written']);
});

const wrecks: Readonly<Record<string, (path: string) => void>> = {
  'full of garbage': (path) => writeFileSync(path, readFileSync(path).fill(0x5a)),
  'full of zeros': (path) => writeFileSync(path, Buffer.alloc(100_000)),
  'cut short': (path) => truncateSync(path, 12_288),
  'a few bytes long': (path) => truncateSync(path, 100),
  empty: (path) => truncateSync(path, 0),
  'without its first page': (path) => writeFileSync(path, readFileSync(path).fill(0, 0, 4096)),
};

for (const [how, wreck] of Object.entries(wrecks)) {
  t.test(`an index file that is ${how} is built anew instead of ending the process`, async (t) => {
    const directory = await storedNode(t);
    wreck(join(directory, 'idx', 'data.mdb'));
    const node = await openNode(t, directory);
    t.match(node.recovery.lines, [/index is built anew/]);
    await checkWhole(t, node);
  });
}

t.test('an index whose last opening ended the process is built anew', async (t) => {
  const directory = await storedNode(t);
  writeFileSync(join(directory, 'idx', 'OPENING'), '');
  const node = await openNode(t, directory);
  t.match(node.recovery.lines, [/ended the process/]);
  await checkWhole(t, node);
});
