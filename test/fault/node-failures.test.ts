import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import { silentLog } from '../../src/core/log.ts';
import { acceptDisk } from '../../src/graviton/accept-disk.ts';
import type { LocalNode, LocalNodeOptions } from '../../src/graviton/local-node.ts';
import { markPaths } from '../../src/graviton/read-only-mark.ts';
import { type FileStep, failure, MemoryFiles } from '../helpers/memory-files.ts';
import { blockOf, blocksOf, brokenOf, lookAt, openNode, rotInMemory } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const segmentSize = 256 * 1024;
/** Does not fit behind `before`, so it needs a new segment. */
const large = blocksOf(2, { from: 20, size: 100_000 });
const before = blocksOf(3, { size: 70_000 });

async function bench(t: Test) {
  const directory = temporaryFolder(t);
  const files = new MemoryFiles();
  const said: string[] = [];
  const say = (_: unknown, line: string): void => {
    said.push(line);
  };
  const log: Log = { ...silentLog, warn: say, error: say };
  const open = (changes: Partial<LocalNodeOptions> = {}) =>
    openNode(t, directory, { files, segmentSize, directIo: false, log, ...changes });
  const fail = (code: string, matches: (step: FileStep) => boolean): void => {
    files.hook = (step) => {
      if (matches(step)) throw failure(code, step.path);
      return undefined;
    };
  };
  const heal = (): void => {
    files.hook = () => undefined;
  };
  const accept = () => acceptDisk({ directory, clock: systemClock, reason: 'cable replaced', files });
  const node = await open();
  await node.putBlocks(before);
  return { directory, files, said, open, fail, heal, accept, node };
}

const isSegment = ({ path }: FileStep): boolean => path.endsWith('.seg');
const isManifest = ({ path }: FileStep): boolean => path.endsWith('MANIFEST');

const steps: Readonly<Record<string, (step: FileStep) => boolean>> = {
  'the opening of a new segment': (step) => step.path.endsWith('2.seg') && step.op === 'open',
  'the write of a batch': (step) => isSegment(step) && step.op === 'write',
  'the write of an entry of MANIFEST': (step) => isManifest(step) && step.op === 'write',
};
/** Which codes pass at all is the subject of disk-fault.test.ts. */
const cases = [
  ...Object.keys(steps).flatMap((what) => ['EMFILE', 'EINTR'].map((code) => ({ what, code }))),
  ...['EIO', 'EROFS', 'ENOENT'].map((code) => ({ what: 'the opening of a new segment', code })),
];

for (const { what, code } of cases) {
  t.test(`${code} at ${what} fails that put only, marks nothing, and the next one succeeds`, async (t) => {
    const { open, fail, heal, node } = await bench(t);
    fail(code, steps[what] as (step: FileStep) => boolean);
    for (let again = 0; again < 3; again++) await t.rejects(node.putBlocks(large), { code: 'storage_busy' });
    t.match(node.health(), { writable: true, trouble: new RegExp(`refused \\(${code}\\)`) });
    t.same(await brokenOf(node, before), [], 'reads go on');
    heal();
    t.same(await node.putBlocks(large), ['written', 'written']);
    t.equal(node.health().trouble, undefined);
    await node.close();
    const after = await open();
    t.equal(after.health().writable, true);
    t.same(await brokenOf(after, [...before, ...large]), []);
    t.same(await after.putBlocks([...before, ...large]), new Array(5).fill('present'), 'no segment is suspect');
  });
}

t.test('a segment whose seal meets a lack of something is sealed by the next start', async (t) => {
  const { open, fail, heal, node, said } = await bench(t);
  fail('ENOMEM', (step) => isSegment(step) && step.op === 'chmod');
  t.same(await node.putBlocks(large), ['written', 'written']);
  await node.close();
  heal();
  const after = await open();
  t.same(await after.putBlocks([...before, ...large]), new Array(5).fill('present'));
  t.ok(said.includes('The disk did not take a write this time. Nothing is marked; the next one may succeed.'));
});

/** Every sync of a node that writes on: of its segments, their names, MANIFEST. */
const syncs: Readonly<Record<string, (step: FileStep) => boolean>> = {
  'the sync of a batch': (step) => isSegment(step) && step.op === 'dataSync',
  "the sync of a new segment's first page": (step) => isSegment(step) && step.op === 'sync',
  "the sync of a new segment's name": (step) => step.path.endsWith('/seg') && step.op === 'syncDirectory',
  'the sync of MANIFEST': (step) => isManifest(step) && step.op === 'dataSync',
};

for (const [what, matches] of Object.entries(syncs)) {
  for (const code of ['EIO', 'ENOSPC']) {
    t.test(`${code} at ${what} ends writing for good: nothing more is acknowledged, now or after a restart`, async (t) => {
      const { open, fail, heal, accept, node, said } = await bench(t);
      fail(code, matches);
      await t.rejects(node.putBlocks(large), { code: 'node_read_only' });
      heal();
      for (let again = 0; again < 30; again++)
        await t.rejects(node.putBlocks([blockOf(100 + again)]), { code: 'node_read_only' });
      t.match(node.health(), { writable: false, readOnlyReason: new RegExp(`failed \\(${code}\\).*accept-disk`) });
      t.same(await brokenOf(node, before), [], 'reads go on');
      await node.close();

      said.length = 0;
      const again = await open();
      t.match(again.health(), { writable: false, readOnlyReason: new RegExp(`failed \\(${code}\\)`) });
      await t.rejects(again.putBlocks([blockOf(100)]), { code: 'node_read_only' });
      t.ok(
        said.some((line) => /read-only since an earlier start.*accept-disk/.test(line)),
        'each start says so',
      );
      t.same(await brokenOf(again, before), []);
      await again.close();
      t.match(await accept(), new RegExp(`failed \\(${code}\\)`));
      t.equal(await accept(), undefined);
      const accepted = await open();
      t.same(await brokenOf(accepted, before), []);
      const outcomes = await accepted.putBlocks([...before, ...large]);
      if (what === 'the sync of MANIFEST') t.same(outcomes.slice(0, 3), new Array(3).fill('present'), 'no segment is in doubt');
      t.same(await brokenOf(accepted, [...before, ...large]), []);
      t.equal(accepted.health().writable, true);
    });
  }
}

t.test(
  'a disk that fails in every file is kept as failed beside the folder of the node, and its segment stays suspect',
  async (t) => {
    const { directory, files, open, fail, heal, accept, node } = await bench(t);
    const [inside, beside] = markPaths(directory);
    fail('EIO', ({ op, path }) => op !== 'read' && path !== beside && path.startsWith(`${directory}/`));
    await t.rejects(node.putBlocks([blockOf(50)]), { code: 'node_read_only' });
    await node.close();
    heal();
    t.match(files.content(beside).toString(), /"segment":1,"reason":"The .* failed \(EIO\)/);
    t.throws(() => files.content(inside), { code: 'ENOENT' });
    const again = await open();
    t.match(again.health(), { writable: false, readOnlyReason: /failed \(EIO\)/ });
    await again.close();
    await accept();
    t.throws(() => files.content(beside), { code: 'ENOENT' });
    const accepted = await open();
    t.same(await accepted.putBlocks(before), ['written', 'written', 'written'], 'what lies in a suspect segment does not count');
  },
);

t.test(
  'a disk that fails while it is full is kept as failed by a mark without content, and what was open stays suspect',
  async (t) => {
    const { directory, files, open, heal, accept, node } = await bench(t);
    files.hook = ({ op, path }) => {
      if (path.endsWith('.seg') && op === 'dataSync') throw failure('EIO', path);
      if (!path.endsWith('.seg') && op === 'write') throw failure('ENOSPC', path);
      return undefined;
    };
    await t.rejects(node.putBlocks([blockOf(50)]), { code: 'node_read_only' });
    await node.close();
    heal();
    t.equal(files.content(markPaths(directory)[0]).byteLength, 0);
    const again = await open();
    t.match(again.health(), { writable: false });
    await again.close();
    await accept();
    const accepted = await open();
    t.same(await accepted.putBlocks(before), ['written', 'written', 'written']);
  },
);

t.test('a mark that nobody can read counts like one that can', async (t) => {
  const { directory, files, open, node } = await bench(t);
  await node.close();
  files.put(markPaths(directory)[0], Buffer.from([0xff, 0, 1]));
  const again = await open();
  t.match(again.health(), { writable: false, readOnlyReason: /The disk failed.*accept-disk/ });
});

t.test('a lack of descriptors at the start is no mark: the start fails, and the next one is whole', async (t) => {
  const { directory, open, fail, heal, node } = await bench(t);
  await node.close();
  for (const path of [
    ...markPaths(directory),
    `${directory}/NODE`,
    `${directory}/MANIFEST`,
    `${directory}/seg/0000000000000001.seg`,
  ]) {
    fail('EMFILE', (step) => step.op === 'open' && step.path === path);
    await t.rejects(open(), { code: 'storage_busy' }, path);
    heal();
    const again = await open();
    t.match(again.health(), { writable: true });
    t.same(await again.putBlocks(before), ['present', 'present', 'present'], path);
    await again.close();
  }
});

t.test('MANIFEST is left as it is while it is not accepted, and written anew when it is', async (t) => {
  const { directory, files, open, fail, heal, accept, node } = await bench(t);
  fail('EIO', syncs['the sync of MANIFEST'] as (step: FileStep) => boolean);
  await t.rejects(node.putBlocks(large), { code: 'node_read_only' });
  await node.close();
  heal();
  const path = `${directory}/MANIFEST`;
  files.put(path, Buffer.concat([files.content(path), Buffer.from('half an entry')]));
  const torn = Buffer.from(files.content(path));
  const again = await open();
  await rotInMemory(files, directory, before[0] as (typeof before)[0]);
  t.equal(await lookAt(again, before[0] as (typeof before)[0]), 'corrupt');
  t.equal(again.health().damagedRecords, 1, 'what is wrong with stored bytes counts all the same');
  await again.close();
  t.ok(files.content(path).equals(torn));
  await accept();
  t.notOk(files.content(path).includes('half an entry'));
  const accepted = await open();
  t.same(await brokenOf(accepted, before.slice(1)), []);
});

t.test('what an earlier process wrote to MANIFEST without a sync is synced before anybody relies on it', async (t) => {
  const { open, fail, node } = await bench(t);
  await node.close();
  fail('EIO', syncs['the sync of MANIFEST'] as (step: FileStep) => boolean);
  const again = await open();
  t.match(again.health(), { writable: false, readOnlyReason: /write of MANIFEST failed \(EIO\)/ });
  t.same(await brokenOf(again, before), []);
});

t.test('a spare segment whose sync fails ends writing, too', async (t) => {
  const { open, fail, node, said } = await bench(t);
  await node.close();
  const again = await open({ spareSegments: 1 });
  fail('EIO', ({ op, path }) => path.endsWith('.spare') && op === 'sync');
  await again.putBlocks(blocksOf(3, { from: 30, size: 70_000 }));
  await again.putBlocks(blocksOf(3, { from: 40, size: 70_000 }));
  while (again.health().writable) await new Promise((resolve) => setTimeout(resolve, 10));
  t.ok(said.some((line) => /preparation of a spare segment failed \(EIO\)/.test(line)));
});

/** Runs out of descriptors when a segment must be made, and gets them back. */
const exhausted = `
const { openSync, closeSync } = await import('node:fs');
const [directory] = process.argv.slice(1);
const { openForever, blockOf, blocksOf } = await import('${new URL('../helpers/node-fixture.js', import.meta.url).href}');
const first = await openForever(directory, ${segmentSize});
await first.putBlocks(blocksOf(3, { size: 70_000 }));
await first.close();
const node = await openForever(directory, ${segmentSize});
const taken = [];
try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch (error) { if (error.code !== 'EMFILE') throw error; }
const large = blocksOf(2, { from: 20, size: 100_000 });
const refused = [];
for (let again = 0; again < 3; again++) refused.push(await node.putBlocks(large).then(() => 'written', (error) => error.code));
for (const fd of taken) closeSync(fd);
const outcomes = await node.putBlocks(large);
const { writable } = node.health();
await node.close();
process.stdout.write(JSON.stringify({ refused, outcomes, writable }));
`;

t.test('a process without a descriptor left refuses writes, and takes them again when it has some', async (t) => {
  const directory = temporaryFolder(t);
  const line = 'ulimit -n 128; exec "$0" --input-type=module -e "$1" "$2"';
  const child = spawn('sh', ['-c', line, process.execPath, exhausted, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.same(JSON.parse(await text(child.stdout)), {
    refused: ['storage_busy', 'storage_busy', 'storage_busy'],
    outcomes: ['written', 'written'],
    writable: true,
  });
  const node: LocalNode = await openNode(t, directory, { segmentSize });
  t.match(node.health(), { writable: true });
  t.same(await brokenOf(node, [...before, ...large]), []);
  t.same(await node.putBlocks([...before, ...large]), new Array(5).fill('present'));
});
