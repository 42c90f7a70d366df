import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LocalNode } from '../../src/graviton/local-node.ts';
import { ReadOnlyNode } from '../../src/graviton/read-only-node.ts';
import { blocksOf, brokenOf, nodeOptions } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const segment = 'seg/0000000000000001.seg';
const blocks = blocksOf(3);

async function stoppedNode(t: Test): Promise<string> {
  const directory = join(temporaryFolder(t), 'node');
  const node = await LocalNode.open(nodeOptions(directory));
  await node.putBlocks(blocks);
  await node.close();
  return directory;
}

const makers: Readonly<Record<string, (path: string) => void>> = {
  'a folder': (path) => mkdirSync(path),
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a symbolic link': (path) => {
    renameSync(`${path}.aside`, `${path}.real`);
    symlinkSync(`${path}.real`, path);
  },
};

for (const [what, make] of Object.entries(makers)) {
  t.test(`${what} where a file of the node should be stops the start, and is named`, async (t) => {
    const directory = await stoppedNode(t);
    for (const name of ['NODE', 'MANIFEST', 'LOCK', segment]) {
      const path = join(directory, name);
      cpSync(path, `${path}.kept`);
      renameSync(path, `${path}.aside`);
      make(path);
      await t.rejects(
        LocalNode.open(nodeOptions(directory)),
        { code: 'storage_unusable', message: `${path} is ${what}, where a storage node keeps a file. Move it away` },
        name,
      );
      rmSync(path, { recursive: true });
      for (const rest of [`${path}.aside`, `${path}.real`]) rmSync(rest, { force: true });
      renameSync(`${path}.kept`, path);
    }
    const node = await LocalNode.open(nodeOptions(directory));
    t.same(await brokenOf(node, blocks), []);
    t.equal(node.health().writable, true);
    await node.close();
  });
}

t.test('a file where a folder of the node should be stops the start, and is named', async (t) => {
  for (const name of ['seg', 'idx', 'quarantine']) {
    const directory = await stoppedNode(t);
    rmSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name), '');
    const message = new RegExp(`${join(directory, name)} is not a folder`);
    await t.rejects(LocalNode.open(nodeOptions(directory)), { code: 'storage_unusable', message }, name);
  }
  const file = join(temporaryFolder(t), 'node');
  writeFileSync(file, '');
  await t.rejects(LocalNode.open(nodeOptions(file)), { code: 'storage_unusable', message: /is not a folder/ });
});

t.test('what is no file of the index is no reason to stop: it is built anew', async (t) => {
  const directory = await stoppedNode(t);
  rmSync(join(directory, 'idx', 'data.mdb'));
  execFileSync('mkfifo', [join(directory, 'idx', 'data.mdb')]);
  const node = await LocalNode.open(nodeOptions(directory));
  t.teardown(() => node.close());
  t.match(node.recovery.lines, [/index is built anew.*something else lies where its file should be/]);
  t.same(await brokenOf(node, blocks), []);
});

t.test('strange names among the segments are left alone and told; a folder with the name of one is moved away', async (t) => {
  const directory = await stoppedNode(t);
  writeFileSync(join(directory, 'seg', '1.seg.bak'), 'x');
  mkdirSync(join(directory, 'seg', '00000000000000ff.seg'));
  const node = await LocalNode.open(nodeOptions(directory));
  t.teardown(() => node.close());
  t.match(node.recovery.lines, [/Segment file 255 is none of this node's/, /seg\/1\.seg\.bak is no segment by its name/]);
  t.ok(readdirSync(join(directory, 'seg')).includes('1.seg.bak'));
  t.same(await brokenOf(node, blocks), []);
});

t.test('a segment that is no file hides no other from those who only read', async (t) => {
  const directory = await stoppedNode(t);
  execFileSync('mkfifo', [join(directory, 'seg', '0000000000000002.seg')]);
  const node = await ReadOnlyNode.open({ directory });
  t.teardown(() => node.close());
  t.match(node.problems, [/Segment 2 cannot be read: .*0000000000000002\.seg is a pipe/]);
  t.same(await brokenOf(node, blocks), []);
});
