import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import { ReadOnlyNode, type StoredRecord } from '../../../src/graviton/read-only-node.ts';
import { PAGE_SIZE, RECORD_HEADER } from '../../../src/segment/format.ts';
import { diskFiles, type SegmentFiles } from '../../../src/segment/segment-files.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import {
  blockOf,
  blocksOf,
  brokenOf,
  flipByte,
  lookAt,
  manifestsOf,
  openNode,
  rotBlock,
  stateOf,
} from '../../helpers/node-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

async function recordsOf(node: ReadOnlyNode): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for await (const record of node.records()) found.push(record);
  return found;
}

t.test('sealed segments are read and listed without an index', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  const blocks = [...blocksOf(30, { size: 90_000 }), blockOf(99, 10, 'manifest')];
  for (const block of blocks) await node.putBlocks([block]);
  await node.close();
  const reader = await ReadOnlyNode.open({ directory });
  t.equal(reader.id, node.id);
  t.same(reader.problems, []);
  t.same(await brokenOf(reader, blocks), []);
  t.equal(await stateOf(reader, blockOf(1000)), 'missing');
  t.same(await manifestsOf(reader), [blockOf(99, 10, 'manifest').id]);
  const records = await recordsOf(reader);
  t.same(
    records.map(({ id, kind, size }) => ({ id, kind, size })),
    blocks.map(({ id, kind, bytes }) => ({ id, kind, size: bytes.byteLength })),
    'records come in the order of the disk',
  );
  await reader.close();
});

t.test('beside a live writer what was durable at the opening is there, and nothing is touched', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  const blocks = blocksOf(20, { size: 90_000 });
  for (const block of blocks) await node.putBlocks([block]);
  const writing = Promise.all(blocksOf(50, { from: 100, size: 5000 }).map((block) => node.putBlocks([block])));
  const before = readdirSync(directory);
  const reader = await ReadOnlyNode.open({ directory });
  t.same(reader.problems, []);
  t.same(await brokenOf(reader, blocks), []);
  await writing;
  t.same(readdirSync(directory), before);
  await reader.close();
  t.same(await node.putBlocks([blockOf(999)]), ['written']);
});

t.test('of several copies of a block the newest whole one is read, and all are listed', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  await node.putBlocks(blocksOf(2));
  rotBlock(directory, blockOf(1));
  t.equal(await lookAt(node, blockOf(1)), 'corrupt');
  await node.putBlocks(blocksOf(2));
  // The first copy is whole again, under a mark.
  flipByte(segmentPath(directory, 1), PAGE_SIZE + RECORD_HEADER.size);
  await node.close();
  const path = segmentPath(directory, 1);
  const bytes = readFileSync(path);
  const newest = bytes.lastIndexOf(Buffer.from(blockOf(1).bytes));
  const reader = await ReadOnlyNode.open({ directory });
  t.equal(await stateOf(reader, blockOf(1)), 'whole');
  const copies = (await recordsOf(reader)).filter(({ id }) => id === blockOf(1).id);
  t.match(copies, [{ marked: true }, { marked: false, offset: newest - 128 }]);
  t.match(await reader.judge(copies[0] as StoredRecord, new Uint8Array(limits.blockSizeMax)), { state: 'whole' });
  await reader.close();

  t.equal(await stateWith(directory, flipBit(bytes, newest * 8)), 'whole', 'the older copy serves');
});

/** What becomes of the first block when the first segment holds `bytes`. */
async function stateWith(directory: string, bytes: Buffer): Promise<string> {
  const files = new MemoryFiles();
  for (const name of ['NODE', 'MANIFEST']) files.put(join(directory, name), readFileSync(join(directory, name)));
  files.put(segmentPath(directory, 1), bytes);
  const reader = await ReadOnlyNode.open({ directory, files });
  try {
    return await stateOf(reader, blockOf(1));
  } finally {
    await reader.close();
  }
}

t.test('a folder that holds no node is refused', async (t) => {
  await t.rejects(ReadOnlyNode.open({ directory: temporaryFolder(t) }), { code: 'storage_incompatible' });
});

t.test('a node with one bad copy of NODE is read and not repaired', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  await node.putBlocks(blocksOf(1));
  await node.close();
  const path = join(directory, 'NODE');
  const wrecked = readFileSync(path).fill(0, 0, 100);
  writeFileSync(path, wrecked);
  const reader = await ReadOnlyNode.open({ directory });
  t.same(await brokenOf(reader, blocksOf(1)), []);
  await reader.close();
  t.ok(readFileSync(path).equals(wrecked));
});

t.test('what the disk does not give is unavailable, and no damage', async (t) => {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  await node.putBlocks(blocksOf(3, { size: 90_000 }));
  await node.close();
  let fails = false;
  const files: SegmentFiles = {
    ...diskFiles,
    open: async (path, options) => {
      if (fails && path.endsWith('.seg')) throw failure('EIO', path);
      return diskFiles.open(path, options);
    },
  };
  fails = true;
  const blind = await ReadOnlyNode.open({ directory, files });
  t.match(blind.problems, [/egment 1 cannot be read/]);
  await blind.close();
  fails = false;
  const reader = await ReadOnlyNode.open({ directory });
  t.same(await brokenOf(reader, blocksOf(3, { size: 90_000 })), []);
  await reader.close();
});
