import { createHash } from 'node:crypto';
import workerThreads, { type Worker } from 'node:worker_threads';
import t from 'tap';
import { cutterOf } from '../../../src/chunker/cutters.ts';
import type { ChunkerName, CutBlock, HashStream } from '../../../src/chunker/hasher.ts';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { blake3 } from '../../../src/core/blake3.ts';
import { limits } from '../../../src/core/limits.ts';
import { cutAll, noise } from './cut-all.ts';

const MiB = 1024 * 1024;
const CHUNKERS: readonly ChunkerName[] = ['fixed-1m', 'fastcdc-v1'];
const NOTHING = {
  blake3: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
};

const slab = (() => {
  const buffer = new SharedArrayBuffer(16 * MiB);
  return { buffer, bytes: new Uint8Array(buffer) };
})();
slab.bytes.set(noise(slab.bytes.length, 4711));

const hexOf = (at: number, size: number) => blake3(slab.bytes.subarray(at, at + size)).toString('hex');
const sha256Of = (at: number, size: number) =>
  createHash('sha256')
    .update(slab.bytes.subarray(at, at + size))
    .digest('hex');
const digestsOf = (at: number, size: number) => ({ blake3: hexOf(at, size), sha256: sha256Of(at, size) });

/** Threads started by the pools, so that a test can end one as a crash would. */
const threads: Worker[] = [];
const OriginalWorker = workerThreads.Worker;
workerThreads.Worker = class extends OriginalWorker {
  constructor(...options: ConstructorParameters<typeof Worker>) {
    super(...options);
    threads.push(this);
  }
};

const hasher = await PiscinaHasher.open({ slab, lanes: 2 });
t.teardown(() => hasher.close());

/** Gives `size` bytes in portions, the uncut rest again each time, as an upload does. */
async function cutInPortions(stream: HashStream, range: { at: number; size: number }, portion: number): Promise<CutBlock[]> {
  const blocks: CutBlock[] = [];
  let start = range.at;
  for (let end = range.at; end < range.at + range.size; ) {
    end = Math.min(end + portion, range.at + range.size);
    const final = end === range.at + range.size;
    const cut = await stream.cut({ ranges: [{ at: start, size: end - start }], final, whole: true });
    blocks.push(...cut);
    start = cut.reduce((sum, block) => sum + block.size, start);
  }
  return blocks;
}

for (const chunker of CHUNKERS) {
  t.test(`${chunker}: blocks, ids and both digests are the same however the bytes arrive`, async (t) => {
    const [at, size] = [4096, 7 * MiB + 123];
    const sizes = cutAll(cutterOf(chunker), slab.bytes.subarray(at, at + size));
    for (const portion of [size, MiB, 300_001]) {
      const stream = hasher.openStream(chunker);
      const blocks = await cutInPortions(stream, { at, size }, portion);
      t.same(
        blocks.map((block) => block.size),
        sizes,
      );
      t.same(
        blocks.map((block) => block.id),
        blocks.map((block) => hexOf(block.at, block.size)),
      );
      t.equal(blocks[0]?.at, at);
      t.same(await stream.finish(), digestsOf(at, size));
      stream.close();
    }
  });

  t.test(`${chunker}: without "final" the rest stays uncut and unhashed`, async (t) => {
    const stream = hasher.openStream(chunker);
    t.same(await stream.cut({ ranges: [{ at: 0, size: 60_000 }], final: false, whole: true }), []);
    t.same(await stream.finish(), NOTHING);
    stream.close();
  });

  t.test(`${chunker}: a stream that saw no bytes has the digests of nothing`, async (t) => {
    const stream = hasher.openStream(chunker);
    t.same(await stream.cut({ ranges: [{ at: 0, size: 0 }], final: true, whole: true }), []);
    t.same(await stream.finish(), NOTHING);
    stream.close();
    const untouched = hasher.openStream(chunker);
    t.same(await untouched.finish(), NOTHING);
    untouched.close();
  });
}

t.test('jobs given at once are done in the order of the calls, on many streams at the same time', async (t) => {
  const streams = Array.from({ length: 12 }, () => hasher.openStream('fixed-1m'));
  const settled: number[][] = streams.map(() => []);
  await Promise.all(
    streams.map(async (stream, number) => {
      const jobs = Array.from({ length: 10 }, (_, index) =>
        stream
          .cut({ ranges: [{ at: index * MiB, size: index === 9 ? number : MiB }], final: index === 9, whole: true })
          .then(() => settled[number]?.push(index)),
      );
      const finished = stream.finish();
      await Promise.all(jobs);
      t.same(await finished, digestsOf(0, 9 * MiB + number));
      stream.close();
    }),
  );
  t.same(
    settled,
    streams.map(() => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  );
});

t.test('slots that lie apart are cut in one call as one after the other', async (t) => {
  const stream = hasher.openStream('fixed-1m');
  const ranges = [
    { at: 5 * MiB, size: MiB },
    { at: MiB, size: MiB },
    { at: 9 * MiB, size: 77 },
  ];
  const whole = Buffer.concat(ranges.map(({ at, size }) => slab.bytes.subarray(at, at + size)));
  const blocksOf = (parts: typeof ranges) => parts.map(({ at, size }) => ({ id: hexOf(at, size), at, size }));
  t.same(await stream.cut({ ranges, final: false, whole: false }), blocksOf(ranges.slice(0, 2)), 'the last may stay uncut');
  t.same(await stream.cut({ ranges, final: true, whole: true }), blocksOf(ranges));
  t.equal((await stream.finish()).sha256, createHash('sha256').update(whole).digest('hex'));
  stream.close();
});

t.test('stored blocks absorbed and new ones cut give the digests of both', async (t) => {
  const stream = hasher.openStream('fixed-1m');
  await stream.absorb(0, MiB);
  await stream.absorb(MiB, MiB);
  await stream.cut({ ranges: [{ at: 2 * MiB, size: MiB + 9 }], final: true, whole: true });
  t.same(await stream.finish(), digestsOf(0, 3 * MiB + 9));
  stream.close();
});

t.test('cuts without "whole" leave the digests alone', async (t) => {
  const stream = hasher.openStream('fixed-1m');
  const blocks = await stream.cut({ ranges: [{ at: 0, size: MiB }], final: true, whole: false });
  t.equal(blocks[0]?.id, hexOf(0, MiB));
  t.same(await stream.finish(), NOTHING);
  stream.close();
});

t.test('a single block has the digests that cutting and finishing give, on the event loop and on a lane', async (t) => {
  for (const size of [0, 1, limits.inlineSingleMax - 1, limits.inlineSingleMax, MiB]) {
    const stream = hasher.openStream('fixed-1m');
    await stream.cut({ ranges: [{ at: 77, size }], final: true, whole: true });
    t.same(await stream.hashSingle(77, size), await stream.finish(), `${size} bytes`);
    stream.close();
  }
});

t.test('one block is hashed alike on the event loop and on a lane', async (t) => {
  for (const size of [1, limits.inlineHashMax - 1, limits.inlineHashMax, MiB])
    t.equal(await hasher.hashBlock(5, size), hexOf(5, size));
});

t.test('a stream closed in the middle answers what it was asked and takes no more', async (t) => {
  const stream = hasher.openStream('fixed-1m');
  const cutting = stream.cut({ ranges: [{ at: 0, size: 2 * MiB }], final: false, whole: true });
  stream.close();
  stream.close();
  t.equal((await cutting).length, 2);
  await t.rejects(stream.cut({ ranges: [{ at: 0, size: MiB }], final: false, whole: true }), { code: 'internal' });
  await t.rejects(stream.finish(), { code: 'internal' });
});

t.test('a thread that dies fails the jobs and streams it held, and is replaced', async (t) => {
  const own = await PiscinaHasher.open({ slab, lanes: 1 });
  const stream = own.openStream('fixed-1m');
  const idle = own.openStream('fixed-1m');
  await stream.cut({ ranges: [{ at: 0, size: MiB }], final: false, whole: true });
  const running = stream.cut({ ranges: [{ at: 0, size: 8 * MiB }], final: false, whole: true });
  await Promise.all([t.rejects(running, { code: 'internal' }), threads.at(-1)?.terminate()]);
  await t.rejects(stream.finish(), { code: 'internal' }, 'the digests of a part are never given for the whole');
  t.same(
    (await idle.cut({ ranges: [{ at: 0, size: MiB }], final: true, whole: true })).length,
    1,
    'a stream without state yet goes on',
  );
  t.same(await idle.finish(), digestsOf(0, MiB));
  await own.close();
});

t.test('closing waits for the jobs under way and refuses later ones', async (t) => {
  const own = await PiscinaHasher.open({ slab, lanes: 2 });
  const stream = own.openStream('fixed-1m');
  const jobs = [1, 2, 3, 4].map((count) => stream.cut({ ranges: [{ at: 0, size: count * MiB }], final: false, whole: true }));
  await own.close();
  await own.close();
  t.same(
    (await Promise.all(jobs)).map((blocks) => blocks.length),
    [1, 2, 3, 4],
  );
  await t.rejects(stream.finish(), { code: 'internal' });
  stream.close();
});
