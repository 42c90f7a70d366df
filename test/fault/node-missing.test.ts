import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { type NodeId, newId } from '../../src/core/ids.ts';
import { acceptLoss } from '../../src/graviton/accept-loss.ts';
import type { LocalNode, LocalNodeOptions } from '../../src/graviton/local-node.ts';
import type { OutgoingBlock } from '../../src/graviton/node.ts';
import { segmentPath } from '../../src/graviton/node-directory.ts';
import { diskFiles, type SegmentFiles } from '../../src/segment/segment-files.ts';
import { encodeSuperblock } from '../../src/segment/superblock.ts';
import { changeIndex } from '../helpers/change-index.ts';
import { blockOf, blocksOf, brokenOf, openNode, smallSegments, stateOf } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const blocks = [...blocksOf(24, { size: 90_000 }), blockOf(100, 300, 'manifest')];
const quick: Partial<LocalNodeOptions> = { missingCheckMs: 5 };

/** Three segments: sealed, or with the last one as a kill would leave it. */
async function storedNode(t: Test, changes: { killed?: boolean } = {}): Promise<string> {
  const directory = temporaryFolder(t);
  const node = await openNode(t, directory);
  for (const block of blocks) await node.putBlocks([block]);
  if (changes.killed !== true) {
    await node.close();
    return directory;
  }
  await node.flushIndex();
  const copy = temporaryFolder(t);
  for (const folder of ['seg', 'idx', 'quarantine']) {
    mkdirSync(join(copy, folder));
    for (const name of readdirSync(join(directory, folder)))
      writeFileSync(join(copy, folder, name), readFileSync(join(directory, folder, name)));
  }
  for (const name of ['NODE', 'MANIFEST']) writeFileSync(join(copy, name), readFileSync(join(directory, name)));
  await node.close();
  return copy;
}

async function isWritable(node: LocalNode): Promise<void> {
  while (!node.health().writable) await pause(5);
}

/** Of a block that no test has stored yet. */
let fresh = 1000;

async function isWhole(t: Test, node: LocalNode): Promise<void> {
  t.same(await brokenOf(node, blocks), []);
  t.match(node.health(), { damagedRecords: 0, missingSegments: undefined, writable: true });
  t.same(await node.putBlocks(blocks), new Array(blocks.length).fill('present'));
  fresh += 1;
  t.same(await node.putBlocks([blockOf(fresh)]), ['written']);
}

function manifestOf(directory: string): Buffer {
  return readFileSync(join(directory, 'MANIFEST'));
}

interface Absence {
  readonly take: (directory: string) => void;
  readonly back: (directory: string) => void;
}

function takeAside(directory: string, segments: readonly number[]): void {
  for (const segment of segments) renameSync(segmentPath(directory, segment), join(directory, `${segment}.away`));
}

function putBack(directory: string, segments: readonly number[]): void {
  for (const segment of segments) renameSync(join(directory, `${segment}.away`), segmentPath(directory, segment));
}

function aside(...segments: number[]): Absence {
  return { take: (directory) => takeAside(directory, segments), back: (directory) => putBack(directory, segments) };
}

function swapFiles(directory: string): void {
  const [first, second, between] = [segmentPath(directory, 1), segmentPath(directory, 2), join(directory, 'between')];
  renameSync(first, between);
  renameSync(second, first);
  renameSync(between, second);
}

const foreign = {
  segment: 1,
  salt: 0x1234_5678_9abc_def0n,
  nodeId: newId<NodeId>(systemClock),
  createdMs: 1_790_000_000_000,
  segmentSize: smallSegments,
};

const absences: Readonly<Record<string, Absence>> = {
  'the first segment': aside(1),
  'the last segment': aside(3),
  'two segments': aside(1, 2),
  'all segments': aside(1, 2, 3),
  'the folder of the segments': {
    take: (directory) => renameSync(join(directory, 'seg'), join(directory, 'away')),
    back: (directory) => {
      rmSync(join(directory, 'seg'), { recursive: true });
      renameSync(join(directory, 'away'), join(directory, 'seg'));
    },
  },
  "two segments whose files have each other's name": { take: swapFiles, back: swapFiles },
  'a segment under one of another node': {
    take: (directory) => {
      takeAside(directory, [1]);
      writeFileSync(segmentPath(directory, 1), encodeSuperblock(foreign));
    },
    back: (directory) => putBack(directory, [1]),
  },
  'the end of a segment': {
    take: (directory) => {
      const path = segmentPath(directory, 2);
      writeFileSync(join(directory, 'whole'), readFileSync(path));
      chmodSync(path, 0o600);
      truncateSync(path, 8192);
    },
    back: (directory) => writeFileSync(segmentPath(directory, 2), readFileSync(join(directory, 'whole'))),
  },
};

for (const killed of [false, true]) {
  for (const [what, { take, back }] of Object.entries(absences)) {
    for (const index of ['kept', 'deleted']) {
      if (killed && what !== 'the last segment' && what !== 'all segments') continue;
      const how = `${killed ? 'after a kill' : 'after a stop'}, the index ${index}`;
      t.test(`${what} missing for one start, ${how}: nothing is lost, marked or written`, async (t) => {
        const directory = await storedNode(t, { killed });
        take(directory);
        if (index === 'deleted') rmSync(join(directory, 'idx'), { recursive: true });
        const before = manifestOf(directory);
        const node = await openNode(t, directory, { missingCheckMs: 3_600_000 });
        t.match(node.health(), { writable: false, missingSegments: /segments cannot be read/, damagedRecords: 0 });
        t.match(node.recovery.lines.join(), /segments cannot be read/, 'the log says so');
        await t.rejects(node.putBlocks([blockOf(999)]), { code: 'node_read_only' });
        const states = new Set(await Promise.all(blocks.map((block) => stateOf(node, block))));
        t.ok(states.has('block_unavailable'));
        states.delete('whole');
        t.same([...states], ['block_unavailable'], 'what can be read is read');
        await node.close();
        t.ok(manifestOf(directory).equals(before), 'MANIFEST is as it was');
        back(directory);
        const again = await openNode(t, directory);
        await isWhole(t, again);
        await again.close();
      });
    }
  }
}

for (const [what, { take, back }] of Object.entries(absences)) {
  t.test(`${what} missing at the start and back later: the node writes again without a restart`, async (t) => {
    const directory = await storedNode(t, { killed: true });
    take(directory);
    rmSync(join(directory, 'idx'), { recursive: true });
    const node = await openNode(t, directory, quick);
    t.equal(node.health().writable, false);
    back(directory);
    await isWritable(node);
    await isWhole(t, node);
    await node.close();
    const again = await openNode(t, directory);
    t.same(again.recovery.lines, [], 'nothing is left to do');
    await isWhole(t, again);
    await again.close();
  });
}

t.test('a segment that goes away under a running node stops its writing until it is back', async (t) => {
  const directory = await storedNode(t);
  const node = await openNode(t, directory, quick);
  await isWhole(t, node);
  takeAside(directory, [2]);
  t.equal(await node.readBlockFromDisk((blocks[12] as OutgoingBlock).id, new Uint8Array(2 ** 20)).catch(() => 0), 0);
  t.match(node.health(), {
    writable: false,
    readOnlyReason: /1 of \d segments cannot be read: 2 \(its file is missing\).*accept-loss/,
  });
  putBack(directory, [2]);
  await isWritable(node);
  await isWhole(t, node);
  await node.close();
});

t.test('an index that an earlier version emptied while segments were away is filled again', async (t) => {
  const directory = await storedNode(t);
  // It calls itself complete, and knows nothing of the segments.
  await changeIndex(directory, () => undefined);
  const again = await openNode(t, directory);
  t.match(again.recovery.lines.join(), /Segment 1 was missing from the index and is indexed again/);
  await isWhole(t, again);
  await again.close();
});

for (const code of ['EACCES', 'EIO']) {
  t.test(`a segment that answers ${code} at the start is waited for`, async (t) => {
    const directory = await storedNode(t);
    rmSync(join(directory, 'idx'), { recursive: true });
    let fails = true;
    const files: SegmentFiles = {
      ...diskFiles,
      open: (path, options) =>
        fails && path.endsWith('2.seg')
          ? Promise.reject(Object.assign(new Error('no'), { code, syscall: 'open' }))
          : diskFiles.open(path, options),
    };
    const node = await openNode(t, directory, { ...quick, files });
    t.match(node.health(), { writable: false, missingSegments: new RegExp(`2 \\(its file cannot be read: ${code}\\)`) });
    t.equal(
      (await brokenOf(node, blocks)).every((line) => line.endsWith('block_unavailable')),
      true,
    );
    fails = false;
    await isWritable(node);
    await isWhole(t, node);
    await node.close();
  });
}

t.test('segments that an operator gives up are done without, and read again should they return', async (t) => {
  const directory = await storedNode(t);
  takeAside(directory, [1]);
  const giveUp = (...segments: number[]) => acceptLoss({ directory, clock: systemClock, segments, reason: 'J. Doe: no copy' });
  await t.rejects(giveUp(1, 2), { code: 'bad_parameter', message: /Segment 2 is not given up. Its file is there/ });
  await t.rejects(giveUp(77), { code: 'bad_parameter', message: /MANIFEST names no such segment/ });
  await giveUp(1);
  const node = await openNode(t, directory);
  await t.rejects(giveUp(1), { code: 'storage_in_use' });
  t.match(node.health(), { writable: true, missingSegments: undefined });
  t.match(node.recovery.lines.join(), /Segments that were given up are still missing: 1/);
  const lost = await brokenOf(node, blocks);
  t.ok(lost.length > 5 && lost.every((line) => line.endsWith(': missing')), 'they are lost, and it is no use to try again');
  t.equal((await node.putBlocks(blocks.slice(0, 3))).join(), 'written,written,written', 'storing them again heals them');
  t.same(await brokenOf(node, blocks.slice(0, 3)), []);
  await node.close();
  putBack(directory, [1]);
  const again = await openNode(t, directory);
  await isWhole(t, again);
  await again.close();
});
