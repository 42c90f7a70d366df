import { randomUUID } from 'node:crypto';
import type t from 'tap';
import type { Catalog, CommitOutcome, VersionCommit, VersionCommitter, VersionFacts } from '../../src/catalog/catalog.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { BlobKey } from '../../src/core/digest.ts';
import { type DocumentId, newId, type VersionId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { deedsOf, type ReadNoted } from '../helpers/noted-events.ts';
import { blobFacts, digits, versionIdAt, versionWish } from '../helpers/version-wish.ts';

export interface CatalogUnderTest {
  readonly catalog: Catalog;
  readonly committer: VersionCommitter;
  /** Two orgs that must not see each other. */
  readonly scope: Actor;
  readonly stranger: Actor;
  /** What its changes have left in the audit log. */
  readonly noted: ReadNoted;
}

type Test = Pick<typeof t, 'test'>;

/** What every Catalog and VersionCommitter must do, whatever they are made of. */
export function catalogContract(test: Test, { catalog, committer, scope, stranger, noted }: CatalogUnderTest): void {
  test.test('a committed version is found by document, by id and by blob', async (t) => {
    const wish = versionWish({ reason: 'Filed by hand' });
    const outcome = await committer.commit(scope, wish);
    const expected = { ...factsOf(wish), labels: ['CURRENT'] };
    t.strictSame(outcome, { kind: 'committed', version: expected });
    t.strictSame(await catalog.findVersion(scope, wish.documentId), expected);
    t.strictSame(await catalog.findVersion(scope, wish.documentId, wish.versionId), expected);
    t.strictSame(await catalog.findBlob(scope, wish.blob.key), wish.blob);
    t.strictSame(await catalog.findDocument(scope, wish.documentId), {
      documentId: wish.documentId,
      currentVersionId: wish.versionId,
      createdAtMs: wish.createdAtMs,
      updatedAtMs: wish.createdAtMs,
      folderId: undefined,
      retainUntilMs: undefined,
      hold: undefined,
    });
  });

  test.test('a committed version leaves one event, in the log of its org', async (t) => {
    const first = versionWish({ labels: ['filed', 'CURRENT'], reason: 'Scanned again' });
    const { documentId } = first;
    await committer.commit(scope, first);
    await committer.commit(scope, versionWish({ documentId, newDocument: false }));
    t.strictSame(await deedsOf(noted, scope, documentId), ['document.create', 'version.create']);
    t.strictSame(await deedsOf(noted, stranger, documentId), []);
    const event = (await noted(scope)).find(({ resource }) => resource.version === first.versionId);
    t.strictSame(event?.resource, { kind: 'document', id: documentId, version: first.versionId });
    t.strictSame(event?.detail, { key: first.blob.key, size: first.blob.size, reason: 'Scanned again', labels: ['filed'] });
  });

  test.test('a commit that is refused, or was made before, leaves no event', async (t) => {
    const first = versionWish({ idempotency: { key: randomUUID(), fingerprint: 'f' } });
    const { documentId, idempotency } = first;
    await committer.commit(scope, first);
    const elsewhere = newId<VersionId>(systemClock);
    const refused = [
      versionWish({ documentId }),
      versionWish({ documentId, newDocument: false, expectedVersionId: elsewhere }),
      versionWish({ documentId, newDocument: false, idempotency }),
      versionWish({ documentId, idempotency: idempotency && { ...idempotency, fingerprint: 'g' } }),
      versionWish({ newDocument: false }),
    ];
    for (const wish of refused) t.not((await committer.commit(scope, wish)).kind, 'committed');
    t.strictSame(await deedsOf(noted, scope, documentId), ['document.create']);
    const versions = new Set((await noted(scope)).map(({ resource }) => resource.version));
    t.notOk(refused.some(({ versionId }) => versions.has(versionId)));
  });

  test.test('commits that are made at once leave one event each, in their order', async (t) => {
    const wishes = Array.from({ length: 60 }, (_, n) => versionWish(n % 3 === 0 ? { labels: ['filed'] } : {}));
    const twice = versionWish({ documentId: wishes[1]?.documentId as DocumentId });
    const outcomes = await Promise.all([...wishes, twice].map((wish) => committer.commit(scope, wish)));
    t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 60);
    const asked = new Set([...wishes, twice].map(({ versionId }) => versionId as string));
    const left = (await noted(scope)).flatMap(({ resource: { version } }) => (version && asked.has(version) ? [version] : []));
    t.strictSame(
      left,
      wishes.map(({ versionId }) => versionId),
    );
  });

  test.test('what was never committed is undefined', async (t) => {
    t.equal(await catalog.findDocument(scope, newId<DocumentId>(systemClock)), undefined);
    t.equal(await catalog.findVersion(scope, newId<DocumentId>(systemClock)), undefined);
    t.equal(await catalog.findBlob(scope, blobFacts(randomUUID()).key), undefined);
    t.equal(await catalog.findManifestPage(scope, blobFacts(randomUUID()).key, 0), undefined);
  });

  test.test('versions that are asked for at once come back each to its question, and to its org', async (t) => {
    const wishes = Array.from({ length: 300 }, () => versionWish());
    await Promise.all(wishes.map((wish) => committer.commit(scope, wish)));
    const [known] = wishes;
    const asked = wishes.flatMap(({ documentId, versionId }, n) => [
      catalog.findVersion(scope, documentId, n % 2 === 0 ? undefined : versionId),
      catalog.findVersion(scope, documentId, newId<VersionId>(systemClock)),
      catalog.findVersion(stranger, documentId),
      catalog.findVersion(scope, known?.documentId as DocumentId),
    ]);
    const found = (await Promise.all(asked)).map((version) => version?.versionId);
    t.strictSame(
      found,
      wishes.flatMap(({ versionId }) => [versionId, undefined, undefined, known?.versionId]),
    );
  });

  test.test('a further version has the one before as parent and takes CURRENT', async (t) => {
    const first = versionWish();
    await committer.commit(scope, first);
    const second = versionWish({ documentId: first.documentId, newDocument: false, createdAtMs: first.createdAtMs + 1000 });
    const outcome = committed(await committer.commit(scope, second));
    t.strictSame(outcome.parents, [first.versionId]);
    t.strictSame(outcome, await catalog.findVersion(scope, first.documentId));
    t.strictSame((await catalog.findVersion(scope, first.documentId, first.versionId))?.labels, []);
    t.equal((await catalog.findDocument(scope, first.documentId))?.updatedAtMs, second.createdAtMs);
  });

  test.test('labels belong to the version that was given them last', async (t) => {
    const first = versionWish({ labels: ['signed', 'CURRENT', 'draft', 'signed'] });
    t.strictSame(committed(await committer.commit(scope, first)).labels, ['CURRENT', 'draft', 'signed']);
    const second = versionWish({ documentId: first.documentId, newDocument: false, labels: ['signed'] });
    t.strictSame(committed(await committer.commit(scope, second)).labels, ['CURRENT', 'signed']);
    t.strictSame((await catalog.findVersion(scope, first.documentId, first.versionId))?.labels, ['draft']);
  });

  test.test('manifest pages come back byte by byte', async (t) => {
    const pages = [Buffer.alloc(500, 1), Buffer.alloc(70_000, 2), Buffer.alloc(36, 3)];
    const wish = versionWish({ pages, blob: { ...blobFacts(randomUUID()), blockCount: 9000 } });
    const other = versionWish({ pages: [Buffer.alloc(77, 4)], blob: { ...blobFacts(randomUUID()), blockCount: 2 } });
    await Promise.all([committer.commit(scope, other), committer.commit(scope, wish)]);
    for (const [index, page] of pages.entries()) {
      t.ok(page.equals((await catalog.findManifestPage(scope, wish.blob.key, index)) ?? Buffer.alloc(0)), `page ${index}`);
    }
    t.equal(await catalog.findManifestPage(scope, wish.blob.key, 3), undefined);
    t.ok(Buffer.alloc(77, 4).equals((await catalog.findManifestPage(scope, other.blob.key, 0)) ?? Buffer.alloc(0)));
  });

  test.test('a blob that was there keeps its cut, and the answer says so', async (t) => {
    const blob = { ...blobFacts(randomUUID()), blockCount: 2 };
    await committer.commit(scope, versionWish({ blob, pages: [Buffer.alloc(36, 1)] }));
    const recut = {
      ...blob,
      chunker: 'fastcdc-v1' as const,
      manifestRoot: digits('other cut') as typeof blob.manifestRoot,
      blockCount: 3,
    };
    const again = committed(await committer.commit(scope, versionWish({ blob: recut, pages: [Buffer.alloc(72, 2)] })));
    t.strictSame(again.blob, blob);
    t.equal((await catalog.findManifestPage(scope, blob.key, 0))?.length, 36);
  });

  test.test('a version may come from several of its document, each named once, the current one first', async (t) => {
    const first = versionWish();
    const { documentId } = first;
    const further = (parents: readonly VersionId[]) => versionWish({ documentId, newDocument: false, parents });
    await committer.commit(scope, first);
    const second = committed(await committer.commit(scope, further([])));
    t.strictSame(second.parents, [first.versionId]);
    const merged = committed(await committer.commit(scope, further([first.versionId, second.versionId, first.versionId])));
    t.strictSame(merged.parents, [second.versionId, first.versionId]);
    const stranger = versionWish();
    await committer.commit(scope, stranger);
    const refused = further([stranger.versionId]);
    t.strictSame(await committer.commit(scope, refused), { kind: 'parent_missing' });
    t.equal(await catalog.findVersion(scope, documentId, refused.versionId), undefined);
    const itself = further([]);
    t.strictSame(await committer.commit(scope, { ...itself, parents: [itself.versionId] }), { kind: 'parent_missing' });
    t.strictSame((await catalog.findVersion(scope, documentId, merged.versionId))?.parents, [second.versionId, first.versionId]);
  });

  test.test('a further version that expects another current one is refused and leaves nothing', async (t) => {
    const first = versionWish();
    await committer.commit(scope, first);
    const { documentId } = first;
    const second = versionWish({ documentId, newDocument: false, expectedVersionId: first.versionId });
    t.match(await committer.commit(scope, second), { kind: 'committed', version: { parents: [first.versionId] } });
    const idempotency = { key: randomUUID(), fingerprint: 'f' };
    const late = versionWish({ documentId, newDocument: false, expectedVersionId: first.versionId, idempotency });
    t.strictSame(await committer.commit(scope, late), { kind: 'version_changed' });
    t.equal(await catalog.findBlob(scope, late.blob.key), undefined, 'no blob');
    t.equal(await committer.findByIdempotencyKey(scope, idempotency.key), undefined, 'and the key is free');
    t.equal((await catalog.findVersion(scope, documentId))?.versionId, second.versionId);
  });

  test.test('of many that come after the same version, one does', async (t) => {
    const first = versionWish();
    await committer.commit(scope, first);
    const wish = { documentId: first.documentId, newDocument: false, expectedVersionId: first.versionId };
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => committer.commit(scope, versionWish(wish))));
    t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
    t.equal(outcomes.filter(({ kind }) => kind === 'version_changed').length, 19);
  });

  test.test('a document is made once, and is needed for a further version', async (t) => {
    const wish = versionWish();
    await committer.commit(scope, wish);
    const twice = versionWish({ documentId: wish.documentId });
    t.strictSame(await committer.commit(scope, twice), { kind: 'document_exists' });
    t.strictSame(await committer.commit(scope, versionWish({ newDocument: false })), { kind: 'document_missing' });
    t.equal(await catalog.findBlob(scope, twice.blob.key), undefined, 'a refused commit leaves no blob');
  });

  test.test('of many that make the same document at once, one does', async (t) => {
    const { documentId } = versionWish();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => committer.commit(scope, versionWish({ documentId }))));
    t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
    t.equal(outcomes.filter(({ kind }) => kind === 'document_exists').length, 19);
    t.equal((await catalog.listVersions(scope, documentId, { limit: 10, after: undefined })).items.length, 1);
  });

  test.test('versions of one document that are committed at once form one line', async (t) => {
    const first = versionWish();
    await committer.commit(scope, first);
    const more = Array.from({ length: 20 }, () => versionWish({ documentId: first.documentId, newDocument: false }));
    const made = (await Promise.all(more.map((wish) => committer.commit(scope, wish)))).map(committed);
    const parents = made.map((version) => version.parents[0]);
    t.equal(new Set(parents).size, 20, 'no two follow the same version');
  });

  test.test('many commits at once all arrive, whatever their blobs', async (t) => {
    const shared = blobFacts(randomUUID());
    const wishes = Array.from({ length: 600 }, (_, n) => (n % 3 === 0 ? versionWish({ blob: shared }) : versionWish()));
    const outcomes = await Promise.all(wishes.map((wish) => committer.commit(scope, wish)));
    for (const [n, outcome] of outcomes.entries()) t.equal(committed(outcome).versionId, wishes[n]?.versionId);
  });

  test.test('an idempotency key gives the first answer again', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'same request' };
    const first = versionWish({ idempotency });
    const version = committed(await committer.commit(scope, first));
    t.strictSame(await committer.commit(scope, versionWish({ idempotency })), { kind: 'repeated', version });
    t.strictSame(await committer.findByIdempotencyKey(scope, idempotency.key), { fingerprint: 'same request', version });
    const other = { ...idempotency, fingerprint: 'another request' };
    t.strictSame(await committer.commit(scope, versionWish({ idempotency: other })), { kind: 'idempotency_mismatch' });
  });

  test.test('requests with the same key at once make one version', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'same request' };
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => committer.commit(scope, versionWish({ idempotency }))));
    t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
    t.equal(outcomes.filter(({ kind }) => kind === 'repeated').length, 19);
  });

  test.test('a key is free again after its time', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'old request' };
    const long = systemClock.now() - limits.idempotencyLifetimeMs - 1;
    await committer.commit(scope, versionWish({ idempotency, createdAtMs: long }));
    t.equal(await committer.findByIdempotencyKey(scope, idempotency.key), undefined);
    const later = versionWish({ idempotency: { ...idempotency, fingerprint: 'new request' } });
    t.equal((await committer.commit(scope, later)).kind, 'committed');
  });

  test.test('a refused commit does not use its key up', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'a request' };
    t.strictSame(await committer.commit(scope, versionWish({ idempotency, newDocument: false })), { kind: 'document_missing' });
    t.equal((await committer.commit(scope, versionWish({ idempotency }))).kind, 'committed');
  });

  test.test('keys of another principal or org are not ours', async (t) => {
    const idempotency = { key: randomUUID(), fingerprint: 'a request' };
    await committer.commit(scope, versionWish({ idempotency }));
    t.equal((await committer.commit(stranger, versionWish({ idempotency }))).kind, 'committed');
  });

  test.test('a commit that cannot be stored fails alone', async (t) => {
    const good = [versionWish(), versionWish()];
    const bad = versionWish({ filename: 'nul \u0000 name' });
    const [first, second, third] = await Promise.allSettled(
      [good[0], bad, good[1]].map((wish) => committer.commit(scope, wish as typeof bad)),
    );
    t.match(first, { status: 'fulfilled', value: { kind: 'committed' } });
    t.match(second, { status: 'rejected', reason: { code: 'bad_parameter' } });
    t.match(third, { status: 'fulfilled', value: { kind: 'committed' } });
    t.equal(await catalog.findVersion(scope, bad.documentId), undefined);
  });

  test.test('documents are listed by their latest change, page by page, each once', async (t) => {
    const now = systemClock.now() + 1000;
    const wishes = [0, 1, 2].map((ms) => versionWish({ versionId: versionIdAt(now + ms) }));
    for (const wish of wishes) await committer.commit(scope, wish);
    const [first] = wishes;
    const changed = versionWish({
      documentId: first?.documentId as DocumentId,
      newDocument: false,
      versionId: versionIdAt(now + 3),
    });
    await committer.commit(scope, changed);

    const seen: DocumentId[] = [];
    let after: string | undefined;
    do {
      const page = await catalog.listDocuments(scope, { limit: 2, after });
      seen.push(...page.items.map(({ documentId }) => documentId));
      after = page.next;
    } while (after !== undefined && seen.length < 6);
    t.equal(seen[0], changed.documentId);
    t.strictSame(seen.slice(1, 3), [wishes[2]?.documentId, wishes[1]?.documentId]);
    t.equal(new Set(seen).size, seen.length);
    const { items } = await catalog.listDocuments(scope, { limit: 1, after: undefined });
    t.strictSame(items[0]?.current, await catalog.findVersion(scope, changed.documentId));
  });

  test.test('versions are listed newest first, and the last page says so', async (t) => {
    const first = versionWish();
    await committer.commit(scope, first);
    const ids: VersionId[] = [first.versionId];
    for (let n = 0; n < 3; n++) {
      const versionId = versionIdAt(first.createdAtMs + 1 + n);
      const wish = versionWish({ documentId: first.documentId, newDocument: false, versionId });
      await committer.commit(scope, wish);
      ids.unshift(wish.versionId);
    }
    const page = await catalog.listVersions(scope, first.documentId, { limit: 3, after: undefined });
    t.strictSame(
      page.items.map(({ versionId }) => versionId),
      ids.slice(0, 3),
    );
    const last = await catalog.listVersions(scope, first.documentId, { limit: 3, after: page.next });
    t.strictSame(
      last.items.map(({ versionId }) => versionId),
      ids.slice(3),
    );
    t.equal(last.next, undefined);
  });

  test.test('the documents that have a blob are found, the newest for all alike, older versions too', async (t) => {
    const blob = blobFacts(randomUUID());
    const wishes = Array.from({ length: 5 }, () => versionWish({ blob }));
    for (const wish of wishes) await committer.commit(scope, wish);
    const [again, replaced] = wishes as [VersionCommit, VersionCommit];
    const versionId = newId<VersionId>(systemClock);
    await committer.commit(scope, { ...again, newDocument: false, versionId });
    await committer.commit(scope, { ...versionWish(), documentId: replaced.documentId, newDocument: false });
    await committer.commit(stranger, versionWish({ blob }));
    const ids = wishes.map(({ documentId }) => documentId).sort();
    const find = (key: BlobKey, documentId?: DocumentId) => catalog.findBlobDocuments(scope, key, { names: [], documentId });
    t.strictSame(await find(blob.key), ids.slice(-1));
    for (const id of ids) t.strictSame(await find(blob.key, id), [id]);
    t.strictSame(await find(blob.key, newId<DocumentId>(systemClock)), []);
    t.strictSame(await find(blobFacts(randomUUID()).key), []);
  });

  test.test('another org sees nothing and may store the same', async (t) => {
    const wish = versionWish({ pages: [Buffer.alloc(72, 1)], blob: { ...blobFacts(randomUUID()), blockCount: 2 } });
    await committer.commit(scope, wish);
    t.equal(await catalog.findDocument(stranger, wish.documentId), undefined);
    t.equal(await catalog.findVersion(stranger, wish.documentId, wish.versionId), undefined);
    t.equal(await catalog.findBlob(stranger, wish.blob.key), undefined);
    t.equal(await catalog.findManifestPage(stranger, wish.blob.key, 0), undefined);
    t.strictSame((await catalog.listVersions(stranger, wish.documentId, { limit: 5, after: undefined })).items, []);
    t.strictSame(await committer.commit(stranger, { ...wish, newDocument: false }), { kind: 'document_missing' });
    t.equal((await committer.commit(stranger, wish)).kind, 'committed');
  });
}

function committed(outcome: CommitOutcome): VersionFacts {
  if (outcome.kind !== 'committed') throw new Error(`expected a commit, got ${outcome.kind}`);
  return outcome.version;
}

function factsOf({
  versionId,
  documentId,
  blob,
  filename,
  contentType,
  reason,
  createdAtMs,
}: ReturnType<typeof versionWish>): VersionFacts {
  return { versionId, documentId, parents: [], labels: [], blob, filename, contentType, reason, createdAtMs };
}
