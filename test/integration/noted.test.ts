import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresMigrationStore } from '../../src/catalog/postgres-migration-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresSchemaStore } from '../../src/catalog/postgres-schema-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { limits } from '../../src/core/limits.ts';
import { askNoted } from '../../src/database/noted.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import { newSession } from '../contract/session-store.contract.ts';
import { CASE, metadataEntry, metadataWish, putting } from '../helpers/metadata-wish.ts';
import { notedInDatabase } from '../helpers/noted-events.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { digits, versionWish } from '../helpers/version-wish.ts';

const T0 = Date.UTC(2026, 0, 5, 9);
const { pool, admin, scope } = await openTestDatabase(t);
const stranger = await makeOrg(admin, 'stranger');
const noted = notedInDatabase(pool);
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
const metadata = new PostgresMetadataStore(pool);
const refs = new PostgresRefStore(pool);
const schemas = new PostgresSchemaStore(pool);
const migrations = new PostgresMigrationStore(pool);
const sessions = new PostgresSessionStore({ pool, clock: systemClock });

/** Its notes are refused by a constraint of the log. */
const unheard: Actor = { ...scope, note: (deed) => ({ ...scope.note(deed), bytes: Buffer.alloc(1) }) };

const urn = 'urn:quasar:schema:case@1.0.0';
const schema = { urn, namespace: CASE, twinKey: CASE, state: 'draft', body: '{}', digest: digits('{}') } as const;
const migration = { from: urn, to: 'urn:quasar:schema:case@2.0.0', forward: '[]', inverse: '[]', samples: '[]' };

async function storeDocument() {
  const { documentId, ...wish } = versionWish();
  await committer.commit(scope, { documentId, ...wish });
  return documentId;
}

/** The events that a change leaves, without what all have in common. */
async function leftBy(change: () => Promise<unknown>) {
  const before = await noted(scope);
  await change();
  const events = (await noted(scope)).slice(before.length);
  return events.map(({ action, resource, detail }) => ({ action, resource, detail }));
}

t.test('a name of a document leaves an event when it is given and when it is taken', async (t) => {
  const documentId = await storeDocument();
  const ref = { system: 'dms', value: '1', meta: undefined };
  const detail = { system: 'dms', value: '1' };
  const resource = { kind: 'document', id: documentId };
  t.strictSame(await leftBy(() => refs.addRef(scope, documentId, ref, T0)), [{ action: 'reference.add', resource, detail }]);
  t.strictSame(await leftBy(() => refs.addRef(scope, documentId, ref, T0)), []);
  const other = await storeDocument();
  t.strictSame(await leftBy(() => refs.addRef(scope, other, ref, T0)), []);
  t.strictSame(await leftBy(() => refs.removeRef(stranger, documentId, ref)), []);
  t.strictSame(await leftBy(() => refs.removeRef(scope, documentId, ref)), [{ action: 'reference.remove', resource, detail }]);
  t.strictSame(await leftBy(() => refs.removeRef(scope, documentId, ref)), []);
});

t.test('a schema leaves an event for every state it is in', async (t) => {
  const resource = { kind: 'schema', id: urn };
  const detail = { namespace: CASE, state: 'draft', canonicalHash: `sha256:${schema.digest}` };
  t.strictSame(await leftBy(() => schemas.addSchema(scope, schema, T0)), [{ action: 'schema.create', resource, detail }]);
  t.strictSame(await leftBy(() => schemas.addSchema(scope, schema, T0)), []);
  t.strictSame(await leftBy(() => schemas.addSchema(scope, { ...schema, body: '1', digest: digits('1') }, T0)), []);
  for (const [from, to, action] of [
    ['draft', 'active', 'schema.activate'],
    ['active', 'deprecated', 'schema.deprecate'],
    ['deprecated', 'revoked', 'schema.revoke'],
  ] as const) {
    const change = () => schemas.changeState(scope, { urn, from, to, atMs: T0 });
    t.strictSame(await leftBy(change), [{ action, resource, detail: { from, to } }]);
    t.strictSame(await leftBy(change), []);
  }
});

t.test('a migration leaves an event, however long the names of its schemas are', async (t) => {
  const { from, to } = migration;
  const resource = { kind: 'migration', id: `${from} -> ${to}` };
  await schemas.addSchema(scope, { ...schema, urn: to }, T0);
  t.strictSame(await leftBy(() => migrations.addMigration(scope, migration, T0)), [
    { action: 'migration.create', resource, detail: { from, to } },
  ]);
  t.strictSame(await leftBy(() => migrations.addMigration(scope, migration, T0)), []);
  t.strictSame(await leftBy(() => migrations.addMigration(scope, { ...migration, forward: '[1]' }, T0)), []);

  const long = (version: string) => `urn:court:${'ä'.repeat(limits.iriMax - 16)}@${version}`;
  for (const version of ['1.0.0', '2.0.0']) await schemas.addSchema(scope, { ...schema, urn: long(version) }, T0);
  const wish = { ...migration, from: long('1.0.0'), to: long('2.0.0') };
  t.equal((await leftBy(() => migrations.addMigration(scope, wish, T0))).length, 1);
});

t.test('metadata leaves one event, and one more when some of it does not fit its schema', async (t) => {
  const documentId = await storeDocument();
  const filed = metadataEntry();
  const first = metadataWish(documentId, [putting(filed)], { action: 'metadata.patch', reason: 'Filed' });
  const entry = ({ layer, namespace, metadataId, status }: typeof filed) => ({ layer, namespace, metadataId, status });
  t.strictSame(await leftBy(() => metadata.commitMetadata(scope, first)), [
    {
      action: 'metadata.patch',
      resource: { kind: 'document', id: documentId, version: first.versionId },
      detail: { entries: [entry(filed)], reason: 'Filed' },
    },
  ]);
  t.strictSame(
    await leftBy(() => metadata.commitMetadata(scope, metadataWish(documentId, [putting(metadataEntry(), null)]))),
    [],
  );
  const corrected = metadataEntry();
  const over = metadataWish(documentId, [putting(corrected, filed.metadataId)], { action: 'metadata.patch' });
  t.match(await leftBy(() => metadata.commitMetadata(scope, over)), [
    { detail: { entries: [{ from: filed.metadataId, metadataId: corrected.metadataId }] } },
  ]);

  const odd = metadataEntry({ layer: 'derived', status: 'quarantined', provenance: '{}', faults: '[]' });
  const second = metadataWish(documentId, [putting(odd), putting(metadataEntry({ namespace: 'urn:quasar:ns:b' }))]);
  const left = await leftBy(() => metadata.commitMetadata(scope, second));
  t.strictSame(
    left.map(({ action }) => action),
    ['metadata.replace', 'metadata.quarantine'],
  );
  t.strictSame(left[1]?.detail, { entries: [entry(odd)] });
});

t.test('what cannot be noted does not happen', async (t) => {
  const refused = { code: 'internal' };
  const documentId = await storeDocument();
  const before = (await noted(scope)).length;
  const ref = { system: 'dms', value: 'unheard', meta: undefined };
  await t.rejects(refs.addRef(unheard, documentId, ref, T0), refused);
  t.strictSame(await refs.listRefs(scope, documentId), []);

  const unheardUrn = 'urn:quasar:schema:unheard@1.0.0';
  await t.rejects(schemas.addSchema(unheard, { ...schema, urn: unheardUrn }, T0), refused);
  t.equal(await schemas.findSchema(scope, unheardUrn), undefined);

  const session = newSession(systemClock);
  const wish = { session, attached: undefined, idempotency: undefined };
  await t.rejects(sessions.create(unheard, wish), refused);
  t.equal(await sessions.find(scope, session.uploadId), undefined);
  t.equal((await noted(scope)).length, before);

  await sessions.create(scope, wish);
  await t.rejects(sessions.cancel(unheard, session.uploadId), refused);
  t.match(await sessions.find(scope, session.uploadId), { state: 'open' });
});

t.test('a version that cannot be noted is not committed, and those of its batch are, each with one event', async (t) => {
  const [first, bad, last] = [versionWish(), versionWish(), versionWish({ labels: ['filed'] })];
  const results = await Promise.allSettled([
    committer.commit(scope, first),
    committer.commit(unheard, bad),
    committer.commit(scope, last),
  ]);
  t.strictSame(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.equal(await catalog.findDocument(scope, bad.documentId), undefined);
  const events = (await noted(scope)).map(({ resource }) => resource.id);
  for (const { documentId } of [first, last]) t.equal(events.filter((id) => id === documentId).length, 1);
  t.notOk(events.includes(bad.documentId));
});

t.test('a note goes into the log of the org whose rows changed, or nothing changes', async (t) => {
  const documentId = await storeDocument();
  const call = {
    text: "SELECT quasar.add_ref($1, $2, $3, 'dms', 'foreign', NULL, 0) AS outcome",
    values: [scope.orgId, scope.principalId, documentId],
    when: ['added'],
    notes: [scope.note({ action: 'reference.add', resource: { kind: 'document', id: documentId } })],
  };
  await t.rejects(askNoted(pool, { ...call, orgId: stranger.orgId }), { code: 'internal' });
  t.strictSame(await refs.listRefs(scope, documentId), []);
  t.strictSame(await noted(stranger), []);
  t.match(await askNoted(pool, { ...call, orgId: scope.orgId }), { outcome: 'added' });
});
