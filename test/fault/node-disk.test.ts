import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { acceptDisk } from '../../src/graviton/accept-disk.ts';
import type { LocalNode, LocalNodeOptions } from '../../src/graviton/local-node.ts';
import { type FileStep, failure, MemoryFiles } from '../helpers/memory-files.ts';
import { blockOf, blocksOf, brokenOf, openNode, stateOf } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const segmentSize = 256 * 1024;

interface Bench {
  readonly directory: string;
  readonly files: MemoryFiles;
  readonly open: (changes?: Partial<LocalNodeOptions>) => Promise<LocalNode>;
}

function bench(t: Test): Bench {
  const directory = temporaryFolder(t);
  const files = new MemoryFiles();
  const open = (changes = {}) => openNode(t, directory, { files, segmentSize, directIo: false, ...changes });
  return { directory, files, open };
}

/** Fails every step that `matches`, until the hook is set to something else. */
function failOn(files: MemoryFiles, code: string, matches: (step: FileStep) => boolean): void {
  files.hook = (step) => {
    if (matches(step)) throw failure(code, step.path);
    return undefined;
  };
}

function heal(files: MemoryFiles): void {
  files.hook = () => undefined;
}

const isSegment = ({ path }: FileStep): boolean => path.endsWith('.seg');

for (const op of ['dataSync', 'write'] as const) {
  t.test(`a failing ${op} makes the node read-only, for good, and says why`, async (t) => {
    const { directory, files, open } = bench(t);
    const node = await open();
    await node.putBlocks(blocksOf(3));
    failOn(files, 'EIO', (step) => isSegment(step) && step.op === op);
    await t.rejects(node.putBlocks([blockOf(50)]), { code: 'node_read_only' });
    heal(files);
    await t.rejects(node.putBlocks([blockOf(51)]), { code: 'node_read_only' });
    t.match(node.health(), { writable: false, readOnlyReason: /failed \(EIO\).*accept-disk/ });
    t.same(await brokenOf(node, blocksOf(3)), [], 'reads go on');
    await node.close();

    const again = await open();
    t.match(again.health(), { writable: false, readOnlyReason: /failed \(EIO\)/ }, 'a new start does not change that');
    t.match(again.recovery.lines, [/read-only since an earlier start\. .*accept-disk/], 'and says so');
    await t.rejects(again.putBlocks([blockOf(51)]), { code: 'node_read_only' });
    t.same(await brokenOf(again, blocksOf(3)), []);
    await again.close();

    t.match(await acceptDisk({ directory, clock: systemClock, reason: 'cable replaced', files }), /failed \(EIO\)/);
    t.equal(await acceptDisk({ directory, clock: systemClock, reason: 'twice', files }), undefined);
    const accepted = await open();
    t.equal(accepted.health().writable, true);
    t.same(await brokenOf(accepted, blocksOf(3)), []);
    t.same(
      await accepted.putBlocks(blocksOf(3)),
      ['written', 'written', 'written'],
      'what lies in a suspect segment does not count',
    );
    t.same(await accepted.putBlocks(blocksOf(3)), ['present', 'present', 'present']);
  });
}

t.test('blocks that share a batch with a failing fdatasync all fail, and none is called present later', async (t) => {
  const { files, open } = bench(t);
  const node = await open();
  failOn(files, 'EIO', (step) => isSegment(step) && step.op === 'dataSync');
  const results = await Promise.allSettled(blocksOf(5).map((block) => node.putBlocks([block])));
  t.ok(results.every(({ status }) => status === 'rejected'));
  for (const block of blocksOf(5)) t.equal(node.statBlock(block.id), undefined);
});

t.test('an fdatasync that fails during recovery leaves the node readable and read-only', async (t) => {
  const { files, directory, open } = bench(t);
  const node = await open();
  await node.putBlocks(blocksOf(3));
  const killed = files.crash(() => true);
  await node.close();
  failOn(killed, 'EIO', (step) => isSegment(step) && step.op === 'dataSync');
  const again = await openNode(t, directory, { files: killed, segmentSize, directIo: false });
  t.equal(again.health().writable, false);
  t.same(await brokenOf(again, blocksOf(3)), []);
});

for (const { what, matches } of [
  { what: 'a batch', matches: (step: FileStep) => isSegment(step) && step.op === 'write' },
  { what: 'a new segment', matches: (step: FileStep) => isSegment(step) && step.op === 'open' },
  { what: 'an entry of MANIFEST', matches: (step: FileStep) => step.path.endsWith('MANIFEST') && step.op === 'write' },
]) {
  t.test(`a disk without room for ${what} fails that put only, and the node goes on when there is room again`, async (t) => {
    const { files, open } = bench(t);
    const node = await open();
    const before = blocksOf(3, { size: 70_000 });
    await node.putBlocks(before);
    failOn(files, 'ENOSPC', matches);
    const large = blocksOf(2, { from: 20, size: 100_000 });
    await t.rejects(node.putBlocks(large), { code: 'storage_full' });
    await t.rejects(node.putBlocks(large), { code: 'storage_full' });
    t.equal(node.health().writable, true);
    heal(files);
    t.equal(await stateOf(node, blockOf(20, 100_000)), 'missing', 'nothing half-done is visible');
    t.same(await node.putBlocks(large), ['written', 'written']);
    t.same(await brokenOf(node, [...before, ...large]), []);
    await node.close();
    const again = await open();
    t.same(await brokenOf(again, [...before, ...large]), []);
    t.same(await again.putBlocks(large), ['present', 'present']);
  });
}

t.test('a segment that could not be sealed for want of space is sealed by the next start', async (t) => {
  const { files, open } = bench(t);
  const node = await open();
  await node.putBlocks(blocksOf(3));
  failOn(files, 'ENOSPC', (step) => isSegment(step) && step.op === 'write');
  await node.close();
  const full = await open();
  t.same(await brokenOf(full, blocksOf(3)), [], 'a start on a full disk reads');
  t.equal(full.health().writable, true);
  await full.close();
  heal(files);
  const again = await open();
  t.match(again.recovery.lines, [/Segment 1 was left open and is sealed now with 3 records/]);
  t.same(await brokenOf(again, blocksOf(3)), []);
});

t.test('a read that the disk fails is no damage: the next one may succeed', async (t) => {
  const { files, open } = bench(t);
  const node = await open();
  await node.putBlocks([blockOf(1)]);
  failOn(files, 'EIO', (step) => isSegment(step) && step.op === 'read');
  t.equal(await stateOf(node, blockOf(1)), 'block_unavailable');
  heal(files);
  t.equal(await stateOf(node, blockOf(1)), 'whole');
  t.equal(node.health().damagedRecords, 0);
});

t.test('a file system that does not say how large it is takes writes until it says that it is full', async (t) => {
  const { files, open } = bench(t);
  const node = await open({ freeSpaceFloor: { ratio: 0.05, bytes: 1000 }, measureSpace: () => undefined });
  t.match(node.health(), { full: false, freeBytes: undefined, floorBytes: 1000 });
  t.same(await node.putBlocks([blockOf(1)]), ['written']);
  failOn(files, 'ENOSPC', (step) => isSegment(step) && step.op === 'write');
  await t.rejects(node.putBlocks([blockOf(2)]), { code: 'storage_full' });
  heal(files);
  t.same(await node.putBlocks([blockOf(2)]), ['written']);
});

t.test('below the floor of free space the node says that it is full, and stores all the same', async (t) => {
  const room = { freeBytes: 1000, totalBytes: 100_000 };
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  const { open } = bench(t);
  const node = await open({ clock, freeSpaceFloor: { ratio: 0.05, bytes: 10 }, measureSpace: () => room });
  t.match(node.health(), { full: true, freeBytes: 1000, floorBytes: 5000 });
  t.same(await node.putBlocks([blockOf(1)]), ['written']);
  room.freeBytes = 6000;
  t.match(node.health(), { full: false, freeBytes: 6000 }, 'below the floor the file system is asked each time');
  room.freeBytes = 1000;
  t.equal(node.health().full, false, 'above it now and then');
  now += 1000;
  t.equal(node.health().full, true);
});
