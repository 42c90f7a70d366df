import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { cutterOf } from '../../../src/chunker/cutters.ts';
import type { ChunkerName, HashStream } from '../../../src/chunker/hasher.ts';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { Slab } from '../../../src/core/slab.ts';
import { Admission } from '../../../src/upload/admission.ts';
import { IncomingBody } from '../../../src/upload/incoming-body.ts';
import { InterruptedBody, ingest } from '../../../src/upload/ingest.ts';
import type { StoredBlock } from '../../../src/upload/session.ts';
import { blobKey, patternBytes, sha256 } from '../../helpers/bytes.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { testScope } from '../../helpers/open-uploads.ts';
import { chunksOf, ScriptedSource } from '../../helpers/scripted-source.ts';
import { cutAll } from '../chunker/cut-all.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const SLOTS = 13;

const slab = new Slab({ slotSize: MiB, slotCount: SLOTS, uploadSlotsMax: SLOTS, extraSize: 0 });
const hasher = await PiscinaHasher.open({ slab, lanes: 1 });
t.teardown(() => hasher.close());
const content = patternBytes(7 * MiB, 7);

interface Drive {
  readonly chunker: ChunkerName;
  readonly bytes: Uint8Array;
  readonly chunks?: readonly number[];
  readonly slotsMax?: number;
  readonly openStream?: (chunker: ChunkerName) => HashStream;
  readonly prepare?: (parts: { source: ScriptedSource; node: MemoryNode; body: IncomingBody }) => void;
}

/** One request through ingest, and what came of it. */
async function drive({ chunker, bytes, chunks = [100_000], slotsMax = SLOTS, openStream, prepare }: Drive) {
  const node = new MemoryNode();
  const admission = new Admission({ slab, node, uploadsInFlightMax: 2, slotsPerUploadMax: slotsMax });
  const { account, mayHold, gate, close } = admission.admit(testScope);
  const source = new ScriptedSource(chunksOf(bytes, chunks));
  const stream = openStream?.(chunker) ?? hasher.openStream(chunker);
  const body = new IncomingBody({
    source,
    slab,
    account,
    mayHold,
    gate,
    sizeMax: Number.MAX_SAFE_INTEGER,
    carries: stream.carries,
    observe: undefined,
  });
  const blocks = new BlockList();
  let heldMax = 0;
  prepare?.({ source, node, body });
  const durable = () => {
    heldMax = Math.max(heldMax, account.held);
  };
  let piece: StoredBlock | undefined;
  let error: unknown;
  body.start();
  try {
    const ends = (received: number) => received === bytes.byteLength;
    piece = await ingest(
      body,
      { account, mayHold, stream, blocks, whole: true, endsAfter: ends, onDurable: durable },
      { slab, hasher, node },
    );
  } catch (failure) {
    error = failure instanceof InterruptedBody ? failure.cause : failure;
    if (failure instanceof InterruptedBody) piece = failure.piece;
  }
  body.close();
  close();
  const digests = error === undefined ? await stream.finish() : undefined;
  stream.close();
  await allSlotsBack();
  return { node, blocks, piece, error, digests, heldMax };
}

/** Jobs of the lane that were under way when a request failed give their slots back when they are done. */
async function allSlotsBack(): Promise<void> {
  for (let turn = 0; slab.freeSlots < SLOTS && turn < 2000; turn++) await sleep(1);
}

/** What a reader would get of the durable prefix: the bytes the node holds, in the order of the list. */
function durableBytes({ node, blocks, piece }: { node: MemoryNode; blocks: BlockList; piece: StoredBlock | undefined }): Buffer {
  const ids = Array.from({ length: blocks.count }, (_, index) => blocks.idAt(index));
  if (piece !== undefined) ids.push(piece.id);
  return Buffer.concat(ids.map((id) => node.blocks.get(id)?.bytes ?? Buffer.from('not durable')));
}

function sizesOf(blocks: BlockList): number[] {
  return Array.from({ length: blocks.count }, (_, index) => blocks.sizeAt(index));
}

const chunkers: readonly ChunkerName[] = ['fixed-1m', 'fastcdc-v1'];

for (const chunker of chunkers) {
  t.test(
    `${chunker}: however a body arrives and whatever fails, the durable prefix is true and all slots come back`,
    async (t) => {
      const plan = fc.record({
        size: fc.oneof(fc.constantFrom(0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB), fc.integer({ min: 0, max: 7 * MiB })),
        chunks: fc.array(
          fc.integer({ min: 1, max: 512 * KiB }).map((size) => Math.max(size, 20_000)),
          { minLength: 1, maxLength: 4 },
        ),
        slotsMax: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(8, 12)),
        slow: fc.boolean(),
        waits: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }),
        end: fc.constantFrom('whole', 'whole', 'vanishes', 'put fails'),
        failAt: fc.nat(4),
      });
      await fc.assert(
        fc.asyncProperty(plan, async ({ size, chunks, slotsMax, slow, waits, end, failAt }) => {
          const bytes = content.subarray(0, size);
          const done = await drive({
            chunker,
            bytes,
            chunks,
            slotsMax,
            prepare: ({ source, node }) => {
              source.slow = slow;
              source.vanishes = end === 'vanishes';
              let puts = 0;
              node.beforePut = async () => {
                const turn = puts++;
                for (let left = waits[turn % waits.length] as number; left > 0; left--) await new Promise(setImmediate);
                if (end === 'put fails' && turn === failAt) throw new QuasarError('storage_full', { op: 'test' });
              };
            },
          });
          const durable = durableBytes(done);
          const problems: string[] = [];
          if (!durable.equals(bytes.subarray(0, durable.length))) problems.push('the durable prefix is not a prefix');
          if (slab.freeSlots !== SLOTS || slab.uploadSlots !== 0) problems.push(`${slab.freeSlots} slots are free`);
          if (done.heldMax > slotsMax) problems.push(`held ${done.heldMax} slots of ${slotsMax}`);
          if (done.error === undefined) {
            if (durable.length !== size) problems.push(`${durable.length} bytes are durable`);
            if (`b3:${done.digests?.blake3}` !== blobKey(bytes) || done.digests?.sha256 !== sha256(bytes))
              problems.push('digests');
            const cuts = cutAll(cutterOf(chunker), bytes);
            if (sizesOf(done.blocks).join() !== cuts.join()) problems.push(`cut ${sizesOf(done.blocks)}, not ${cuts}`);
          } else if (end === 'vanishes') {
            if ((done.error as QuasarError).code !== 'cancelled') problems.push(`failed with ${done.error}`);
          } else if ((done.error as QuasarError).code !== 'storage_full') problems.push(`failed with ${done.error}`);
          if (problems.length > 0) throw new Error(problems.join('; '));
        }),
        { numRuns: 60 },
      );
      t.pass('60 random requests');
    },
  );

  t.test(`${chunker}: a lane that fails ends the request, and its slots come back`, async (t) => {
    const done = await drive({
      chunker,
      bytes: content.subarray(0, 3 * MiB),
      prepare: ({ node }) => {
        node.beforePut = async () => {
          throw new QuasarError('internal', { op: 'test' });
        };
      },
      slotsMax: 1,
    });
    t.match(done.error, { code: 'internal' });
    t.equal(slab.freeSlots, SLOTS);
  });

  t.test(`${chunker}: what a client sent before it vanished is kept to the last byte that found a slot`, async (t) => {
    const bytes = content.subarray(0, 2 * MiB + 12_345);
    const done = await drive({ chunker, bytes, prepare: ({ source }) => (source.vanishes = true) });
    t.match(done.error, { code: 'cancelled' });
    t.ok(durableBytes(done).equals(bytes));
  });
}

t.test('slots that fill while a lane is behind go to it together, and each keeps its block', async (t) => {
  const bytes = content.subarray(0, 7 * MiB - 5);
  const slotsOfJobs: number[] = [];
  let [underWay, underWayMax] = [0, 0];
  const openStream = (chunker: ChunkerName): HashStream => {
    const stream = hasher.openStream(chunker);
    return {
      chunker,
      carries: stream.carries,
      cut: async (wish) => {
        slotsOfJobs.push(wish.ranges.length);
        underWayMax = Math.max(underWayMax, ++underWay);
        return await stream.cut(wish).finally(() => underWay--);
      },
      absorb: (at, size) => stream.absorb(at, size),
      hashSingle: (at, size) => stream.hashSingle(at, size),
      finish: () => stream.finish(),
      close: () => stream.close(),
    };
  };
  const done = await drive({ chunker: 'fixed-1m', bytes, openStream });
  t.equal(done.error, undefined);
  t.ok(durableBytes(done).equals(bytes));
  t.same(sizesOf(done.blocks), cutAll(cutterOf('fixed-1m'), bytes));
  t.equal(done.digests?.sha256, sha256(bytes));
  t.same(slotsOfJobs, [3, 3, 1], 'three slots a job at most');
  t.equal(underWayMax, 2, 'a third job waits');
});

t.test('a stream that is closed under an upload loses no slot', async (t) => {
  for (const chunker of chunkers) {
    const node = new MemoryNode();
    const admission = new Admission({ slab, node, uploadsInFlightMax: 1, slotsPerUploadMax: 2 });
    const { account, mayHold, gate, close } = admission.admit(testScope);
    const stream = hasher.openStream(chunker);
    const source = new ScriptedSource(chunksOf(content.subarray(0, 3 * MiB), [300_000]));
    const body = new IncomingBody({
      source,
      slab,
      account,
      mayHold,
      gate,
      sizeMax: 1e9,
      carries: stream.carries,
      observe: undefined,
    });
    body.start();
    stream.close();
    const upload = { account, mayHold, stream, blocks: new BlockList(), whole: true, endsAfter: () => true, onDurable: () => {} };
    await t.rejects(ingest(body, upload, { slab, hasher, node }), { code: 'internal' });
    body.close();
    close();
    await allSlotsBack();
    t.equal(slab.freeSlots, SLOTS, chunker);
  }
});
