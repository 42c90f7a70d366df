import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresMigrationStore } from '../../src/catalog/postgres-migration-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresSchemaStore } from '../../src/catalog/postgres-schema-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { MetadataId } from '../../src/core/ids.ts';
import { parseBundle } from '../../src/metadata/envelope.ts';
import { parseIri } from '../../src/metadata/iri.ts';
import type { JsonValue } from '../../src/metadata/json-value.ts';
import { parsePatch } from '../../src/metadata/patch-operation.ts';
import { parseSchemaUrn } from '../../src/metadata/schema-urn.ts';
import { SchemaValidator } from '../../src/metadata/schema-validator.ts';
import { migrateMetadata, registerMigration } from '../../src/records/migrate-metadata.ts';
import type { RecordDeps } from '../../src/records/record-deps.ts';
import { changeSchemaState, registerSchema } from '../../src/records/register-schema.ts';
import { patchMetadata, replaceBundle } from '../../src/records/write-metadata.ts';
import { CASE } from '../helpers/metadata-wish.ts';
import { notedInDatabase } from '../helpers/noted-events.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, scope } = await openTestDatabase(t);
const noted = notedInDatabase(pool);
const catalog = new PostgresCatalog(pool);
const validator = SchemaValidator.onDemand({ clock: systemClock });
t.teardown(() => validator.close());
const deps: RecordDeps = {
  catalog,
  metadata: new PostgresMetadataStore(pool),
  schemas: new PostgresSchemaStore(pool),
  refs: new PostgresRefStore(pool),
  migrations: new PostgresMigrationStore(pool),
  validator,
  clock: systemClock,
};

const namespace = parseIri(CASE, 'namespace');
const [older, newer] = [1, 2].map((major) => parseSchemaUrn(`urn:quasar:schema:case@${major}.0.0`, 'urn')) as [
  ReturnType<typeof parseSchemaUrn>,
  ReturnType<typeof parseSchemaUrn>,
];
const closed = (name: string): JsonValue => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  additionalProperties: false,
});
const { documentId, ...first } = versionWish();
await new PostgresVersionCommitter({ pool, catalog, clock: systemClock }).commit(scope, { documentId, ...first });

const provenance = {
  producer: { name: 'reader', version: '1' },
  producedAt: '2026-01-05T09:00:00.000Z',
  input: { kind: 'blob', key: first.blob.key },
  confidence: 0.5,
};

const store = (mode: 'canonical' | 'derived', data: JsonValue) =>
  replaceBundle(
    scope,
    {
      documentId,
      bundle: parseBundle({
        mode,
        bundle: { [CASE]: { schema: { $id: older.urn }, data } },
        provenance: mode === 'derived' ? provenance : undefined,
      }),
      expectedVersionId: undefined,
      reason: undefined,
    },
    deps,
  );

/** The actions of what a change leaves. */
async function leftBy(change: () => Promise<unknown>): Promise<string[]> {
  const before = (await noted(scope)).length;
  await change();
  return (await noted(scope)).slice(before).map(({ action }) => action);
}

t.test('the life of a document’s metadata is in the log, each change by its name', async (t) => {
  for (const [urn, name] of [
    [older, 'number'],
    [newer, 'caseNumber'],
  ] as const) {
    const wish = { urn, namespace, state: 'active', schema: closed(name) } as const;
    t.strictSame(await leftBy(() => registerSchema(scope, wish, deps)), ['schema.create']);
    t.strictSame(await leftBy(() => registerSchema(scope, wish, deps)), []);
  }
  let metadataId = '' as MetadataId;
  const filed = await leftBy(async () => {
    metadataId = (await store('canonical', { number: '1' })).entries[0]?.metadataId as MetadataId;
  });
  t.strictSame(filed, ['metadata.replace']);

  const place = { documentId, layer: 'canonical', namespace } as const;
  const patch = parsePatch([{ op: 'replace', path: '/number', value: '2' }]);
  const patched = { ...place, base: metadataId, patch, provenance: undefined, reason: 'A slip' };
  t.strictSame(await leftBy(() => patchMetadata(scope, patched, deps)), ['metadata.patch']);
  t.strictSame(await leftBy(() => t.rejects(patchMetadata(scope, patched, deps), { code: 'metadata_conflict' })), []);

  const forward = [{ op: 'move', from: '/number', path: '/caseNumber' }];
  const inverse = [{ op: 'move', from: '/caseNumber', path: '/number' }];
  const migration = { from: older, to: newer, forward, inverse, samples: [{ number: '1' }] };
  t.strictSame(await leftBy(() => registerMigration(scope, migration, deps)), ['migration.create']);
  const migrated = { documentId, namespace, to: newer, reason: undefined };
  t.strictSame(await leftBy(() => migrateMetadata(scope, migrated, deps)), ['metadata.migrate']);
  t.strictSame(await leftBy(() => migrateMetadata(scope, migrated, deps)), [], 'it is there already');

  t.strictSame(await leftBy(() => store('derived', { strange: true })), ['metadata.replace', 'metadata.quarantine']);
  t.strictSame(await leftBy(() => t.rejects(store('canonical', { strange: true }), { code: 'metadata_invalid' })), []);
  const revoked = { urn: older.urn, to: 'revoked' } as const;
  t.strictSame(await leftBy(() => changeSchemaState(scope, revoked, deps)), ['schema.revoke']);
  t.strictSame(await leftBy(() => changeSchemaState(scope, revoked, deps)), []);
});
