import type { SchemaFacts, StoredSchema } from '../catalog/schema-store.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { SubmittedEntry } from '../metadata/envelope.ts';
import type { Iri } from '../metadata/iri.ts';
import { formatPointer } from '../metadata/json-pointer.ts';
import { metadataInvalid } from '../metadata/metadata-fault.ts';
import { requireUsable } from '../metadata/schema-lifecycle.ts';
import { compareSchemaUrns, parseSchemaUrn } from '../metadata/schema-urn.ts';
import type { RecordDeps } from './record-deps.ts';

/**
 * The schema that an entry is pinned to: the one it names, or the newest active one of its namespace.
 * @throws QuasarError `metadata_invalid` when there is none; `schema_state`.
 */
export async function findPinnedSchema(scope: Scope, entry: SubmittedEntry, { schemas }: RecordDeps): Promise<StoredSchema> {
  const { namespace } = entry;
  if (entry.schema === undefined) return findNewest(scope, namespace, schemas);
  const schema = await schemas.findSchema(scope, entry.schema.urn);
  if (schema === undefined || schema.namespace !== namespace) {
    throw refuse(namespace, `${entry.schema.urn} is no schema of this namespace; register it first.`);
  }
  requireUsable(schema.state, 'pin');
  return schema;
}

async function findNewest(scope: Scope, namespace: Iri, schemas: RecordDeps['schemas']): Promise<StoredSchema> {
  let newest: SchemaFacts | undefined;
  let after: string | undefined;
  do {
    const page = await schemas.listSchemas(scope, { namespace, limit: limits.pageSizeMax, after });
    for (const schema of page.items) if (schema.state === 'active') newest = newer(newest, schema);
    after = page.next;
  } while (after !== undefined);
  const found = newest && (await schemas.findSchema(scope, newest.urn));
  if (found === undefined) throw refuse(namespace, 'The namespace has no active schema; name one, or register one.');
  return found;
}

/** By version, whatever the series; of two with the same version the later one by its URN. */
function newer(a: SchemaFacts | undefined, b: SchemaFacts): SchemaFacts {
  if (a === undefined) return b;
  const [first, second] = [parseSchemaUrn(a.urn, 'urn'), parseSchemaUrn(b.urn, 'urn')];
  return compareSchemaUrns(first, { ...second, series: first.series }) > 0 ? a : b;
}

function refuse(namespace: Iri, message: string) {
  return metadataInvalid('metadata.pin', [{ path: formatPointer(['bundle', namespace, 'schema']), code: 'schema', message }]);
}
