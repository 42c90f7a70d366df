import type { StoredSchema } from '../catalog/schema-store.ts';
import type { Actor } from '../core/actor.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { QuasarError } from '../core/errors.ts';
import type { DocumentId, Scope } from '../core/ids.ts';
import type { Iri } from '../metadata/iri.ts';
import { applyPatch } from '../metadata/json-patch.ts';
import type { JsonObject, JsonValue } from '../metadata/json-value.ts';
import { checkMigration, type DataValidator } from '../metadata/migration-check.ts';
import { parsePatch } from '../metadata/patch-operation.ts';
import type { CheckedSchema } from '../metadata/schema-check.ts';
import { requireUsable } from '../metadata/schema-lifecycle.ts';
import type { SchemaUrn } from '../metadata/schema-urn.ts';
import type { RecordDeps } from './record-deps.ts';
import { findSchema } from './register-schema.ts';
import { findEntry, putEntry, type WrittenMetadata } from './write-metadata.ts';

export interface MigrationWish {
  readonly from: SchemaUrn;
  readonly to: SchemaUrn;
  /** JSON Patches. */
  readonly forward: JsonValue;
  readonly inverse: JsonValue;
  readonly samples: readonly JsonValue[];
}

/**
 * Registers how data of one schema becomes data of another, once it is shown for the samples that nothing is lost.
 * @throws QuasarError `schema_not_found`, `bad_parameter` when the two have no namespace in common, `migration_lossy`,
 * `migration_differs` when the pair has other transforms, `validation_stopped`, `validation_busy`.
 */
export async function registerMigration(by: Actor, wish: MigrationWish, deps: RecordDeps): Promise<{ readonly added: boolean }> {
  const op = 'migration.register';
  const from = await findSchema(by, wish.from.urn, deps);
  const to = await findSchema(by, wish.to.urn, deps);
  if (from.namespace !== to.namespace || from.urn === to.urn) {
    const message = 'A migration goes between two schemas of one namespace.';
    throw new QuasarError('bad_parameter', { op, message, details: { parameter: 'toSchemaUrn' } });
  }
  const forward = parsePatch(wish.forward);
  const inverse = parsePatch(wish.inverse);
  await checkMigration({ from: checked(from), to: checked(to), forward, inverse }, wish.samples, validatorFor(by, deps));
  await by.confirm?.();
  const outcome = await deps.migrations.addMigration(
    by,
    {
      from: from.urn,
      to: to.urn,
      forward: canonicalJson(wish.forward),
      inverse: canonicalJson(wish.inverse),
      samples: canonicalJson(wish.samples),
    },
    deps.clock.now(),
  );
  if (outcome === 'migration_differs') throw new QuasarError('migration_differs', { op });
  return { added: outcome === 'added' };
}

/**
 * Makes a version whose namespace is pinned to another schema. The data must come back the same by the inverse, as the
 * samples did. A namespace that is pinned to that schema already is left as it is: undefined.
 * @throws QuasarError `document_not_found`, `metadata_not_found`, `schema_not_found`, `schema_state`, `migration_not_found`,
 * `migration_lossy`, `metadata_conflict`, `validation_stopped`, `validation_busy`.
 */
export async function migrateMetadata(
  by: Actor,
  wish: { readonly documentId: DocumentId; readonly namespace: Iri; readonly to: SchemaUrn; readonly reason: string | undefined },
  deps: RecordDeps,
): Promise<WrittenMetadata | undefined> {
  const { documentId, namespace, reason } = wish;
  const place = { documentId, layer: 'canonical', namespace } as const;
  const there = await findEntry(by, place, deps);
  if (there.schema === wish.to.urn) return undefined;
  const [from, to] = [await findSchema(by, there.schema, deps), await findSchema(by, wish.to.urn, deps)];
  requireUsable(to.state, 'pin');
  const pair = { from: from.urn, to: to.urn };
  const migration = await deps.migrations.findMigration(by, pair);
  if (migration === undefined) throw new QuasarError('migration_not_found', { op: 'metadata.migrate', details: pair });
  const forward = parsePatch(JSON.parse(migration.forward) as JsonValue);
  const inverse = parsePatch(JSON.parse(migration.inverse) as JsonValue);
  const data = JSON.parse(there.data) as JsonObject;
  await checkMigration({ from: checked(from), to: checked(to), forward, inverse }, [data], validatorFor(by, deps));
  const moved = applyPatch(data, forward) as JsonObject;
  const made = { ...place, base: there.metadataId, data: moved, schema: to, provenance: undefined, reason };
  return putEntry(by, { action: 'metadata.migrate', ...made }, deps);
}

function checked({ body, digest }: StoredSchema): CheckedSchema {
  return { text: body, hash: `sha256:${digest}` };
}

function validatorFor(asker: Scope, { validator }: RecordDeps): DataValidator {
  return { validate: (schema, data) => validator.validate(schema, data, asker) };
}
