import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLog } from '../../../src/core/log.ts';
import { BatchedReads, type BatchedReadsOptions } from '../../../src/graviton/batched-reads.ts';
import { hashStretches } from '../../../src/graviton/hash-stretches.ts';
import { diskFiles, type SegmentFile } from '../../../src/segment/segment-files.ts';
import { patterned } from '../../helpers/segment-fixture.ts';

const STRETCH = limits.stretchSize;
const content = patterned(8 * STRETCH + 100, 1);

async function openFile(t: Test): Promise<SegmentFile> {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, content);
  const file = await diskFiles.open(path, { access: 'read', direct: false });
  t.teardown(() => file.close());
  return file;
}

function openReads(t: Test, options: Partial<BatchedReadsOptions> = {}): BatchedReads {
  const reads = new BatchedReads({ clock: systemClock, log: silentLog, ...options });
  t.teardown(() => reads.close());
  return reads;
}

/** The program of a thread. */
function program(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/** Two reads of one turn, checked: they come in whatever way. */
async function readTwo(t: Test, reads: BatchedReads, file: SegmentFile): Promise<void> {
  const targets = [shared(STRETCH), shared(100)] as const;
  const found = await Promise.all([reads.fill(file, targets[0], 7), reads.fill(file, targets[1], STRETCH)]);
  t.same(found, [{ size: STRETCH }, { size: 100 }]);
  t.ok(targets[0].equals(content.subarray(7, 7 + STRETCH)));
  t.ok(targets[1].equals(content.subarray(STRETCH, STRETCH + 100)));
}

function shared(size: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(size + 64), 64, size);
}

t.test('reads of one turn come with their bytes and digests, each in its own memory', async (t) => {
  const file = await openFile(t);
  const reads = openReads(t);
  const sizes = [STRETCH, 2 * STRETCH, 10, STRETCH + 1];
  for (let round = 0; round < 3; round++) {
    const targets = sizes.map(shared);
    const found = await Promise.all(targets.map((target, index) => reads.fill(file, target, index * STRETCH)));
    for (const [index, target] of targets.entries()) {
      const expected = content.subarray(index * STRETCH, index * STRETCH + target.byteLength);
      t.ok(target.equals(expected));
      t.same(found[index], { size: target.byteLength, digests: hashStretches(expected) });
    }
  }
});

t.test('what a batch does not serve is read in the ordinary way', async (t) => {
  const file = await openFile(t);
  const reads = openReads(t);
  const alone = shared(10);
  t.same(await reads.fill(file, alone, 5), { size: 10 });
  t.ok(alone.equals(content.subarray(5, 15)));
  const plain = Buffer.alloc(10);
  const past = shared(200);
  const found = await Promise.all([
    reads.fill(file, plain, 7),
    reads.fill(file, shared(10), 0),
    reads.fill(file, past, 8 * STRETCH),
    reads.fill(file, shared(10), content.byteLength),
  ]);
  t.same(
    found.map(({ size }) => size),
    [10, 10, 100, 0],
  );
  t.ok(plain.equals(content.subarray(7, 17)));
  t.ok(past.subarray(0, 100).equals(content.subarray(8 * STRETCH)));
});

t.test('a read that fails tells its own reason', async (t) => {
  const file = await openFile(t);
  const reads = openReads(t);
  const gone = Object.assign(Object.create(file) as SegmentFile, { descriptor: 1_000_000 });
  gone.read = () => Promise.reject(new Error('no such disk'));
  const [failed, good] = await Promise.allSettled([reads.fill(gone, shared(10), 0), reads.fill(file, shared(10), 0)]);
  t.match(failed, { status: 'rejected', reason: { message: 'no such disk' } });
  t.match(good, { status: 'fulfilled', value: { size: 10 } });
});

t.test('what is under way when it closes is still read, and everything after', async (t) => {
  const file = await openFile(t);
  const reads = openReads(t);
  const targets = Array.from({ length: 8 }, () => shared(STRETCH));
  const pending = targets.map((target, index) => reads.fill(file, target, index * STRETCH));
  await new Promise((resolve) => setImmediate(resolve));
  await reads.close();
  for (const [index, { size }] of (await Promise.all(pending)).entries()) {
    t.equal(size, STRETCH);
    t.ok(targets[index]?.equals(content.subarray(index * STRETCH, (index + 1) * STRETCH)));
  }
  t.same(await reads.fill(file, shared(10), 0), { size: 10 });
});

const endings = {
  'cannot be made': new URL('http://localhost/no-program-of-a-thread'),
  'cannot be loaded': new URL('./no-such-program.js', import.meta.url),
  'fails when it is asked': program(
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('out of order'); });`,
  ),
  'ends without a word': program('process.exit(0);'),
};

for (const [ending, run] of Object.entries(endings)) {
  t.test(`a thread that ${ending} is done without, and told of once`, async (t) => {
    const file = await openFile(t);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: unknown, message: string) => void warnings.push(message) };
    const reads = openReads(t, { log, program: run });
    for (let round = 0; round < 3; round++) await readTwo(t, reads, file);
    await reads.close();
    await readTwo(t, reads, file);
    t.equal(warnings.length, 1);
    t.match(warnings[0], /has ended/);
  });
}

t.test('while the thread is silent, reads go to several threads; what it owes is read when it closes', async (t) => {
  const file = await openFile(t);
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  const silent = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => undefined);`;
  const reads = openReads(t, { clock, program: program(silent) });
  const owed = readTwo(t, reads, file);
  await new Promise((resolve) => setImmediate(resolve));
  now += 60_000;
  await readTwo(t, reads, file);
  await reads.close();
  await owed;
});
