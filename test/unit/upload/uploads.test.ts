import fc from 'fast-check';
import t from 'tap';
import type { ChunkerName } from '../../../src/chunker/hasher.ts';
import { isQuasarError, QuasarError } from '../../../src/core/errors.ts';
import type { FinalizeWish } from '../../../src/upload/finalize.ts';
import { blobKey, patternBytes, sha256 } from '../../helpers/bytes.ts';
import { deedsOf, notedInMemory } from '../../helpers/noted-events.ts';
import { appendRequest, type OpenUploads, openUploads, storedBytes, testScope, untilStored } from '../../helpers/open-uploads.ts';
import { chunksOf, ScriptedSource } from '../../helpers/scripted-source.ts';
import { versionWish } from '../../helpers/version-wish.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const content = patternBytes(6 * MiB, 11);

function wish(changes: Partial<FinalizeWish> = {}): FinalizeWish {
  return { labels: [], reason: undefined, parents: [], digests: {}, fingerprint: 'same', ...changes };
}

/** Bytes from `start` up to `end`, in chunks as a socket gives them. */
function sending(start: number, end: number): ScriptedSource {
  return new ScriptedSource(chunksOf(content.subarray(start, end), [200_000]));
}

/** A client that has sent these bytes and thinks about the rest. */
function pausing(start: number, end: number): ScriptedSource {
  const source = sending(start, end);
  source.endless = true;
  return source;
}

function expectBytes(t: { ok(value: unknown): unknown }, actual: Buffer, expected: Uint8Array): void {
  t.ok(actual.equals(expected));
}

t.test('a second writer displaces the first, which learns of it; what was durable counts', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  const source = pausing(0, 1_500_000);
  const ghost = world.uploads.append(testScope, uploadId, appendRequest(source, 0));
  await untilStored(world, source, 1);
  const probe = world.uploads.append(testScope, uploadId, appendRequest(sending(0, 10), 0));
  await t.rejects(ghost, { code: 'upload_taken_over' });
  await t.rejects(probe, { code: 'upload_offset_mismatch', details: { expected: 1_500_000 } });
  await world.uploads.append(testScope, uploadId, appendRequest(sending(1_500_000, 2_000_000), 1_500_000));
  await world.uploads.finalize(testScope, uploadId, wish());
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, 2_000_000));
});

t.test('of writers that come at once, each displaces the one before it, and the last goes on', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  const writers = [0, 1, 2].map(() => world.uploads.append(testScope, uploadId, appendRequest(pausing(0, 0), 0)));
  const last = world.uploads.append(testScope, uploadId, appendRequest(sending(0, 3 * MiB), 0));
  const outcomes = await Promise.allSettled(writers);
  t.ok(outcomes.every((one) => one.status === 'rejected' && isQuasarError(one.reason, 'upload_taken_over')));
  t.equal(await last, 3 * MiB);
  await world.uploads.finalize(testScope, uploadId, wish({ digests: { sha256: sha256(content.subarray(0, 3 * MiB)) } }));
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, 3 * MiB));
});

t.test('a request with a digest of its own that is displaced leaves nothing behind', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 700), 0));
  const verify = () => {};
  const source = pausing(700, 3 * MiB);
  const ghost = world.uploads.append(testScope, uploadId, appendRequest(source, 700, { verify }));
  await untilStored(world, source, 3);
  const next = world.uploads.append(testScope, uploadId, appendRequest(sending(700, 2 * MiB), 700));
  await t.rejects(ghost, { code: 'upload_taken_over' });
  t.equal(await next, 2 * MiB);
  await world.uploads.finalize(testScope, uploadId, wish());
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, 2 * MiB));
});

t.test('a digest that differs takes the whole request back, and the next one starts where it did', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 1_400_000), 0));
  const verify = () => {
    throw new QuasarError('digest_mismatch', { op: 'test' });
  };
  const wrong = appendRequest(sending(1_400_000, 4_000_000), 1_400_000, { verify });
  await t.rejects(world.uploads.append(testScope, uploadId, wrong), { code: 'digest_mismatch' });
  t.equal((await world.uploads.get(testScope, uploadId)).offset, 1_400_000);
  await world.uploads.append(testScope, uploadId, appendRequest(sending(1_400_000, 2_600_000), 1_400_000));
  const { version } = await world.uploads.finalize(testScope, uploadId, wish());
  t.equal(version.blob.key, blobKey(content.subarray(0, 2_600_000)));
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, 2_600_000));
});

t.test('a finalize and an append that both wait for a slow writer do not meet', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  const source = pausing(0, 1_200_000);
  const writer = world.uploads.append(testScope, uploadId, appendRequest(source, 0));
  await untilStored(world, source, 1);
  const late = world.uploads.append(testScope, uploadId, appendRequest(sending(1_200_000, 5 * MiB), 1_200_000));
  const finalized = world.uploads.finalize(testScope, uploadId, wish());
  await t.rejects(writer, { code: 'upload_taken_over' });
  const [appended, done] = await Promise.allSettled([late, finalized]);
  if (done.status === 'rejected') throw done.reason;
  const { key, size } = done.value.version.blob;
  t.ok(size >= 1_200_000);
  t.equal(key, blobKey(content.subarray(0, size)));
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, size));
  t.equal(appended.status === 'rejected' ? (appended.reason as QuasarError).code : 'accepted', 'upload_closed');
});

t.test('calls to finalize at once get one answer, other arguments a refusal, and later calls the same again', async (t) => {
  const world = await openUploads(t);
  const { uploadId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 10), 0));
  const [first, second, third] = await Promise.allSettled([
    world.uploads.finalize(testScope, uploadId, wish()),
    world.uploads.finalize(testScope, uploadId, wish()),
    world.uploads.finalize(testScope, uploadId, wish({ fingerprint: 'other' })),
  ]);
  t.match(first, { status: 'fulfilled', value: { repeated: false } });
  t.match(second, { status: 'fulfilled', value: { repeated: true } });
  t.match(third, { status: 'rejected', reason: { code: 'finalize_conflict' } });
  const again = await world.uploads.finalize(testScope, uploadId, wish());
  t.equal(again.repeated, true);
  t.equal(again.version.versionId, first.status === 'fulfilled' ? first.value.version.versionId : '');
  await t.rejects(world.uploads.finalize(testScope, uploadId, wish({ fingerprint: 'x' })), { code: 'finalize_conflict' });
});

t.test('no bytes are taken while a finalize runs, nor after it', async (t) => {
  const world = await openUploads(t);
  const { uploadId } = await world.open();
  const finalizing = world.uploads.finalize(testScope, uploadId, wish());
  const refused = { code: 'upload_closed' };
  await t.rejects(world.uploads.append(testScope, uploadId, appendRequest(sending(0, 5), 0)), refused);
  t.equal((await finalizing).version.blob.size, 0);
  await t.rejects(world.uploads.append(testScope, uploadId, appendRequest(sending(0, 5), 0)), refused);
});

t.test('a cancel during finalize wins or comes too late, and nobody meets an inner error', async (t) => {
  for (const at of ['seal', 'findVersion', 'commit', 'never']) {
    const world = await openUploads(t);
    const { uploadId } = await world.open();
    await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 1_300_000), 0));
    let cancelled: Promise<boolean> | undefined;
    const hook = async (method: string) => {
      if (method === at && cancelled === undefined) {
        cancelled = world.uploads.cancel(testScope, uploadId);
        await settleTurns();
      }
    };
    world.sessions.before = hook;
    world.catalog.before = hook;
    const [done] = await Promise.allSettled([world.uploads.finalize(testScope, uploadId, wish())]);
    const state = (await world.uploads.get(testScope, uploadId)).state;
    if (done.status === 'fulfilled') t.equal(state, 'committed', at);
    else {
      t.equal(state, 'failed', at);
      t.equal((done.reason as QuasarError).kind, 'conflict', at);
    }
    await cancelled;
  }
});

t.test('a cancel stops the writer at once', async (t) => {
  const world = await openUploads(t);
  const { uploadId } = await world.open();
  const source = pausing(0, 1_200_000);
  const writer = world.uploads.append(testScope, uploadId, appendRequest(source, 0));
  await untilStored(world, source, 1);
  const [stopped, cancelled] = await Promise.allSettled([writer, world.uploads.cancel(testScope, uploadId)]);
  t.match(stopped, { status: 'rejected', reason: { code: 'upload_closed' } });
  t.match(cancelled, { status: 'fulfilled', value: true });
  t.equal(world.slab.uploadSlots, 0);
});

t.test('a finalize that fails leaves the session open, and the next one succeeds', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 1_300_000), 0));
  const wrong = wish({ digests: { sha256: '0'.repeat(64) }, fingerprint: 'wrong' });
  await t.rejects(world.uploads.finalize(testScope, uploadId, wrong), { code: 'digest_mismatch' });
  t.equal(await world.catalog.findVersion(testScope, documentId), undefined);
  await world.uploads.append(testScope, uploadId, appendRequest(sending(1_300_000, 1_400_000), 1_300_000));
  await world.uploads.finalize(testScope, uploadId, wish());
  expectBytes(t, await storedBytes(world, documentId), content.subarray(0, 1_400_000));
});

t.test('a commit whose answer was lost is looked up by its version, and the same answer comes again', async (t) => {
  const world = await openUploads(t);
  const { uploadId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 10), 0));
  world.catalog.after = async (method) => {
    if (method === 'commit') throw new QuasarError('commit_unknown', { op: 'test' });
  };
  const first = await world.uploads.finalize(testScope, uploadId, wish());
  const second = await world.uploads.finalize(testScope, uploadId, wish());
  t.equal(second.version.versionId, first.version.versionId);
  t.equal(world.catalog.notes.length, 1, 'and it happened once');
});

t.test(
  'a document that somebody else made meanwhile gets a further version where that is allowed, and the log says so',
  async (t) => {
    const world = await openUploads(t);
    const { uploadId, documentId } = await world.open();
    await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 10), 0));
    await world.catalog.commit(testScope, versionWish({ documentId }));
    await t.rejects(world.uploads.finalize(testScope, uploadId, wish()), { code: 'version_conflict' });
    await world.uploads.finalize(testScope, uploadId, wish({ mayAdd: true }));
    t.strictSame(await deedsOf(notedInMemory(world.catalog), testScope, documentId), ['document.create', 'version.create']);
  },
);

t.test('a finalize needs no place among the uploads in flight', async (t) => {
  const world = await openUploads(t, { slots: 4 });
  const { uploadId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 1000), 0));
  const crowd = [world.admission.admit(testScope), world.admission.admit(testScope)];
  t.throws(() => world.admission.admit(testScope), { code: 'too_many_uploads' });
  t.equal((await world.uploads.finalize(testScope, uploadId, wish())).version.blob.size, 1000);
  for (const { close } of crowd) close();
});

t.test('more sessions than hash states are kept: those given up are hashed again from the store', async (t) => {
  const world = await openUploads(t, { changes: { idleHashStatesMax: 1 } });
  const opened = await Promise.all([0, 1, 2, 3].map(() => world.open()));
  for (const [start, end] of [
    [0, 1_100_000],
    [1_100_000, 2_300_000],
  ] as const) {
    await Promise.all(
      opened.map(({ uploadId }) => world.uploads.append(testScope, uploadId, appendRequest(sending(start, end), start))),
    );
  }
  const made = await Promise.all(opened.map(({ uploadId }) => world.uploads.finalize(testScope, uploadId, wish())));
  for (const { version } of made) t.equal(version.blob.key, blobKey(content.subarray(0, 2_300_000)));
});

t.test('an expired session takes nothing, and a declared size is what finalize waits for', async (t) => {
  const world = await openUploads(t);
  const sized = await world.open({ size: 20 });
  await t.rejects(world.uploads.finalize(testScope, sized.uploadId, wish()), { code: 'upload_incomplete' });
  await t.rejects(world.uploads.append(testScope, sized.uploadId, appendRequest(sending(0, 21), 0, { size: 21 })), {
    code: 'upload_too_large',
  });
  await t.rejects(world.uploads.append(testScope, sized.uploadId, appendRequest(sending(0, 21), 0)), {
    code: 'upload_too_large',
  });
  world.clock.advance(world.deps.clock.now());
  await t.rejects(world.uploads.append(testScope, sized.uploadId, appendRequest(sending(0, 5), 0)), { code: 'upload_expired' });
  await t.rejects(world.uploads.finalize(testScope, sized.uploadId, wish()), { code: 'upload_expired' });
});

t.test('a declared size of nothing is a blob of nothing', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open({ size: 0 });
  t.equal(await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 0), 0)), 0);
  const { version } = await world.uploads.finalize(testScope, uploadId, wish());
  t.match(version.blob, { size: 0, blockCount: 0, key: blobKey(new Uint8Array()), sha256: sha256(new Uint8Array()) });
  t.equal((await storedBytes(world, documentId)).length, 0);
});

for (const chunker of ['fixed-1m', 'fastcdc-v1'] as const) {
  t.test(`${chunker}: however clients split, vanish, return and race, what is finalised is what was sent`, async (t) => {
    const world = await openUploads(t, { chunker, slots: 8, changes: { idleHashStatesMax: 1 } });
    const step = fc.record({
      size: fc.oneof(fc.constantFrom(0, MiB, 2 * MiB), fc.integer({ min: 1, max: 1_600_000 })),
      how: fc.constantFrom('send', 'send', 'vanish', 'wrong digest', 'ghost', 'stranger', 'database fails', 'disk fails'),
    });
    const plan = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 6 }), sized: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, sized }) => {
        const problems = await new Client(world, chunker).run(steps, sized);
        if (world.slab.uploadSlots > 0) problems.push(`${world.slab.uploadSlots} slots are with uploads that are over`);
        if (problems.length > 0) throw new Error(problems.join('; '));
      }),
      { numRuns: 60 },
    );
    t.pass('60 random clients');
  });
}

interface Step {
  readonly size: number;
  readonly how: string;
}

/** Sends `content` step by step as a client would: after every failure it asks for the offset and goes on there. */
class Client {
  readonly #world: OpenUploads;
  readonly #problems: string[] = [];
  readonly #chunker: ChunkerName;

  constructor(world: OpenUploads, chunker: ChunkerName) {
    this.#world = world;
    this.#chunker = chunker;
  }

  async run(steps: readonly Step[], sized: boolean): Promise<string[]> {
    const { open, uploads } = this.#world;
    const total = Math.min(
      content.byteLength,
      steps.reduce((sum, { size }) => sum + size, 0),
    );
    const { uploadId, documentId } = await open({ chunker: this.#chunker, size: sized ? total : undefined });
    let offset = 0;
    for (const step of steps) {
      const before = offset;
      await this.#send(uploadId, offset, Math.min(total, offset + step.size), step.how);
      offset = (await uploads.get(testScope, uploadId)).offset;
      if (offset < before) this.#problems.push(`the offset fell from ${before} to ${offset}`);
      if (step.how === 'wrong digest' && offset !== before) this.#problems.push('a refused request moved the offset');
    }
    if (offset < total) await uploads.append(testScope, uploadId, appendRequest(sending(offset, total), offset));
    const { version } = await uploads.finalize(testScope, uploadId, wish());
    const sent = content.subarray(0, total);
    if (version.blob.key !== blobKey(sent) || version.blob.sha256 !== sha256(sent)) this.#problems.push('wrong digests');
    if (!(await storedBytes(this.#world, documentId)).equals(sent)) this.#problems.push('wrong bytes');
    return this.#problems;
  }

  async #send(uploadId: Parameters<OpenUploads['uploads']['append']>[1], start: number, end: number, how: string): Promise<void> {
    const { uploads, sessions, node } = this.#world;
    const source = sending(start, end);
    source.vanishes = how === 'vanish';
    source.endless = how === 'ghost';
    source.slow = how === 'stranger';
    const verify = () => {
      throw new QuasarError('digest_mismatch', { op: 'test' });
    };
    if (how === 'database fails') {
      let failures = 1;
      // The row took it; only the answer is lost.
      sessions.after = async (method) => {
        if (method === 'checkpoint' && failures-- > 0) throw new QuasarError('database_unavailable', { op: 'test' });
      };
    }
    if (how === 'disk fails') {
      let failures = 1;
      node.beforePut = async () => {
        if (failures-- > 0) throw new QuasarError('storage_full', { op: 'test' });
      };
    }
    const request = appendRequest(source, start, how === 'wrong digest' ? { verify } : {});
    const sending_ = [uploads.append(testScope, uploadId, request)];
    if (how === 'ghost') await settleTurns();
    if (how === 'ghost' || how === 'stranger') {
      sending_.push(uploads.append(testScope, uploadId, appendRequest(sending(start, end), start)));
    }
    for (const outcome of await Promise.allSettled(sending_)) {
      if (outcome.status === 'rejected' && !EXPECTED.has((outcome.reason as QuasarError).code)) {
        this.#problems.push(`${how}: ${(outcome.reason as Error).stack}`);
      }
    }
    sessions.after = async () => {};
    node.beforePut = async () => {};
  }
}

const EXPECTED: ReadonlySet<string> = new Set([
  'cancelled',
  'digest_mismatch',
  'upload_taken_over',
  'upload_offset_mismatch',
  'database_unavailable',
  'storage_full',
]);

/** Lets everything that needs no more than the event loop happen. */
async function settleTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
