import {
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import type { Slot } from '../../../src/core/slab.ts';
import type { LocalNode, LocalNodeOptions } from '../../../src/graviton/local-node.ts';
import type { OutgoingBlock } from '../../../src/graviton/node.ts';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import type { ScrubOptions } from '../../../src/graviton/scrub.ts';
import { nodePaths } from '../../../src/segment/format.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { blockOf, blocksOf, brokenOf, lookAt, openNode, rotBlock, stateOf } from '../../helpers/node-fixture.ts';
import { inlineHasher, type LogLine, startScrub } from '../../helpers/scrub-fixture.ts';
import { testSlab } from '../../helpers/segment-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Each is a read of its own: larger than what is read together. */
const large = { size: 300_000 };

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

function ended(lines: readonly LogLine[]): LogLine | undefined {
  return lines.find(({ message }) => message.startsWith('A scrub pass ended'));
}

/** Stores blocks over several segments; all but the last are sealed. */
async function filledNode(
  t: Test,
  blocks: readonly OutgoingBlock[],
  changes: Partial<LocalNodeOptions> = {},
): Promise<LocalNode> {
  const node = await openNode(t, temporaryFolder(t), changes);
  for (const block of blocks) await node.putBlocks([block]);
  return node;
}

/** Runs one pass to its end; resolves with the ids that were hashed, in order. */
async function scrubOnce(t: Test, node: LocalNode, changes: Partial<ScrubOptions> = {}) {
  const { hashed, hasher } = countingHasher();
  const { scrub, lines } = startScrub(t, node, { hasher, ...changes });
  await until(() => ended(lines) !== undefined);
  await scrub.close();
  return { hashed, lines, statistics: scrub.statistics, end: ended(lines) as LogLine };
}

function countingHasher() {
  const hashed: BlockId[] = [];
  const inner = inlineHasher();
  const hasher = {
    hashBlock: async (at: number, size: number) => {
      const id = await inner.hashBlock(at, size);
      hashed.push(id);
      return id;
    },
  };
  return { hashed, hasher };
}

/** Where the payload of a block lies. */
function find(node: LocalNode, block: OutgoingBlock): { path: string; at: number } {
  for (const { segment } of node.scrubAccess.ledger.segments) {
    const path = segmentPath(node.directory, segment);
    const at = readFileSync(path).indexOf(block.bytes);
    if (at >= 0) return { path, at };
  }
  throw new Error('the block is in no segment');
}

/** Turns one bit over in place, under the running node. */
function flip({ path, at }: { path: string; at: number }): void {
  chmodSync(path, 0o600);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 4;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

t.test('a pass hashes every record of every segment once, large and small, also those just written', async (t) => {
  const blocks = [...blocksOf(10, large), ...blocksOf(200, { from: 100, size: 700 }), blockOf(999, 1024 * 1024)];
  const node = await filledNode(t, blocks, { segmentSize: 4 * 1024 * 1024 });
  const { hashed, statistics, end } = await scrubOnce(t, node);
  t.same([...hashed].sort(), blocks.map(({ id }) => id).sort());
  t.match(statistics, { records: blocks.length, damaged: 0, unreadable: 0, segment: 0, through: 0 });
  t.equal(
    statistics.bytes,
    blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
  );
  t.ok(statistics.completedMs > 0);
  t.match(end, { level: 'info', fields: { records: blocks.length, damaged: 0 } });
  t.equal(testSlab().freeSlots, testSlab().slotCount, 'the slot is given back');
});

for (const [what, shift] of [
  ['content', 100],
  ['record header', -100],
] as const) {
  t.test(
    `a flipped bit in the ${what} of a sealed segment is found, marked, counted and told; storing again heals it`,
    async (t) => {
      const blocks = [...blocksOf(8, large), ...blocksOf(20, { from: 100, size: 700 })];
      const node = await filledNode(t, blocks);
      for (const victim of [blocks[2], blocks[20]] as OutgoingBlock[]) {
        const { path, at } = find(node, victim);
        flip({ path, at: at + shift });
      }
      const { statistics, lines, end } = await scrubOnce(t, node);
      t.match(statistics, { records: blocks.length, damaged: 2, unreadable: 0 });
      t.match(end, { level: 'error', fields: { damaged: 2 }, message: /quasar verify/ });
      t.equal(lines.filter(({ level }) => level === 'error').length, 1, 'the node tells of each record');
      t.equal(node.health().damagedRecords, 2);
      t.same(await brokenOf(node, blocks), ['2: corrupt', '20: corrupt'], 'the others are untouched');

      rmSync(join(node.directory, nodePaths.scrub));
      t.match((await scrubOnce(t, node)).statistics, { records: blocks.length - 2, damaged: 0 }, 'what is marked is known');
      t.same(await node.putBlocks([blocks[2], blocks[20]] as OutgoingBlock[]), ['written', 'written']);
      t.same(await brokenOf(node, blocks), []);
      t.equal(node.health().damagedRecords, 0);
    },
  );
}

t.test('damage in a copy that was replaced marks that copy, not the healthy one', async (t) => {
  const block = blockOf(1, 5000);
  const node = await filledNode(t, [block]);
  rotBlock(node.directory, block);
  t.equal(await lookAt(node, block), 'corrupt', 'a reader has found it');
  await node.putBlocks([block]);
  const [first] = node.scrubAccess.ledger.damage();
  t.ok(first);
  const { statistics, hashed } = await scrubOnce(t, node);
  t.equal(statistics.damaged, 0);
  t.same(hashed, [block.id], 'the marked copy is not read again');
  t.equal(await stateOf(node, block), 'whole');
});

t.test('a pass goes on after a restart where it was', async (t) => {
  const blocks = blocksOf(12, large);
  const first = await filledNode(t, blocks);
  const { hashed, hasher } = countingHasher();
  const started = startScrub(t, first, { hasher });
  await until(() => hashed.length >= 5);
  await started.scrub.close();
  const done = [...hashed];
  t.ok(done.length < blocks.length, 'it was stopped in the middle');
  await first.close();

  const second = await openNode(t, first.directory);
  const rest = await scrubOnce(t, second);
  t.match(rest.lines[0], { message: 'A scrub pass goes on.' });
  t.same([...done, ...rest.hashed].sort(), blocks.map(({ id }) => id).sort(), 'each record once');
  t.match(rest.end.fields, { records: blocks.length }, 'the counts of the pass go on, too');
  t.equal(rest.statistics.records, rest.hashed.length, 'those of the process do not');
});

for (const [what, spoil] of [
  ['missing', (path: string) => rmSync(path)],
  ['corrupt', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"segment":', '"segmenu":'))],
  ['torn', (path: string) => truncateSync(path, 40)],
] as const) {
  t.test(`a ${what} progress file only begins the pass anew`, async (t) => {
    const blocks = blocksOf(8, large);
    const node = await filledNode(t, blocks);
    const { hashed, hasher } = countingHasher();
    const { scrub } = startScrub(t, node, { hasher });
    await until(() => hashed.length >= 3);
    await scrub.close();
    spoil(join(node.directory, nodePaths.scrub));
    const again = await scrubOnce(t, node);
    t.equal(again.hashed.length, blocks.length);
    t.match(again.lines[0], { level: 'info', message: 'There is no progress of a scrub to go on from.' });
  });
}

t.test('a scrub reads nothing while requests need the disk', async (t) => {
  const node = await filledNode(t, blocksOf(8, large));
  const { hashed, hasher } = countingHasher();
  let busy = true;
  let asked = 0;
  const access = {
    ...node.scrubAccess,
    isBusy: () => {
      asked += 1;
      return busy;
    },
  };
  const { lines } = startScrub(t, node, { hasher, access });
  await until(() => asked >= 3);
  t.equal(hashed.length, 0);
  busy = false;
  await until(() => ended(lines) !== undefined);
  t.equal(hashed.length, 8);
});

t.test('a node is busy while it writes and while it reads', async (t) => {
  const node = await filledNode(t, blocksOf(1));
  const { isBusy } = node.scrubAccess;
  t.equal(isBusy(), false);
  const put = node.putBlocks([blockOf(50)]);
  t.equal(isBusy(), true);
  await put;
  const read = node.readBlock(blockOf(1).id, new Uint8Array(5000));
  t.equal(isBusy(), true);
  await read;
  t.equal(isBusy(), false);
});

t.test('a node that is never idle is scrubbed all the same, slowly', async (t) => {
  const node = await filledNode(t, blocksOf(3, large));
  const access = { ...node.scrubAccess, isBusy: () => true };
  const { hashed } = await scrubOnce(t, node, { access, rules: { patienceMs: 1 } });
  t.equal(hashed.length, 3);
});

t.test('a scrub waits until slots are plentiful', async (t) => {
  const node = await filledNode(t, blocksOf(3, large));
  const slab = testSlab();
  const held: Slot[] = [];
  for (let slot = slab.tryAcquire(); slot !== undefined; slot = slab.tryAcquire()) held.push(slot);
  let asked = 0;
  const scarce = new Proxy(slab, {
    get: (target, name) => {
      if (name === 'tryAcquireAhead') asked += 1;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { hashed, hasher } = countingHasher();
  const { lines } = startScrub(t, node, { hasher, slab: scarce });
  await until(() => asked >= 3);
  t.equal(hashed.length, 0);
  for (const slot of held) slot.release();
  await until(() => ended(lines) !== undefined);
  t.equal(hashed.length, 3);
});

t.test('closing ends a pass between two reads, however slow it is', async (t) => {
  const node = await filledNode(t, blocksOf(8, large));
  const { hashed, hasher } = countingHasher();
  const { scrub, lines } = startScrub(t, node, { hasher, rules: { rateMin: 1, rateMax: 1 } });
  await until(() => hashed.length === 1);
  await scrub.close();
  await scrub.close();
  t.equal(hashed.length, 1);
  t.equal(ended(lines), undefined);
  const asleep = startScrub(t, node, { rules: { startDelayMs: 2 ** 40 } });
  await asleep.scrub.close();
  t.same(asleep.lines.length, 1, 'one that never began has nothing but its progress to tell of');
});

t.test('the next pass begins half an interval after the last one began', async (t) => {
  const node = await filledNode(t, blocksOf(2, large));
  let nowMs = 1_700_000_000_000;
  const clock = { ...systemClock, now: () => nowMs };
  const rules = { intervalMs: 1000 };
  t.equal((await scrubOnce(t, node, { clock, rules })).hashed.length, 2);
  nowMs += 499;
  let looked = 0;
  const access = {
    ...node.scrubAccess,
    isWritable: () => {
      looked += 1;
      return true;
    },
  };
  const early = startScrub(t, node, { clock, rules, access });
  await pause(20);
  await early.scrub.close();
  t.equal(looked, 0, 'it is not due');
  t.equal(early.scrub.statistics.completedMs, 1_700_000_000_000, 'the last pass is remembered');
  nowMs += 1;
  t.equal((await scrubOnce(t, node, { clock, rules })).hashed.length, 2);
  nowMs -= 100_000;
  t.equal((await scrubOnce(t, node, { clock, rules })).hashed.length, 2, 'a clock that was set back makes it due');
});

t.test('a pass that is late says so once and goes on', async (t) => {
  const node = await filledNode(t, blocksOf(8, large));
  let nowMs = 1_700_000_000_000;
  const clock = {
    ...systemClock,
    now: () => {
      nowMs += 1000;
      return nowMs;
    },
  };
  const { lines, end } = await scrubOnce(t, node, { clock, rules: { intervalMs: 1000 } });
  const ofPass = lines.slice(0, lines.indexOf(end));
  t.equal(ofPass.filter(({ message }) => /is late; raise scrub\.rateMax/.test(message)).length, 1);
  t.match(end.fields, { records: 8 });
});

t.test('a segment whose file is gone or cut is told and noted as missing, and nothing is marked', async (t) => {
  const blocks = blocksOf(9, large);
  const node = await filledNode(t, blocks, { missingCheckMs: 5 });
  const [first, second] = [1, 2].map((segment) => segmentPath(node.directory, segment)) as [string, string];
  renameSync(first, `${first}.away`);
  const whole = readFileSync(second);
  chmodSync(second, 0o600);
  truncateSync(second, 310_001);
  const { scrub, lines } = startScrub(t, node);
  await until(() => / 2 \(its file has 310001 bytes instead of \d+\)/.test(node.health().missingSegments ?? ''));
  t.match(node.health().missingSegments, / 1 \(its file is missing\)/);
  t.equal(scrub.statistics.damaged, 0);
  renameSync(`${first}.away`, first);
  writeFileSync(second, whole);
  await until(() => ended(lines) !== undefined);
  t.equal(scrub.statistics.damaged, 0, 'the pass goes on when they are back');
  t.same(await brokenOf(node, blocks), []);
});

t.test('a record the disk does not give is told and counted, but not condemned', async (t) => {
  const files = new MemoryFiles();
  const blocks = blocksOf(4, large);
  const node = await filledNode(t, blocks, { files, directIo: false });
  const bad = 4096 + 300_000 + 10_000;
  await node.scrubAccess.sealActive();
  files.hook = ({ op, path, at, size }) => {
    if (op === 'read' && path.endsWith('.seg') && at <= bad && bad < at + size) throw failure('EIO', path);
    return undefined;
  };
  const { statistics, lines } = await scrubOnce(t, node);
  t.match(statistics, { unreadable: 1, damaged: 0, records: 4 });
  t.match(
    lines.find(({ level }) => level === 'error'),
    { message: /does not give a stored record/, fields: { error: { code: 'EIO' } } },
  );
  files.hook = () => undefined;
  t.equal(node.health().damagedRecords, 0);
  t.same(await brokenOf(node, blocks), []);
});

t.test('a disk that failed is left alone', async (t) => {
  const node = await filledNode(t, blocksOf(3, large));
  let looked = 0;
  const access = {
    ...node.scrubAccess,
    isWritable: () => {
      looked += 1;
      return false;
    },
  };
  const { hashed, hasher } = countingHasher();
  const { scrub } = startScrub(t, node, { access, hasher, rules: { intervalMs: 2 } });
  await until(() => looked >= 3);
  await scrub.close();
  t.equal(hashed.length, 0);
  t.notOk((await node.scrubAccess.files.list(node.directory)).includes(nodePaths.scrub), 'not even progress is written');
});

t.test('an empty node has nothing to scrub', async (t) => {
  const node = await openNode(t, temporaryFolder(t));
  const { scrub, lines } = startScrub(t, node, { rules: { intervalMs: 1 } });
  await pause(20);
  await scrub.close();
  t.equal(lines.length, 1);
});
