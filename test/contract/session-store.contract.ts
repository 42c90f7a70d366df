import { randomUUID } from 'node:crypto';
import type t from 'tap';
import type { Actor } from '../../src/core/actor.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { BlockId } from '../../src/core/digest.ts';
import { type DocumentId, newId, type PrincipalId, type UploadId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { DurablePrefix, StoredBlock, UploadSession } from '../../src/upload/session.ts';
import type { NewSession, SessionStore } from '../../src/upload/session-store.ts';
import { actorIn } from '../helpers/actor.ts';
import { deedsOf, type ReadNoted } from '../helpers/noted-events.ts';
import { digits } from '../helpers/version-wish.ts';

export interface SessionStoreUnderTest {
  readonly store: SessionStore;
  /** The store's own: moving it moves the store's time. */
  readonly clock: Clock & { advance(ms: number): void };
  readonly scope: Actor;
  readonly stranger: Actor;
  /** What its changes have left in the audit log. */
  readonly noted: ReadNoted;
}

type Test = typeof t;

/** What every SessionStore must do. Commits, which end sessions, are the committer's part. */
export function sessionStoreContract(test: Test, { store, clock, scope, stranger, noted }: SessionStoreUnderTest): void {
  const wish = (changes: Partial<UploadSession> = {}): NewSession => ({
    session: newSession(clock, changes),
    attached: undefined,
    idempotency: undefined,
  });
  const open = async (changes: Partial<UploadSession> = {}): Promise<UploadSession> => {
    const outcome = await store.create(scope, wish(changes));
    if (outcome.kind !== 'created') throw new Error(`expected a new session, got ${outcome.kind}`);
    return outcome.session;
  };

  test.test('a session comes back as it was created', async (t) => {
    const full = wish({
      size: 5_000_000_000,
      filename: 'akte.pdf',
      digests: { blake3: digits('a'), sha256: digits('b') },
      idempotencyKey: 'k',
    });
    t.strictSame(await store.create(scope, full), { kind: 'created', session: full.session });
    t.strictSame(await store.find(scope, full.session.uploadId), full.session);
    const bare = wish();
    await store.create(scope, bare);
    t.strictSame(await store.findOpenByDocument(scope, bare.session.documentId), bare.session);
  });

  test.test('a document has one open session', async (t) => {
    const first = await open();
    t.strictSame(await store.create(scope, wish({ documentId: first.documentId })), { kind: 'resumed', session: first });
    const many = await Promise.all(Array.from({ length: 8 }, () => store.create(scope, wish({ documentId: first.documentId }))));
    t.ok(many.every((outcome) => outcome.kind === 'resumed' && outcome.session.uploadId === first.uploadId));
  });

  test.test('of many that open a session for one document at once, one creates it', async (t) => {
    const documentId = newId<DocumentId>(clock);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.create(scope, wish({ documentId }))));
    t.equal(outcomes.filter(({ kind }) => kind === 'created').length, 1);
    t.equal(outcomes.filter(({ kind }) => kind === 'resumed').length, 7);
    t.equal(new Set(outcomes.map((outcome) => outcome.kind !== 'idempotency_mismatch' && outcome.session.uploadId)).size, 1);
  });

  test.test('an idempotency key finds its session again, and refuses other arguments', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'same' };
    const { session } = wish();
    await store.create(scope, { session, attached: undefined, idempotency });
    t.strictSame(await store.create(scope, { ...wish(), idempotency }), { kind: 'resumed', session });
    const other = { ...idempotency, fingerprint: 'other' };
    t.strictSame(await store.create(scope, { ...wish(), idempotency: other }), { kind: 'idempotency_mismatch' });
    t.equal((await store.create(stranger, { ...wish(), idempotency: other })).kind, 'created', 'a key is its principal’s own');
    clock.advance(limits.idempotencyLifetimeMs);
    t.equal((await store.create(scope, { ...wish(), idempotency: other })).kind, 'created', 'a key is free after its time');
  });

  test.test('requests with one key at once make one session', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'same' };
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.create(scope, { ...wish(), idempotency })));
    t.equal(outcomes.filter(({ kind }) => kind === 'created').length, 1);
    t.equal(outcomes.filter(({ kind }) => kind === 'resumed').length, 7);
  });

  test.test('a key given to a document that has a session stands for that session', async (t) => {
    const first = await open();
    const idempotency = { key: randomUUID(), fingerprint: 'same' };
    await store.create(scope, { ...wish({ documentId: first.documentId }), idempotency });
    t.strictSame(await store.create(scope, { ...wish(), idempotency }), { kind: 'resumed', session: first });
  });

  test.test('checkpoints add up to the durable prefix', async (t) => {
    const { uploadId, fence } = await open();
    const blocks = Array.from({ length: 5 }, (_, n) => block(n));
    await store.checkpoint(scope, { uploadId, fence, offset: 310, fromBlock: 0, blocks: blocks.slice(0, 3), piece: block(9, 7) });
    await store.checkpoint(scope, { uploadId, fence, offset: 320, fromBlock: 3, blocks: [], piece: block(8, 17) });
    await store.checkpoint(scope, { uploadId, fence, offset: 510, fromBlock: 3, blocks: blocks.slice(3), piece: undefined });
    t.equal((await store.find(scope, uploadId))?.offset, 510);
    const { session, prefix } = await store.takeOver(scope, uploadId);
    t.strictSame(blocksOf(prefix), blocks);
    t.equal(prefix.piece, undefined);
    t.equal(session.offset, 510);
    t.equal(session.fence, fence + 1);
  });

  test.test('a prefix of many checkpoints, more than are read at once, comes back whole and in order', async (t) => {
    const { uploadId, fence } = await open();
    const counts = [limits.checkpointReadEntries - 1, 3, limits.checkpointReadEntries, 1];
    const blocks = Array.from({ length: counts.reduce((sum, count) => sum + count, 0) }, (_, n) => block(n % 251, 1 + n));
    let at = 0;
    let offset = 0;
    for (const count of counts) {
      const next = blocks.slice(at, at + count);
      offset += next.reduce((sum, { size }) => sum + size, 0);
      await store.checkpoint(scope, { uploadId, fence, offset, fromBlock: at, blocks: next, piece: undefined });
      at += count;
    }
    const { prefix } = await store.takeOver(scope, uploadId);
    t.strictSame(blocksOf(prefix), blocks);
    t.equal(prefix.blocks.size, offset);
  });

  test.test('a piece comes back with the prefix', async (t) => {
    const { uploadId, fence } = await open();
    await store.checkpoint(scope, { uploadId, fence, offset: 7, fromBlock: 0, blocks: [], piece: block(1, 7) });
    const { prefix } = await store.takeOver(scope, uploadId);
    t.strictSame(blocksOf(prefix), []);
    t.strictSame(prefix.piece, block(1, 7));
  });

  test.test('a checkpoint whose answer was lost may be sent again', async (t) => {
    const { uploadId, fence } = await open();
    const options = { uploadId, fence, offset: 100, fromBlock: 0, blocks: [block(1)], piece: undefined };
    await store.checkpoint(scope, options);
    await store.checkpoint(scope, options);
    t.strictSame(blocksOf((await store.takeOver(scope, uploadId)).prefix), [block(1)]);
  });

  test.test('after a take-over the older writer is refused everything', async (t) => {
    const { uploadId, fence } = await open();
    await store.takeOver(scope, uploadId);
    const refused = { code: 'upload_taken_over' };
    await t.rejects(
      store.checkpoint(scope, { uploadId, fence, offset: 1, fromBlock: 0, blocks: [], piece: block(1, 1) }),
      refused,
    );
    await t.rejects(store.seal(scope, uploadId, fence), refused);
    await t.rejects(store.reopen(scope, uploadId, fence), refused);
    await store.seal(scope, uploadId, fence + 1);
  });

  test.test('take-overs at once get fences of their own', async (t) => {
    const { uploadId, fence } = await open();
    const taken = await Promise.all(Array.from({ length: 8 }, () => store.takeOver(scope, uploadId)));
    const fences = taken.map(({ session }) => session.fence).sort((a, b) => a - b);
    t.strictSame(
      fences,
      Array.from({ length: 8 }, (_, n) => fence + 1 + n),
    );
  });

  test.test('a checkpoint and a take-over at once: its bytes are in the prefix, or it was refused', async (t) => {
    for (let round = 0; round < 10; round++) {
      const { uploadId, fence } = await open();
      const writing = store.checkpoint(scope, {
        uploadId,
        fence,
        offset: 100,
        fromBlock: 0,
        blocks: [block(1)],
        piece: undefined,
      });
      const [written, taken] = await Promise.allSettled([writing, store.takeOver(scope, uploadId)]);
      const count = taken.status === 'fulfilled' ? taken.value.prefix.blocks.count : -1;
      t.equal(count, written.status === 'fulfilled' ? 1 : 0);
    }
  });

  test.test('a sealing session takes no bytes, and is open again after reopening or a take-over', async (t) => {
    const { uploadId, fence } = await open();
    await store.seal(scope, uploadId, fence);
    t.equal((await store.find(scope, uploadId))?.state, 'sealing');
    const late = { uploadId, fence, offset: 1, fromBlock: 0, blocks: [], piece: block(1, 1) };
    await t.rejects(store.checkpoint(scope, late), { code: 'upload_closed' });
    await t.rejects(store.seal(scope, uploadId, fence), { code: 'upload_closed' });
    await store.reopen(scope, uploadId, fence);
    await store.checkpoint(scope, late);
    await store.seal(scope, uploadId, fence);
    t.match((await store.takeOver(scope, uploadId)).session, { state: 'open', fence: fence + 1, offset: 1 });
  });

  test.test('a cancelled session is final and lets its document start anew', async (t) => {
    const { uploadId, documentId, fence } = await open();
    t.equal(await store.cancel(scope, uploadId), true);
    t.equal(await store.cancel(scope, uploadId), false);
    t.equal((await store.find(scope, uploadId))?.state, 'failed');
    t.equal(await store.findOpenByDocument(scope, documentId), undefined);
    const late = { uploadId, fence, offset: 1, fromBlock: 0, blocks: [], piece: block(1, 1) };
    await t.rejects(store.checkpoint(scope, late), { code: 'upload_closed' });
    await t.rejects(store.takeOver(scope, uploadId), { code: 'upload_closed' });
    t.equal((await store.create(scope, wish({ documentId }))).kind, 'created');
  });

  test.test('a session leaves an event when it is made and when it is cancelled', async (t) => {
    const { session } = wish({ size: 7 });
    const { uploadId, documentId } = session;
    await store.create(scope, { session, attached: undefined, idempotency: undefined });
    const again = wish({ documentId });
    t.equal((await store.create(scope, again)).kind, 'resumed');
    await store.cancel(scope, uploadId);
    t.equal(await store.cancel(scope, uploadId), false);
    t.strictSame(await deedsOf(noted, scope, uploadId), ['upload.create', 'upload.cancel']);
    t.strictSame(await deedsOf(noted, scope, again.session.uploadId), []);
    t.strictSame(await deedsOf(noted, stranger, uploadId), []);
    const [made] = (await noted(scope)).filter(({ resource }) => resource.id === uploadId);
    t.strictSame(made?.detail, { documentId, newDocument: true, size: 7 });
  });

  test.test('a session that expired leaves no event when it is cancelled', async (t) => {
    const { uploadId } = await open();
    clock.advance(limits.uploadLifetimeMs);
    t.equal(await store.cancel(scope, uploadId), false);
    t.strictSame(await deedsOf(noted, scope, uploadId), ['upload.create']);
  });

  test.test('an idle session expires, and every checkpoint prolongs its life', async (t) => {
    const { uploadId, documentId, fence } = await open();
    clock.advance(limits.uploadLifetimeMs - 1);
    await store.checkpoint(scope, { uploadId, fence, offset: 7, fromBlock: 0, blocks: [], piece: block(1, 7) });
    clock.advance(limits.uploadLifetimeMs - 1);
    t.equal((await store.find(scope, uploadId))?.state, 'open');
    clock.advance(1);
    t.equal((await store.find(scope, uploadId))?.state, 'expired');
    t.equal(await store.findOpenByDocument(scope, documentId), undefined);
    await t.rejects(store.takeOver(scope, uploadId), { code: 'upload_expired' });
    await t.rejects(store.seal(scope, uploadId, fence), { code: 'upload_expired' });
    t.equal((await store.create(scope, wish({ documentId }))).kind, 'created');
    t.equal((await store.find(scope, uploadId))?.state, 'expired');
    t.equal(await store.cancel(scope, uploadId), false);
  });

  test.test('what is not there, or another org’s, is not found', async (t) => {
    const { uploadId, documentId, fence } = await open();
    const notFound = { code: 'upload_not_found' };
    t.equal(await store.find(stranger, uploadId), undefined);
    t.equal(await store.findOpenByDocument(stranger, documentId), undefined);
    await t.rejects(store.takeOver(stranger, uploadId), notFound);
    await t.rejects(store.seal(stranger, uploadId, fence), notFound);
    await t.rejects(store.cancel(stranger, uploadId), notFound);
    await t.rejects(store.takeOver(scope, newId<UploadId>(clock)), notFound);
    t.equal((await store.create(stranger, wish({ documentId }))).kind, 'created');
  });

  test.test('a session is there for the principal that made it, and for nobody else of the org', async (t) => {
    const colleague = actorIn({ orgId: scope.orgId, principalId: newId<PrincipalId>(clock) });
    const { uploadId, documentId, fence } = await open();
    const notFound = { code: 'upload_not_found' };
    t.equal(await store.find(colleague, uploadId), undefined);
    t.equal(await store.findOpenByDocument(colleague, documentId), undefined);
    await t.rejects(store.takeOver(colleague, uploadId), notFound);
    await t.rejects(store.seal(colleague, uploadId, fence), notFound);
    await t.rejects(store.reopen(colleague, uploadId, fence), notFound);
    await t.rejects(store.cancel(colleague, uploadId), notFound);
    const block = { id: digits('c') as BlockId, size: 1 };
    const checkpoint = { uploadId, fence, offset: 1, fromBlock: 0, blocks: [block], piece: undefined };
    await t.rejects(store.checkpoint(colleague, checkpoint), notFound);
    const idempotency = { key: randomUUID(), fingerprint: 'f' };
    const own = await store.create(colleague, { ...wish({ documentId }), idempotency });
    t.equal(own.kind, 'created', 'one of somebody else is in nobody’s way');
    t.equal((await store.find(scope, uploadId))?.state, 'open');
    t.equal((await store.findOpenByDocument(colleague, documentId))?.uploadId, own.kind === 'created' && own.session.uploadId);
    await store.cancel(scope, uploadId);
    t.equal((await store.findOpenByDocument(colleague, documentId))?.state, 'open');
  });
}

/** A session as the upload layer makes it: no byte yet. */
export function newSession(clock: Clock, changes: Partial<UploadSession> = {}): UploadSession {
  return {
    uploadId: newId<UploadId>(clock),
    documentId: newId<DocumentId>(clock),
    newDocument: true,
    folderId: undefined,
    bringsRules: false,
    state: 'open',
    fence: 1,
    offset: 0,
    size: undefined,
    filename: undefined,
    contentType: 'application/pdf',
    digests: {},
    chunker: 'fixed-1m',
    createdAtMs: clock.now(),
    expiresAtMs: clock.now() + limits.uploadLifetimeMs,
    idempotencyKey: undefined,
    result: undefined,
    ...changes,
  };
}

function block(n: number, size = 100): StoredBlock {
  return { id: digits(`block ${n}`) as BlockId, size };
}

function blocksOf({ blocks }: DurablePrefix): StoredBlock[] {
  return Array.from({ length: blocks.count }, (_, index) => ({ id: blocks.idAt(index), size: blocks.sizeAt(index) }));
}
