import fc from 'fast-check';
import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { type Batch, BatchFormer, PendingAppend } from '../../../src/segment/batch-former.ts';

const roomy = limits.segmentSize;
const id = '00'.repeat(32) as BlockId;
/** Only sizes matter here, so all records share one memory. */
const memory = new Uint8Array(limits.blockSizeMax);

function appendOf(...sizes: number[]): PendingAppend {
  const records = sizes.map((size) => ({ kind: 'data' as const, id, bytes: memory.subarray(0, size) }));
  return new PendingAppend(
    records,
    () => undefined,
    () => undefined,
  );
}

const small = () => appendOf(100);
const large = () => appendOf(limits.blockSizeMax);

function holds(batch: Batch | undefined, append: PendingAppend): boolean {
  return batch?.shares.some((share) => share.append === append) ?? false;
}

t.test('nothing offered gives no batch', (t) => {
  t.equal(new BatchFormer(roomy).take(), undefined);
  t.end();
});

t.test('records of one append share a batch in their order', (t) => {
  const former = new BatchFormer(roomy);
  const append = appendOf(limits.blockSizeMax, 300);
  former.offer(append);
  const batch = former.take();
  t.strictSame(
    batch?.shares.map(({ first, end }) => [first, end]),
    [[0, 2]],
  );
  t.equal(former.take(), undefined);
  t.end();
});

t.test('bulk is taken up to the cap, and waits in line behind it', (t) => {
  const former = new BatchFormer(roomy);
  const appends = Array.from({ length: 40 }, large);
  for (const append of appends) former.offer(append);
  const perBatch = limits.batchSizeMax / limits.blockSizeMax;
  for (let first = 0; first < appends.length; first += perBatch) {
    const batch = former.take();
    t.strictSame(
      batch?.shares.map(({ append }) => appends.indexOf(append)),
      appends.slice(first, first + perBatch).map((append) => appends.indexOf(append)),
    );
  }
  t.equal(former.take(), undefined);
  t.end();
});

t.test('a small record joins the next batch however much bulk waits', (t) => {
  const former = new BatchFormer(roomy);
  for (let count = 0; count < 100; count++) former.offer(large());
  const append = small();
  former.offer(append);
  t.ok(holds(former.take(), append));
  t.end();
});

t.test('bulk keeps to smaller batches while small records are about, and grows again after them', (t) => {
  const former = new BatchFormer(roomy);
  former.offer(small());
  for (let count = 0; count < 100; count++) former.offer(large());
  const sizes = Array.from({ length: 8 }, () => former.take()?.largeBytes);
  t.equal(sizes[0], limits.batchSizeShared);
  t.equal(sizes[1], limits.batchSizeShared);
  t.equal(sizes[7], limits.batchSizeMax);
  t.end();
});

t.test('whatever is offered, what has joined leaves with the next batch, and every line moves in order', (t) => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: limits.smallRecordMax }),
    fc.integer({ min: limits.smallRecordMax, max: limits.blockSizeMax }),
  );
  const round = fc.array(fc.array(size, { minLength: 1, maxLength: 20 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
      const former = new BatchFormer(roomy);
      const offered: PendingAppend[] = [];
      const taken: PendingAppend[][] = [];
      const take = () => {
        const joined = offered.filter((append) => append.joined > 0 && append.joined > takenOf(taken, append));
        const batch = former.take();
        if (batch === undefined) return false;
        if (!joined.every((append) => holds(batch, append))) throw new Error('an accepted record missed its batch');
        taken.push(batch.shares.flatMap(({ append, first, end }) => Array.from({ length: end - first }, () => append)));
        return true;
      };
      for (const sizes of rounds) {
        for (const list of sizes) {
          const append = appendOf(...list);
          offered.push(append);
          former.offer(append);
        }
        take();
      }
      while (take());
      const order = (isSmall: boolean) => taken.flat().filter((append) => append.small === isSmall);
      for (const isSmall of [true, false]) {
        const expected = offered
          .filter((append) => append.small === isSmall)
          .flatMap((append) => append.records.map(() => append));
        t.ok(expected.every((append, index) => order(isSmall)[index] === append));
        t.equal(order(isSmall).length, expected.length);
      }
    }),
    { numRuns: 30 },
  );
  t.end();
});

function takenOf(taken: readonly PendingAppend[][], append: PendingAppend): number {
  return taken.flat().filter((other) => other === append).length;
}

t.test('an append larger than a batch goes in several, in order', (t) => {
  const former = new BatchFormer(roomy);
  const append = appendOf(...Array.from({ length: 20 }, () => limits.blockSizeMax));
  former.offer(append);
  t.strictSame(
    former.take()?.shares.map(({ first, end }) => [first, end]),
    [[0, 16]],
  );
  t.strictSame(
    former.take()?.shares.map(({ first, end }) => [first, end]),
    [[16, 20]],
  );
  t.end();
});

t.test('a batch never exceeds a small segment, nor the number of records', (t) => {
  const room = 16 * 1024;
  const former = new BatchFormer(room);
  for (let count = 0; count < 100; count++) former.offer(appendOf(1000));
  for (let batch = former.take(); batch !== undefined; batch = former.take()) t.ok(batch.span <= room);
  const counting = new BatchFormer(roomy);
  for (let count = 0; count < limits.batchRecordsMax + 1; count++) counting.offer(appendOf(1));
  t.equal(counting.take()?.count, limits.batchRecordsMax);
  t.equal(counting.take()?.count, 1);
  t.end();
});

t.test('what failed is dropped from the forming batch and from the line', (t) => {
  const former = new BatchFormer(roomy);
  const [joined, kept, waiting] = [
    appendOf(limits.blockSizeMax),
    small(),
    appendOf(...Array.from({ length: 17 }, () => limits.blockSizeMax)),
  ];
  for (const append of [joined, kept, waiting]) former.offer(append);
  joined.fail(new Error('gone'));
  waiting.fail(new Error('gone'));
  const batch = former.take();
  t.strictSame(
    batch?.shares.map(({ append }) => append),
    [kept],
  );
  t.equal(batch?.count, 1);
  t.equal(former.take(), undefined);
  t.end();
});

t.test('drain gives back each append once', (t) => {
  const former = new BatchFormer(roomy);
  const append = appendOf(...Array.from({ length: 20 }, () => limits.blockSizeMax));
  former.offer(append);
  former.take();
  t.strictSame([...former.drain()], [append]);
  t.ok(former.empty);
  t.end();
});
