import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { blockIdOf } from '../../../src/core/blake3.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLog } from '../../../src/core/log.ts';
import { BatchedReads, type BatchedReadsOptions, type RecordDigests } from '../../../src/graviton/batched-reads.ts';
import { hashStretches } from '../../../src/graviton/hash-stretches.ts';
import { RECORD_HEADER } from '../../../src/segment/format.ts';
import { encodeRecordHeader } from '../../../src/segment/record-header.ts';
import { diskFiles, type SegmentFile } from '../../../src/segment/segment-files.ts';
import type { ReadPlace } from '../../../src/segment/segment-reader.ts';
import { patterned } from '../../helpers/segment-fixture.ts';

const STRETCH = limits.stretchSize;
const content = patterned(8 * STRETCH + 100, 1);

async function openFile(t: Test, bytes = content): Promise<SegmentFile> {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, bytes);
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

const mark = { segment: 3, saltBits: 0xfedc_ba98 };
const recordsAt = 4096;

/** One record of each size after the other, and their places. */
function recordsOf(sizes: readonly number[]): { bytes: Buffer; places: ReadPlace[]; payloads: Buffer[] } {
  const places: ReadPlace[] = [];
  const payloads: Buffer[] = [];
  const parts: Buffer[] = [Buffer.alloc(recordsAt)];
  let offset = recordsAt;
  for (const [seed, size] of sizes.entries()) {
    const payload = patterned(size, seed);
    const bytes = Buffer.alloc(RECORD_HEADER.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = { kind: 'data', id: blockIdOf(payload), storedSize: size, sequence: seed, batch: 1 } as const;
    encodeRecordHeader(header, mark, { offset, bytes, view, base: 0 });
    places.push({ mark, offset, size });
    payloads.push(payload);
    parts.push(bytes, payload);
    offset += bytes.byteLength + size;
  }
  return { bytes: Buffer.concat(parts), places, payloads };
}

async function readRecords(
  reads: BatchedReads,
  file: SegmentFile,
  places: readonly ReadPlace[],
  stretches = false,
): Promise<{ found: (RecordDigests | undefined)[]; targets: Buffer[] }> {
  const targets = places.map(({ size }) => shared(size + 10));
  const pending = places.map((place, index) => reads.readRecord(file, place, targets[index] as Buffer, stretches));
  return { found: await Promise.all(pending), targets };
}

t.test('records of one turn come whole, with their digests, those of stretches when they are wished for', async (t) => {
  const { bytes, places, payloads } = recordsOf([limits.blockSizeMax, 100_000, 1, STRETCH, 3 * STRETCH + 5]);
  const file = await openFile(t, bytes);
  const reads = openReads(t);
  for (const stretches of [false, true]) {
    const { found, targets } = await readRecords(reads, file, places, stretches);
    for (const [index, payload] of payloads.entries()) {
      t.ok(targets[index]?.subarray(0, payload.byteLength).equals(payload));
      const id = blockIdOf(payload);
      t.same(found[index], stretches ? { id, stretches: hashStretches(payload) } : { id });
    }
  }
});

t.test('a large record that is alone in its turn saves a hop, a small one does not', async (t) => {
  const { bytes, places } = recordsOf([limits.inlineHashMax, limits.inlineHashMax - 1]);
  const file = await openFile(t, bytes);
  const reads = openReads(t);
  t.ok((await readRecords(reads, file, places.slice(0, 1))).found[0]);
  t.same((await readRecords(reads, file, places.slice(1))).found, [undefined]);
});

t.test('a record that is not what was asked for is left to the ordinary read', async (t) => {
  const { bytes, places } = recordsOf([5000, 5000, 5000, 5000]);
  const [first, second, third, last] = places as [ReadPlace, ReadPlace, ReadPlace, ReadPlace];
  bytes[second.offset + RECORD_HEADER.size + 17] = (bytes[second.offset + RECORD_HEADER.size + 17] as number) ^ 1;
  bytes[third.offset + 40] = (bytes[third.offset + 40] as number) ^ 1;
  const file = await openFile(t, bytes.subarray(0, bytes.byteLength - 1));
  const reads = openReads(t);
  const asked = [
    first,
    second,
    third,
    last,
    { ...first, mark: { ...mark, segment: 4 } },
    { ...first, mark: { ...mark, saltBits: 1 } },
    { ...first, offset: first.offset + 8 },
    { ...first, size: first.size - 1 },
    first,
  ];
  const { found } = await readRecords(reads, file, asked);
  t.same(
    found.map((record) => record !== undefined),
    [true, false, false, false, false, false, false, false, true],
  );
});

t.test('records and parts share a turn', async (t) => {
  const { bytes, places, payloads } = recordsOf([3 * STRETCH, 700]);
  const file = await openFile(t, bytes);
  const reads = openReads(t);
  const part = shared(STRETCH);
  const [{ found }, piece] = await Promise.all([
    readRecords(reads, file, places),
    reads.fill(file, part, recordsAt + RECORD_HEADER.size),
  ]);
  const expected = payloads[0]?.subarray(0, STRETCH) as Buffer;
  t.same(piece, { size: STRETCH, digests: hashStretches(expected) });
  t.ok(part.equals(expected));
  t.same(
    found.map((record) => record?.id),
    payloads.map((payload) => blockIdOf(payload)),
  );
});

t.test(
  'records of memory that is not shared, of files without a descriptor and after the end are not for the thread',
  async (t) => {
    const { bytes, places } = recordsOf([limits.blockSizeMax]);
    const file = await openFile(t, bytes);
    const place = places[0] as ReadPlace;
    const reads = openReads(t);
    const plain = Object.assign(Object.create(file) as SegmentFile, { descriptor: undefined });
    t.equal(reads.readRecord(file, place, Buffer.alloc(place.size), false), undefined);
    t.equal(reads.readRecord(plain, place, shared(place.size), false), undefined);
    const underWay = reads.readRecord(file, place, shared(place.size), false);
    await reads.close();
    await underWay;
    t.equal(reads.readRecord(file, place, shared(place.size), false), undefined);
  },
);

t.test('a thread that says the disk reads is spared, until the next look', async (t) => {
  const { bytes, places } = recordsOf([limits.inlineHashMax]);
  const file = await openFile(t, bytes);
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  const answer = `{ digests: [['id']], ms: 0, diskBytes: ${limits.inlineHashMax} }`;
  const fromDisk = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => parentPort.postMessage(${answer}));`;
  const reads = openReads(t, { clock, program: program(fromDisk) });
  const readOne = async (): Promise<boolean> => (await readRecords(reads, file, places)).found[0] !== undefined;
  let tries = 0;
  while (await readOne()) tries += 1;
  t.ok(tries < 10);
  now += 60_000;
  t.same([await readOne(), await readOne()], [true, false], 'one answer from the disk is enough then');
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
    t.same((await readRecords(reads, file, [{ mark, offset: 0, size: limits.inlineHashMax }])).found, [undefined]);
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
