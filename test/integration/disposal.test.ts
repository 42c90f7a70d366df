import t from 'tap';
import { decodeEvent } from '../../src/audit/event.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresDisposalStore } from '../../src/catalog/postgres-disposal-store.ts';
import { PostgresLabelStore } from '../../src/catalog/postgres-label-store.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { BlobKey } from '../../src/core/digest.ts';
import { type DocumentId, type FolderId, type GroupId, newId, type VersionId } from '../../src/core/ids.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import type { UploadSession } from '../../src/upload/session.ts';
import type { AttachedRecords } from '../../src/upload/session-store.ts';
import { newSession } from '../contract/session-store.contract.ts';
import { accessStores, newFolder, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { actorIn } from '../helpers/actor.ts';
import { metadataEntry, metadataWish, putting } from '../helpers/metadata-wish.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const clock = systemClock;
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock });
const sessions = new PostgresSessionStore({ pool, clock });
const labels = new PostgresLabelStore(pool);
const metadata = new PostgresMetadataStore(pool);
const refs = new PostgresRefStore(pool);
const disposals = new PostgresDisposalStore(pool);
const { principals, folders, rules } = accessStores(pool);

const NOW = Date.UTC(2030, 0, 2);
const reason = 'Its time is over';
const name = { system: 'dms', value: '4711' };

async function makeDocument(): Promise<{ readonly documentId: DocumentId; readonly versionId: VersionId }> {
  const { documentId, versionId, ...wish } = versionWish();
  await committer.commit(scope, { documentId, versionId, ...wish });
  return { documentId, versionId };
}

const dispose = (documentId: DocumentId) => disposals.disposeDocument(scope, { documentId, reason, atMs: NOW });
const hold = (documentId: DocumentId) => disposals.setHold(scope, { documentId, reason: 'Appeal', atMs: NOW });
const list = async (documentId: DocumentId) =>
  (await catalog.listDocuments(scope, { limit: 1000, after: undefined })).items.filter((item) => item.documentId === documentId);

async function eventsOf(documentId: DocumentId) {
  const { rows } = await admin.query<{ bytes: Buffer }>('SELECT bytes FROM audit.event ORDER BY xid, seq');
  const events = rows
    .map(({ bytes }) => decodeEvent(bytes))
    .filter((event) => 'action' in event && event.resource.id === documentId);
  return events.map((event) => 'action' in event && { action: event.action, detail: event.detail });
}

t.test('a document that is disposed of is out of lists and changes, and keeps what it was', async (t) => {
  const { documentId, versionId } = await makeDocument();
  const blob = (await catalog.findVersion(scope, documentId))?.blob.key as BlobKey;
  t.equal(await refs.addRef(scope, documentId, { ...name, meta: undefined }, NOW), 'added');
  await rules.replaceRules(
    scope,
    { kind: 'document', documentId },
    { rules: [newRule('allow', ['doc.read'], scope.principalId)], expectedVersion: 0, atMs: NOW },
  );
  t.strictSame(await dispose(documentId), { kind: 'disposed', uploadIds: [] });
  t.strictSame(await dispose(documentId), { kind: 'unchanged' });

  t.strictSame(await list(documentId), []);
  t.equal(await refs.findRef(scope, name), undefined);
  t.strictSame(await catalog.findBlobDocuments(scope, blob, { names: [], documentId: undefined }), []);
  t.equal((await catalog.findVersion(scope, documentId))?.versionId, versionId);
  t.match(await rules.loadAccessList(scope, { kind: 'document', documentId }), { disposed: true, places: [{ rules: [{}] }, {}] });
  const next = versionWish({ documentId, newDocument: false });
  t.strictSame(await committer.commit(scope, next), { kind: 'document_missing' });
  t.strictSame(await committer.commit(scope, versionWish({ documentId })), { kind: 'document_exists' });
  const change = metadataWish(documentId, [putting(metadataEntry())]);
  t.strictSame(await metadata.commitMetadata(scope, change), { kind: 'document_missing' });
  const move = { documentId, label: 'sealed', versionId, expected: undefined, reason, atMs: NOW };
  t.strictSame(await labels.moveLabel(scope, move), { kind: 'document_missing' });
  t.equal(await refs.addRef(scope, documentId, { ...name, meta: undefined }, NOW), 'document_missing');
  t.equal(await folders.placeDocument(scope, documentId, undefined), 'document_missing');
  const wish = { rules: [], expectedVersion: 1, atMs: NOW };
  t.strictSame(await rules.replaceRules(scope, { kind: 'document', documentId }, wish), { kind: 'place_missing' });
  t.strictSame(await hold(documentId), { kind: 'document_missing' });
  t.equal(await disposals.releaseHold(scope, { documentId, reason, atMs: NOW }), 'document_missing');
  const retention = await disposals.setRetention(scope, { documentId, untilMs: NOW, reason: undefined });
  t.strictSame(retention, { kind: 'document_missing' });
  t.match((await eventsOf(documentId)).at(-1), { action: 'document.dispose', detail: { reason } });
});

t.test('a hold and a retention keep a document, each until its end', async (t) => {
  const { documentId } = await makeDocument();
  const retain = (untilMs: number) => disposals.setRetention(scope, { documentId, untilMs, reason: undefined });
  t.strictSame(await retain(NOW + 10), { kind: 'changed', untilMs: NOW + 10 });
  t.strictSame(await retain(NOW + 10), { kind: 'unchanged', untilMs: NOW + 10 });
  t.strictSame(await retain(NOW + 9), { kind: 'retention_shortened', untilMs: NOW + 10 });
  t.strictSame(await dispose(documentId), { kind: 'document_retained', untilMs: NOW + 10 });

  t.strictSame(await hold(documentId), { kind: 'changed', setAtMs: NOW });
  const again = await disposals.setHold(scope, { documentId, reason: 'Appeal', atMs: NOW + 5 });
  t.strictSame(again, { kind: 'unchanged', setAtMs: NOW });
  t.match(await catalog.findDocument(scope, documentId), { retainUntilMs: NOW + 10, hold: { reason: 'Appeal', setAtMs: NOW } });
  t.strictSame(await dispose(documentId), { kind: 'document_held' });
  t.equal(await disposals.releaseHold(scope, { documentId, reason: 'Withdrawn', atMs: NOW }), 'changed');
  t.equal(await disposals.releaseHold(scope, { documentId, reason: 'Withdrawn', atMs: NOW }), 'unchanged');
  t.match(await catalog.findDocument(scope, documentId), { hold: undefined });

  const late = await disposals.disposeDocument(scope, { documentId, reason, atMs: NOW + 10 });
  t.equal(late.kind, 'disposed');
  t.strictSame((await eventsOf(documentId)).slice(-4), [
    { action: 'retention.set', detail: { retainUntil: '2030-01-02T00:00:00.010Z' } },
    { action: 'hold.set', detail: { reason: 'Appeal' } },
    { action: 'hold.release', detail: { reason: 'Withdrawn' } },
    { action: 'document.dispose', detail: { reason } },
  ]);
});

t.test('a change of a document that is no longer what was demanded is refused, and nothing is changed or noted', async (t) => {
  const { documentId, versionId } = await makeDocument();
  const stateOf = async () => (await catalog.showDocument(scope, documentId))?.state as string;
  const before = await stateOf();
  const guard = { documentId, versions: [], states: [before] };
  const target = { documentId, reason, atMs: NOW, guard };
  t.strictSame(await disposals.setHold(scope, target), { kind: 'changed', setAtMs: NOW });
  const noted = await eventsOf(documentId);
  const failed = { code: 'precondition_failed' };
  const label = { documentId, label: 'sealed', versionId, expected: undefined, reason: undefined, atMs: NOW, guard };
  const refused: readonly (() => Promise<unknown>)[] = [
    () => disposals.releaseHold(scope, target),
    () => disposals.setHold(scope, { ...target, reason: 'Another' }),
    () => disposals.setRetention(scope, { documentId, untilMs: NOW, reason, guard }),
    () => disposals.disposeDocument(scope, target),
    () => labels.moveLabel(scope, label),
    () => refs.addRef(scope, documentId, { ...name, value: 'guarded', meta: undefined }, NOW, guard),
    () => refs.removeRef(scope, documentId, name, guard),
    () => folders.placeDocument(scope, documentId, undefined, guard),
    () => disposals.releaseHold(scope, { ...target, guard: { documentId, versions: [newId<VersionId>(clock)], states: [] } }),
    () => disposals.releaseHold(scope, { ...target, guard: { documentId, versions: [], states: [] } }),
  ];
  for (const change of refused) {
    await t.rejects(change(), failed, change.toString());
  }
  t.strictSame(await eventsOf(documentId), noted);
  t.equal((await catalog.findDocument(scope, documentId))?.hold?.reason, reason);
  const current = { documentId, versions: [versionId], states: [] };
  t.equal(await disposals.releaseHold(scope, { ...target, guard: current }), 'changed');
  t.equal(await stateOf(), before, 'what is shown is what it was, so is the state');
  const seen = new Set([before]);
  const folder = newFolder();
  await folders.createFolder(scope, folder);
  for (const change of [
    () => refs.addRef(scope, documentId, { ...name, value: 'guarded', meta: '{}' }, NOW, current),
    () => labels.moveLabel(scope, { ...label, guard: current }),
    () => folders.placeDocument(scope, documentId, folder.folderId, current),
    () => disposals.setRetention(scope, { documentId, untilMs: NOW, reason, guard: current }),
    () => disposals.disposeDocument(scope, { ...target, guard: current }),
  ]) {
    await change();
    seen.add(await stateOf());
  }
  t.equal(seen.size, 6, 'whatever is shown of a document is in its state');
});

t.test('of two changes that demand the same state, one is made', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { documentId } = await makeDocument();
    const state = (await catalog.showDocument(scope, documentId))?.state as string;
    const guard = { documentId, versions: [], states: [state] };
    const results = await Promise.allSettled([
      disposals.setHold(scope, { documentId, reason: 'Appeal', atMs: NOW, guard }),
      disposals.disposeDocument(scope, { documentId, reason, atMs: NOW, guard }),
      refs.addRef(scope, documentId, { system: 'guard', value: String(round), meta: undefined }, NOW, guard),
    ]);
    const made = results.filter(({ status }) => status === 'fulfilled');
    // Changes of what has been disposed of say so themselves.
    const changed = made.filter((result) => 'value' in result && !['document_missing'].includes(kindOf(result.value)));
    t.equal(changed.length, 1, JSON.stringify(results));
  }
});

function kindOf(outcome: string | { readonly kind: string }): string {
  return typeof outcome === 'string' ? outcome : outcome.kind;
}

t.test('a name is free again, for a document that wants it at the same time too', async (t) => {
  for (let round = 0; round < 10; round++) {
    const [old, next] = [await makeDocument(), await makeDocument()];
    const ref = { system: 'race', value: String(round), meta: undefined };
    await refs.addRef(scope, old.documentId, ref, NOW);
    const [, taken] = await Promise.all([dispose(old.documentId), refs.addRef(scope, next.documentId, ref, NOW)]);
    if (taken === 'ref_taken') t.equal(await refs.addRef(scope, next.documentId, ref, NOW), 'added');
    t.equal(await refs.findRef(scope, ref), next.documentId);
  }
});

t.test('of a change and a disposal at once, the change comes before or not at all', async (t) => {
  for (let round = 0; round < 20; round++) {
    const { documentId, versionId } = await makeDocument();
    const next = versionWish({ documentId, newDocument: false });
    const move = { documentId, label: 'sealed', versionId, expected: undefined, reason, atMs: NOW };
    const ref = { system: 'rival', value: String(round), meta: undefined };
    const [disposed, committed, moved, named] = await Promise.all([
      dispose(documentId),
      committer.commit(scope, next),
      labels.moveLabel(scope, move),
      refs.addRef(scope, documentId, ref, NOW),
    ]);
    t.equal(disposed.kind, 'disposed');
    const { items } = await catalog.listVersions(scope, documentId, { limit: 9, after: undefined });
    t.equal(items.length, committed.kind === 'committed' ? 2 : 1, committed.kind);
    const sealed = await labels.findLabel(scope, { documentId, label: 'sealed', atMs: undefined });
    t.equal(sealed, moved.kind === 'moved' ? versionId : undefined, moved.kind);
    t.equal(await refs.findRef(scope, ref), undefined, named);
  }
});

t.test('of a hold and a disposal at once, one wins', async (t) => {
  for (let round = 0; round < 20; round++) {
    const { documentId } = await makeDocument();
    const [disposed, held] = await Promise.all([dispose(documentId), hold(documentId)]);
    const won = disposed.kind === 'disposed' ? ['disposed', 'document_missing'] : ['document_held', 'changed'];
    t.strictSame([disposed.kind, held.kind], won);
  }
});

/** Ready for its commit. */
async function sealedSession(documentId: DocumentId, more: Partial<UploadSession> = {}, attached?: AttachedRecords) {
  const session = { ...newSession(clock), documentId, ...more };
  await sessions.create(scope, { session, attached, idempotency: undefined });
  await sessions.seal(scope, session.uploadId, session.fence);
  const { uploadId, fence, newDocument } = session;
  return { uploadId, wish: versionWish({ documentId, newDocument, upload: { uploadId, fence, fingerprint: 'args' } }) };
}

t.test('a disposal ends the open sessions of its document, and no other begins', async (t) => {
  const { documentId } = await makeDocument();
  const session = { ...newSession(clock), documentId, newDocument: false };
  await sessions.create(scope, { session, attached: undefined, idempotency: undefined });
  const member = newPrincipal('colleague');
  await principals.createPrincipal(scope, member);
  const colleague = actorIn({ orgId: scope.orgId, principalId: member.principalId });
  const other = { ...newSession(clock), documentId, newDocument: false };
  await sessions.create(colleague, { session: other, attached: undefined, idempotency: undefined });
  const disposed = await dispose(documentId);
  t.strictSame(disposed.kind === 'disposed' && new Set(disposed.uploadIds), new Set([session.uploadId, other.uploadId]));
  t.match(await sessions.find(scope, session.uploadId), { state: 'failed', fence: session.fence + 1 });
  t.match(await sessions.find(colleague, other.uploadId), { state: 'failed' });
  const next = { session: { ...session, ...newSession(clock), documentId, newDocument: false }, attached: undefined };
  await t.rejects(sessions.create(scope, { ...next, idempotency: undefined }), { code: 'document_disposed' });
});

t.test('a session, its commit and a disposal at once', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { documentId } = await makeDocument();
    const { uploadId, wish } = await sealedSession(documentId, { newDocument: false });
    const other = versionWish({ documentId, newDocument: false });
    const [disposed, finished] = await Promise.all([
      dispose(documentId),
      committer.commit(scope, wish),
      committer.commit(scope, other),
    ]);
    t.equal(disposed.kind, 'disposed');
    const state = (await sessions.find(scope, uploadId))?.state;
    t.equal(state, finished.kind === 'committed' ? 'committed' : 'failed', finished.kind);
  }
});

t.test('a new document comes into its folder, in a batch with one whose folder has gone', async (t) => {
  const folder = newFolder();
  const { folderId } = folder;
  await folders.createFolder(scope, folder);
  const wishes = [folderId, newId<FolderId>(clock), undefined].map((into) => versionWish({ folderId: into }));
  const keyed = wishes.map((wish, n) => {
    const idempotency = { key: `folder-${n}`, fingerprint: 'same' };
    return { ...wish, documentId: newId<DocumentId>(clock), versionId: newId<VersionId>(clock), idempotency };
  });
  const outcomes = await Promise.all([...wishes, ...keyed].map((wish) => committer.commit(scope, wish)));
  const kinds = ['committed', 'folder_missing', 'committed'];
  t.strictSame(
    outcomes.map(({ kind }) => kind),
    [...kinds, ...kinds],
  );
  for (const [n, { documentId, folderId: into }] of [...wishes, ...keyed].entries()) {
    const found = await catalog.findDocument(scope, documentId);
    t.strictSame([found !== undefined, found?.folderId], n % 3 === 1 ? [false, undefined] : [true, into]);
  }
});

t.test('a new document comes under its first rules, or not at all', async (t) => {
  const folder = newFolder();
  await folders.createFolder(scope, folder);
  const rule = newRule('deny', ['blob.read'], scope.principalId);
  const attached = { refs: [], metadata: [], folderId: folder.folderId, rules: [rule] };
  const documentId = newId<DocumentId>(clock);
  const { wish } = await sealedSession(documentId, {}, attached);
  t.equal((await committer.commit(scope, wish)).kind, 'committed');
  t.strictSame(await rules.findRules(scope, { kind: 'document', documentId }), { version: 1, rules: [rule] });
  t.equal((await catalog.findDocument(scope, documentId))?.folderId, folder.folderId);

  const second = await sealedSession(newId<DocumentId>(clock), {}, attached);
  await committer.commit(scope, versionWish({ documentId: second.wish.documentId }));
  for (const newDocument of [true, false]) {
    t.strictSame(await committer.commit(scope, { ...second.wish, newDocument }), { kind: 'document_exists' });
  }

  const strange = { ...attached, rules: [newRule('allow', ['doc.read'], newId<GroupId>(clock))] };
  const refused = sessions.create(scope, { session: newSession(clock), attached: strange, idempotency: undefined });
  await t.rejects(refused, { code: 'subject_not_found', details: { subjectId: strange.rules[0]?.principals[0] } });
});
