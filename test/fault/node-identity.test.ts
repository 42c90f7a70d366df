import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LocalNode } from '../../src/graviton/local-node.ts';
import { ReadOnlyNode } from '../../src/graviton/read-only-node.ts';
import { blocksOf, brokenOf, nodeOptions, openNode } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const blocks = blocksOf(3);

async function stoppedNode(t: Test, stored = blocks): Promise<string> {
  const directory = join(temporaryFolder(t), 'node');
  const node = await LocalNode.open(nodeOptions(directory));
  await node.putBlocks(stored);
  await node.close();
  return directory;
}

const first = (directory: string): string => join(directory, 'seg', '0000000000000001.seg');

for (const copied of [['NODE'], ['NODE', 'MANIFEST'], ['seg']]) {
  t.test(`${copied.join(' and ')} of another store stops the start, changes nothing, and says what to put back`, async (t) => {
    const ours = await stoppedNode(t);
    const theirs = await stoppedNode(t, blocksOf(5, { from: 50 }));
    const kept = `${ours}.kept`;
    cpSync(ours, kept, { recursive: true });
    for (const name of copied) {
      rmSync(join(ours, name), { recursive: true });
      cpSync(join(theirs, name), join(ours, name), { recursive: true });
    }
    await t.rejects(LocalNode.open(nodeOptions(ours)), {
      code: 'storage_incompatible',
      message: /^NODE says that this is node .*, but segment 1 was written by node .*comes from another store. Put back/,
    });
    t.same(readdirSync(join(ours, 'quarantine')), []);
    const looked = await ReadOnlyNode.open({ directory: ours });
    t.match(looked.problems, [/Segment 1 was written by node .*, but NODE says that this is node/]);
    await looked.close();
    for (const name of copied) {
      rmSync(join(ours, name), { recursive: true });
      cpSync(join(kept, name), join(ours, name), { recursive: true });
    }
    t.same(await brokenOf(await openNode(t, ours), blocks), []);
  });
}

t.test('NODE of another store is noticed without MANIFEST, too', async (t) => {
  const ours = await stoppedNode(t);
  cpSync(join(await stoppedNode(t), 'NODE'), join(ours, 'NODE'));
  renameSync(join(ours, 'MANIFEST'), join(ours, 'MANIFEST.lost'));
  await t.rejects(LocalNode.open(nodeOptions(ours)), { code: 'storage_incompatible' });
  t.ok(readdirSync(join(ours, 'seg')).length > 0, 'no segment was moved');
});

t.test('one segment of another store among our own is moved away', async (t) => {
  const ours = await stoppedNode(t);
  cpSync(first(await stoppedNode(t)), join(ours, 'seg', '0000000000000009.seg'));
  const node = await openNode(t, ours);
  t.match(node.recovery.lines, [/Segment file 9 is none of this node's; it was moved to quarantine/]);
  t.same(await brokenOf(node, blocks), []);
});

t.test(
  'a damaged superblock or footer of a sealed segment is told by the start, health and verify; all records are read',
  async (t) => {
    for (const part of ['superblock', 'footer']) {
      const directory = await stoppedNode(t);
      const path = first(directory);
      const bytes = readFileSync(path);
      const at = part === 'superblock' ? 40 : bytes.byteLength - 10;
      bytes[at] = (bytes[at] as number) ^ 1;
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
      const line = new RegExp(`The ${part} of segment 1 is damaged`);
      const node = await LocalNode.open(nodeOptions(directory));
      t.match(node.recovery.lines, [line]);
      t.equal(node.health().damagedStructures, 1);
      t.equal(node.health().damagedRecords, 0);
      t.same(await brokenOf(node, blocks), []);
      await node.close();
      const looked = await ReadOnlyNode.open({ directory });
      t.match(looked.problems, [line]);
      t.same(await brokenOf(looked, blocks), []);
      await looked.close();
    }
  },
);
