import { randomUUID } from 'node:crypto';
import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, type MetadataId, newId, type VersionId } from '../../src/core/ids.ts';
import { CASE, metadataEntry, metadataWish, putting } from '../helpers/metadata-wish.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const OCR = 'urn:quasar:ns:ocr';
const { pool, admin, scope } = await openTestDatabase(t);
const stranger = await makeOrg(admin, 'stranger');
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
const store = new PostgresMetadataStore(pool);

async function storeDocument() {
  const wish = versionWish();
  await committer.commit(scope, wish);
  return wish;
}

t.test('metadata makes a version with the same bytes, and the version before stays without', async (t) => {
  const first = await storeDocument();
  const made = metadataEntry();
  const wish = metadataWish(first.documentId, [putting(made)], { reason: 'Filed' });
  t.strictSame(await store.commitMetadata(scope, wish), { kind: 'committed' });
  const version = await catalog.findVersion(scope, first.documentId);
  t.match(version, { versionId: wish.versionId, parents: [first.versionId], reason: 'Filed', labels: ['CURRENT'] });
  t.strictSame(version?.blob, first.blob);
  t.equal(version?.filename, first.filename);
  t.strictSame(await store.listMetadata(scope, first.documentId, wish.versionId), [
    { ...made, createdBy: scope.principalId, createdAtMs: wish.atMs },
  ]);
  t.strictSame(await store.listMetadata(scope, first.documentId, first.versionId), []);
});

t.test('a change leaves the other namespaces and layers as they were, also behind new bytes', async (t) => {
  const { documentId } = await storeDocument();
  const filed = metadataEntry();
  const derived = metadataEntry({ layer: 'derived', namespace: OCR, provenance: '{"confidence":0.5}' });
  await store.commitMetadata(scope, metadataWish(documentId, [putting(filed), putting(derived)]));
  const changed = metadataEntry({ data: '{"number":"5 K 12/26"}' });
  await store.commitMetadata(scope, metadataWish(documentId, [putting(changed, filed.metadataId)]));
  const bytes = versionWish({ documentId, newDocument: false });
  t.equal((await committer.commit(scope, bytes)).kind, 'committed');
  const found = await store.listMetadata(scope, documentId, bytes.versionId);
  t.match(found, [changed, derived]);
});

t.test('a namespace that changed in the meantime is a conflict that names what is there, and nothing is written', async (t) => {
  const { documentId, versionId } = await storeDocument();
  t.strictSame(
    await store.commitMetadata(scope, metadataWish(documentId, [putting(metadataEntry(), newId<MetadataId>(systemClock))])),
    {
      kind: 'metadata_changed',
      namespace: CASE,
      current: undefined,
    },
  );
  t.equal((await catalog.findVersion(scope, documentId))?.versionId, versionId);
  const there = metadataEntry();
  t.equal((await store.commitMetadata(scope, metadataWish(documentId, [putting(there, null)]))).kind, 'committed');
  const late = metadataEntry({ metadataId: newId<MetadataId>(systemClock) });
  t.strictSame(await store.commitMetadata(scope, metadataWish(documentId, [putting(late, null)])), {
    kind: 'metadata_changed',
    namespace: CASE,
    current: there.metadataId,
  });
});

t.test('of many that patch the same entry at once, one does', async (t) => {
  const { documentId } = await storeDocument();
  const there = metadataEntry();
  await store.commitMetadata(scope, metadataWish(documentId, [putting(there)]));
  const wishes = Array.from({ length: 12 }, () => metadataWish(documentId, [putting(metadataEntry(), there.metadataId)]));
  const outcomes = await Promise.all(wishes.map((wish) => store.commitMetadata(scope, wish)));
  t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
  t.equal(outcomes.filter(({ kind }) => kind === 'metadata_changed').length, 11);
});

t.test('a bundle that is replaced keeps nothing of its layer, and all of the other', async (t) => {
  const { documentId } = await storeDocument();
  const derived = metadataEntry({ layer: 'derived', namespace: OCR, status: 'quarantined', provenance: '{}', faults: '[]' });
  await store.commitMetadata(
    scope,
    metadataWish(documentId, [putting(metadataEntry()), putting(metadataEntry({ namespace: OCR })), putting(derived)]),
  );
  const only = metadataEntry({ namespace: 'urn:quasar:ns:core' });
  const wish = metadataWish(documentId, [putting(only)], { replaces: 'canonical' });
  await store.commitMetadata(scope, wish);
  t.match(await store.listMetadata(scope, documentId, wish.versionId), [only, derived]);
});

t.test('a namespace is taken out by a change without an entry', async (t) => {
  const { documentId } = await storeDocument();
  const there = metadataEntry();
  await store.commitMetadata(scope, metadataWish(documentId, [putting(there), putting(metadataEntry({ namespace: OCR }))]));
  const out = metadataWish(documentId, [{ layer: 'canonical', namespace: CASE, base: there.metadataId, entry: undefined }]);
  t.equal((await store.commitMetadata(scope, out)).kind, 'committed');
  const left = await store.listMetadata(scope, documentId, out.versionId);
  t.strictSame(
    left.map(({ namespace }) => namespace),
    [OCR],
  );
});

t.test('a version that is not the expected one is told, and a document that is not there', async (t) => {
  const { documentId, versionId } = await storeDocument();
  const other = randomUUID() as VersionId;
  t.strictSame(
    await store.commitMetadata(scope, metadataWish(documentId, [putting(metadataEntry())], { expectedVersionId: other })),
    {
      kind: 'version_changed',
      current: versionId,
    },
  );
  const nobody = newId<DocumentId>(systemClock);
  t.strictSame(await store.commitMetadata(scope, metadataWish(nobody, [putting(metadataEntry())])), { kind: 'document_missing' });
  t.strictSame(await store.commitMetadata(stranger, metadataWish(documentId, [putting(metadataEntry())])), {
    kind: 'document_missing',
  });
  const mine = metadataWish(documentId, [putting(metadataEntry())]);
  await store.commitMetadata(scope, mine);
  t.strictSame(await store.listMetadata(stranger, documentId, mine.versionId), []);
});

t.test('the database itself refuses canonical metadata in quarantine, and derived metadata without provenance', async (t) => {
  const { documentId } = await storeDocument();
  for (const bad of [
    metadataEntry({ status: 'quarantined', faults: '[]' }),
    metadataEntry({ layer: 'derived' }),
    metadataEntry({ provenance: '{}' }),
    metadataEntry({ layer: 'derived', provenance: '{}', status: 'quarantined' }),
  ]) {
    await t.rejects(store.commitMetadata(scope, metadataWish(documentId, [putting(bad)])), { code: 'internal' });
  }
});
