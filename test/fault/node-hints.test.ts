import { chmodSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { BlockId } from '../../src/core/digest.ts';
import type { LocalNode } from '../../src/graviton/local-node.ts';
import type { OutgoingBlock } from '../../src/graviton/node.ts';
import { segmentPath } from '../../src/graviton/node-directory.ts';
import { ReadOnlyNode } from '../../src/graviton/read-only-node.ts';
import { diskFiles, type SegmentFiles } from '../../src/segment/segment-files.ts';
import { encodeManifestEntry } from '../../src/segment/segment-manifest.ts';
import { changeIndex } from '../helpers/change-index.ts';
import { flipBit } from '../helpers/flip-bit.ts';
import { blockOf, blocksOf, brokenOf, lookAt, openNode, rotBlock, stateOf } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A record is judged by its own bytes: what an index, a mark or an absence says of it is only a hint. */
const blocks = [...blocksOf(24, { size: 90_000 }), blockOf(100, 300, 'manifest'), blockOf(101, 777, 'piece')];

/** Three sealed segments, closed. */
async function storedNode(t: Test): Promise<string> {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  for (const block of blocks) await node.putBlocks([block]);
  await node.close();
  return directory;
}

async function isUntouched(t: Test, node: LocalNode): Promise<void> {
  t.same(await brokenOf(node, blocks), []);
  t.equal(node.health().damagedRecords, 0);
  t.same(await node.putBlocks(blocks), new Array(blocks.length).fill('present'));
}

t.test('a flipped bit in any field of an index entry harms no read, and is mended for good', async (t) => {
  const many = [...blocksOf(126, { size: 20_000 }), blockOf(200, 300, 'manifest'), blockOf(201, 300, 'piece')];
  const directory = temporaryFolder(t);
  const first = await openNode(t, directory);
  await first.putBlocks(many);
  await first.close();
  // Every entry gets another bit, all 256 of them in turn.
  for (let shift = 0; shift < 256; shift += many.length) {
    await changeIndex(directory, (entry, index) => flipBit(entry, shift + index));
    const node = await openNode(t, directory);
    t.same(await brokenOf(node, many), [], `from bit ${shift} on`);
    t.equal(node.health().damagedRecords, 0);
    t.same(await node.putBlocks(many), new Array(many.length).fill('present'));
    await node.close();
  }
  const again = await openNode(t, directory);
  t.same(again.recovery.lines, [], 'the index is right again');
  t.same(await brokenOf(again, many), []);
  await again.close();
  const reader = await ReadOnlyNode.open({ directory });
  t.same([reader.problems, await brokenOf(reader, many)], [[], []], 'a look without the index says the same');
  await reader.close();
});

t.test('blocks that an index lost are found in their segments', async (t) => {
  const directory = await storedNode(t);
  await changeIndex(directory, (entry, index) => (index % 3 === 0 ? undefined : entry));
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), []);
  await node.close();
});

t.test('an index entry that names a segment nobody has does not make a block present', async (t) => {
  const directory = await storedNode(t);
  await changeIndex(directory, (entry) => {
    entry.writeUInt32LE(77, 0);
    return entry;
  });
  const node = await openNode(t, directory);
  const outcomes = await node.putBlocks(blocks);
  t.same(await brokenOf(node, blocks), []);
  t.equal(outcomes.length, blocks.length);
  await node.close();
});

t.test('a block that is damaged stays so, whatever its index entry says', async (t) => {
  const directory = await storedNode(t);
  rotBlock(directory, blocks[3] as OutgoingBlock);
  await changeIndex(directory, (entry) => flipBit(entry, 24 * 8 + 3));
  const node = await openNode(t, directory);
  t.same(await brokenOf(node, blocks), ['3: corrupt']);
  t.equal(node.health().damagedRecords, 1);
  t.equal(await stateOf(node, blocks[3] as OutgoingBlock), 'corrupt', 'at once, the second time');
  t.same(await node.putBlocks([blocks[3] as OutgoingBlock]), ['written']);
  await isUntouched(t, node);
  await node.close();
});

const absences: Readonly<Record<string, { take: (path: string) => void; back: (path: string) => void }>> = {
  'missing file': {
    take: (path) => renameSync(path, `${path}.away`),
    back: (path) => renameSync(`${path}.away`, path),
  },
  'file cut short': {
    take: (path) => {
      chmodSync(path, 0o600);
      writeFileSync(`${path}.away`, readFileSync(path));
      truncateSync(path, 5000);
    },
    back: (path) => writeFileSync(path, readFileSync(`${path}.away`)),
  },
  'empty file': {
    take: (path) => {
      chmodSync(path, 0o600);
      writeFileSync(`${path}.away`, readFileSync(path));
      truncateSync(path, 0);
    },
    back: (path) => writeFileSync(path, readFileSync(`${path}.away`)),
  },
};

for (const [what, { take, back }] of Object.entries(absences)) {
  t.test(`a ${what} under a running node makes blocks unavailable, marks nothing, and passes`, async (t) => {
    const directory = await storedNode(t);
    const node = await openNode(t, directory);
    const path = segmentPath(directory, 1);
    const before = readFileSync(join(directory, 'MANIFEST'));
    take(path);
    const [first, ...others] = await Promise.all(blocks.map((block) => lookAt(node, block)));
    t.equal(first, 'block_unavailable');
    t.ok(others.includes('whole'), 'other segments are read');
    t.notOk(others.some((state) => state !== 'whole' && state !== 'block_unavailable'));
    t.equal(node.health().damagedRecords, 0);
    t.match(node.health().missingSegments, /1 of 3 segments cannot be read: 1 \(its file/);
    t.ok(readFileSync(join(directory, 'MANIFEST')).equals(before), 'nothing is marked');
    back(path);
    t.same(await brokenOf(node, blocks), [], 'without a restart');
    await node.close();
    const again = await openNode(t, directory);
    await isUntouched(t, again);
    await again.close();
  });
}

for (const code of ['EIO', 'EACCES', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE']) {
  t.test(`${code} from the disk condemns nothing`, async (t) => {
    const directory = await storedNode(t);
    let fails = false;
    const files: SegmentFiles = {
      ...diskFiles,
      open: (path, options) =>
        fails && path.includes('/seg/') && options.access === 'read'
          ? Promise.reject(Object.assign(new Error('no'), { code }))
          : diskFiles.open(path, options),
    };
    const node = await openNode(t, directory, { files, missingCheckMs: 5 });
    fails = true;
    t.same(new Set(await Promise.all(blocks.map((block) => lookAt(node, block)))), new Set(['block_unavailable']));
    const passing = ['EMFILE', 'ENFILE', 'ENOMEM'].includes(code);
    t.equal(node.health().missingSegments === undefined, passing, 'what passes says nothing of a segment');
    fails = false;
    t.same(await brokenOf(node, blocks), [], 'at once');
    while (!node.health().writable) await pause(5);
    await isUntouched(t, node);
    await node.close();
  });
}

/** Appends damage marks for records, as an earlier version did for what it could not read. */
function markWrongly(directory: string, spots: readonly { block: OutgoingBlock; segment: number; offset: number }[]): void {
  const path = join(directory, 'MANIFEST');
  const manifest = readFileSync(path);
  let number = manifest.toString('latin1').split('QMFE').length - 1;
  const marks = spots.map(({ block: { id }, segment, offset }) => {
    number += 1;
    const entry = { kind: 'damage', id, segment, offset, reason: 'the file of its segment is missing' } as const;
    return encodeManifestEntry({ number, timeMs: 1, entry });
  });
  writeFileSync(path, Buffer.concat([manifest, ...marks]));
}

async function placesOf(directory: string): Promise<{ block: OutgoingBlock; segment: number; offset: number }[]> {
  const reader = await ReadOnlyNode.open({ directory });
  const found: { block: OutgoingBlock; segment: number; offset: number }[] = [];
  for await (const { id, segment, offset } of reader.records()) {
    found.push({ block: blocks.find((block) => block.id === id) as OutgoingBlock, segment, offset });
  }
  await reader.close();
  return found;
}

for (const index of ['kept', 'deleted']) {
  t.test(`marks that an earlier version made wrongly are withdrawn when the records are read, the index ${index}`, async (t) => {
    const directory = await storedNode(t);
    markWrongly(directory, await placesOf(directory));
    rotBlock(directory, blocks[5] as OutgoingBlock);
    if (index === 'deleted') rmSync(join(directory, 'idx'), { recursive: true });
    const node = await openNode(t, directory);
    t.equal(node.health().damagedRecords, blocks.length, 'as yet they are believed to be damaged');
    t.equal(await node.isDamaged((blocks[7] as OutgoingBlock).id), false, 'but nothing is refused before a look');
    t.same(await brokenOf(node, blocks), ['5: corrupt']);
    t.equal(node.health().damagedRecords, 1);
    await node.close();
    const again = await openNode(t, directory);
    t.equal(again.health().damagedRecords, 1, 'for good');
    t.same(await brokenOf(again, blocks), ['5: corrupt']);
    await again.close();
  });
}

t.test('however many marks there are, health and refusals look into a set', async (t) => {
  const directory = await storedNode(t);
  const [victim, ...others] = await placesOf(directory);
  const spots = Array.from({ length: 50_000 }, (_, index) => ({
    block: { ...blockOf(1), id: index.toString(16).padStart(64, '0') as BlockId },
    segment: 1,
    offset: 4096 + 64 * index,
  }));
  markWrongly(directory, [...spots, victim as (typeof others)[0]]);
  const node = await openNode(t, directory);
  const { ledger } = node.scrubAccess;
  let walks = 0;
  const { damage, marksOf } = ledger;
  ledger.damage = function* () {
    walks += 1;
    yield* damage.call(ledger);
  };
  ledger.marksOf = (id) => {
    walks += 1;
    return marksOf.call(ledger, id);
  };
  for (let time = 0; time < 1000; time++) {
    if (time === 0) t.equal(node.health().damagedRecords, 50_001);
    else t.ok(node.health().damagedRecords === 50_000);
    t.ok((await node.isDamaged((blocks[time % 20] as OutgoingBlock).id)) === false);
  }
  t.ok(walks < 5, `marks were walked ${walks} times`);
  t.equal(await stateOf(node, blocks[0] as OutgoingBlock), 'whole');
  t.equal(node.health().damagedRecords, 50_000);
  await node.close();
});

t.test('the good copy of a block wins over the damaged one when the index is built anew', async (t) => {
  const directory = await storedNode(t);
  for (const victim of [blocks[2], blocks[24], blocks[25]] as OutgoingBlock[]) rotBlock(directory, victim);
  const node = await openNode(t, directory);
  t.equal((await node.putBlocks(blocks)).filter((outcome) => outcome === 'written').length, 3);
  await isUntouched(t, node);
  await node.close();
  rmSync(join(directory, 'idx'), { recursive: true });
  const rebuilt = await openNode(t, directory);
  await isUntouched(t, rebuilt);
  await rebuilt.close();
});
