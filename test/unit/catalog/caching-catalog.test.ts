import t from 'tap';
import { CachingCatalog } from '../../../src/catalog/caching-catalog.ts';
import type { VersionCommit } from '../../../src/catalog/catalog.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { type DocumentId, newId, type OrgId } from '../../../src/core/ids.ts';
import { MemoryCatalog } from '../../helpers/memory-catalog.ts';
import { MemoryDisposals } from '../../helpers/memory-disposals.ts';
import { MemoryMetadata } from '../../helpers/memory-metadata.ts';
import { metadataEntry, metadataWish, putting } from '../../helpers/metadata-wish.ts';
import { testScope } from '../../helpers/open-uploads.ts';
import { versionWish } from '../../helpers/version-wish.ts';

function openCaching(entriesMax = 10) {
  const behind = new MemoryCatalog(systemClock.now);
  return {
    behind,
    catalog: new CachingCatalog({
      catalog: behind,
      committer: behind,
      labels: behind,
      metadata: new MemoryMetadata(),
      disposals: new MemoryDisposals(),
      entriesMax,
    }),
  };
}

/** A further version of the document. */
function successor({ documentId }: VersionCommit, changes: Partial<VersionCommit> = {}): VersionCommit {
  return versionWish({ documentId, newDocument: false, ...changes });
}

t.test('a version is asked for once, current and by id apart', async (t) => {
  const { behind, catalog } = openCaching();
  const wish = versionWish();
  await behind.commit(testScope, wish);
  t.equal(catalog.peekVersion(testScope, wish.documentId, undefined), undefined);
  for (let round = 0; round < 3; round++) {
    await catalog.findVersion(testScope, wish.documentId);
    await catalog.findVersion(testScope, wish.documentId, wish.versionId);
  }
  t.equal(behind.finds, 2);
  t.equal(catalog.peekVersion(testScope, wish.documentId, undefined)?.versionId, wish.versionId);
  const stranger = { ...testScope, orgId: newId<OrgId>(systemClock) };
  t.equal(catalog.peekVersion(stranger, wish.documentId, undefined), undefined);
});

t.test('a document that was just made is known, and no longer when a further version overtook its answer', async (t) => {
  const { behind, catalog } = openCaching();
  const wish = versionWish({ labels: ['FILED'] });
  await catalog.commit(testScope, wish);
  t.strictSame(catalog.peekVersion(testScope, wish.documentId, undefined), await behind.findVersion(testScope, wish.documentId));
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  behind.after = async () => {
    behind.after = async () => {};
    await held;
  };
  const first = versionWish();
  const making = catalog.commit(testScope, first);
  await new Promise((resolve) => setImmediate(resolve));
  const second = successor(first);
  await catalog.commit(testScope, second);
  answer();
  t.equal((await making).kind, 'committed');
  t.equal((await catalog.findVersion(testScope, first.documentId))?.versionId, second.versionId);
});

t.test('a document that exists already is not taken for the one that was refused', async (t) => {
  const { catalog } = openCaching();
  const wish = versionWish();
  await catalog.commit(testScope, wish);
  await catalog.commit(testScope, versionWish({ documentId: wish.documentId }));
  t.equal((await catalog.findVersion(testScope, wish.documentId))?.versionId, wish.versionId);
});

t.test('a commit shows at once: the current version moves, and its labels leave the one before', async (t) => {
  const { catalog } = openCaching();
  const first = versionWish({ labels: ['FILED'] });
  await catalog.commit(testScope, first);
  await catalog.findVersion(testScope, first.documentId);
  await catalog.findVersion(testScope, first.documentId, first.versionId);
  const second = successor(first, { labels: ['FILED'] });
  await catalog.commit(testScope, second);
  t.equal((await catalog.findVersion(testScope, first.documentId))?.versionId, second.versionId);
  t.same((await catalog.findVersion(testScope, first.documentId, first.versionId))?.labels, []);
});

t.test('a label that moves shows at once, also when its answer is lost', async (t) => {
  const { behind, catalog } = openCaching();
  const first = versionWish();
  const second = successor(first);
  const { documentId } = first;
  await catalog.commit(testScope, first);
  await catalog.commit(testScope, second);
  await catalog.findVersion(testScope, documentId);
  const wish = { documentId, label: 'CURRENT', reason: undefined, atMs: systemClock.now() };
  await catalog.moveLabel(testScope, { ...wish, versionId: first.versionId, expected: second.versionId });
  t.equal((await catalog.findVersion(testScope, documentId))?.versionId, first.versionId);
  behind.after = async () => {
    behind.after = async () => {};
    throw new QuasarError('database_unavailable', { op: 'test' });
  };
  const lost = catalog.moveLabel(testScope, { ...wish, versionId: second.versionId, expected: first.versionId });
  await t.rejects(lost, { code: 'database_unavailable' });
  t.equal((await catalog.findVersion(testScope, documentId))?.versionId, second.versionId);
});

t.test('metadata makes a version: the one before is not answered from memory any more', async (t) => {
  const behind = new MemoryCatalog(systemClock.now);
  const metadata = new MemoryMetadata();
  const catalog = new CachingCatalog({
    ...{ catalog: behind, committer: behind, labels: behind, metadata },
    disposals: new MemoryDisposals(),
    entriesMax: 10,
  });
  const first = versionWish();
  const { documentId } = first;
  await catalog.commit(testScope, first);
  const second = successor(first);
  metadata.onCommit = async () => {
    await behind.commit(testScope, second);
  };
  await catalog.commitMetadata(testScope, metadataWish(documentId, [putting(metadataEntry())]));
  t.equal((await catalog.findVersion(testScope, documentId))?.versionId, second.versionId);
});

t.test('a document that is disposed of is forgotten', async (t) => {
  const { catalog } = openCaching();
  const wish = versionWish();
  const { documentId, versionId } = wish;
  await catalog.commit(testScope, wish);
  await catalog.findVersion(testScope, documentId, versionId);
  await catalog.disposeDocument(testScope, { documentId, reason: 'Its time is over', atMs: 1 });
  t.equal(catalog.peekVersion(testScope, documentId, undefined), undefined);
  t.equal(catalog.peekVersion(testScope, documentId, versionId), undefined);
});

t.test('an answer that was under way when a commit came is given, but not remembered', async (t) => {
  const { behind, catalog } = openCaching();
  const first = versionWish();
  await behind.commit(testScope, first);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  behind.after = async (method) => {
    if (method === 'findVersion') await held;
  };
  const asking = catalog.findVersion(testScope, first.documentId);
  await new Promise((resolve) => setImmediate(resolve));
  const second = successor(first);
  await catalog.commit(testScope, second);
  answer();
  t.equal((await asking)?.versionId, first.versionId, 'it was asked before');
  t.equal((await catalog.findVersion(testScope, first.documentId))?.versionId, second.versionId);
});

t.test('a commit that happens after its connection died shows all the same', async (t) => {
  const { behind, catalog } = openCaching();
  const first = versionWish();
  await catalog.commit(testScope, first);
  const second = successor(first);
  behind.before = async (method) => {
    if (method === 'commit') throw new QuasarError('commit_unknown', { op: 'test' });
  };
  await t.rejects(catalog.commit(testScope, second), { code: 'commit_unknown' });
  t.equal((await catalog.findVersion(testScope, first.documentId))?.versionId, first.versionId);
  // The server was still at it.
  behind.before = async () => {};
  await behind.commit(testScope, second);
  t.equal((await catalog.findVersion(testScope, first.documentId))?.versionId, second.versionId);
});

t.test('what is absent is asked for again, and what is remembered is bounded', async (t) => {
  const { behind, catalog } = openCaching(2);
  const unknown = newId<DocumentId>(systemClock);
  t.equal(await catalog.findVersion(testScope, unknown), undefined);
  await catalog.commit(testScope, versionWish({ documentId: unknown }));
  t.ok(await catalog.findVersion(testScope, unknown));
  for (let count = 0; count < 3; count++) {
    const wish = versionWish();
    await catalog.commit(testScope, wish);
    await catalog.findVersion(testScope, wish.documentId);
  }
  const before = behind.finds;
  await catalog.findVersion(testScope, unknown);
  t.equal(behind.finds, before + 1);
});

t.test('blobs are remembered by org', async (t) => {
  const { catalog } = openCaching();
  const wish = versionWish();
  await catalog.commit(testScope, wish);
  t.strictSame(await catalog.findBlob(testScope, wish.blob.key), wish.blob);
  t.strictSame(await catalog.findBlob(testScope, wish.blob.key), wish.blob);
  t.equal(await catalog.findBlob({ ...testScope, orgId: newId<OrgId>(systemClock) }, wish.blob.key), undefined);
});
