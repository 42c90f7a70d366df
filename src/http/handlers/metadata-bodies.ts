import { QuasarError } from '../../core/errors.ts';
import { isId, type MetadataId } from '../../core/ids.ts';
import type { MetadataLayer } from '../../core/metadata-layer.ts';
import type { SchemaState } from '../../core/schema-state.ts';
import { parseBundle, parseLayer, provenanceOf, type SubmittedBundle } from '../../metadata/envelope.ts';
import { type Iri, parseIri } from '../../metadata/iri.ts';
import type { JsonValue } from '../../metadata/json-value.ts';
import { type JsonPatch, parsePatch } from '../../metadata/patch-operation.ts';
import type { Provenance } from '../../metadata/provenance.ts';
import { parseSchemaUrn, type SchemaUrn } from '../../metadata/schema-urn.ts';
import type { MigrationWish } from '../../records/migrate-metadata.ts';
import type { SchemaWish } from '../../records/register-schema.ts';
import { badField, fieldsOf, parseReason, requiredString } from './body-fields.ts';

export function parseBundleBody(body: JsonValue | undefined): { bundle: SubmittedBundle; reason: string | undefined } {
  const fields = fieldsOf(body, ['mode', 'bundle', 'provenance', 'reason']);
  const { mode, bundle, provenance } = fields as Readonly<Record<string, JsonValue | undefined>>;
  return { bundle: parseBundle({ mode, bundle, provenance }), reason: parseReason(fields) };
}

export interface PatchBody {
  readonly layer: MetadataLayer;
  /** Undefined: If-Match says it. */
  readonly base: MetadataId | undefined;
  readonly patch: JsonPatch;
  readonly provenance: Provenance | undefined;
  readonly reason: string | undefined;
}

export function parsePatchBody(body: JsonValue | undefined): PatchBody {
  const fields = fieldsOf(body, ['mode', 'baseMetadataId', 'patch', 'provenance', 'reason']);
  const { mode, patch, provenance } = fields as Readonly<Record<string, JsonValue | undefined>>;
  const layer = parseLayer(mode);
  const base = fields.baseMetadataId === undefined ? undefined : requiredString(fields, 'baseMetadataId');
  if (base !== undefined && !isId(base)) throw badField('baseMetadataId', 'must be the id of a metadata entry');
  return {
    layer,
    base: base as MetadataId | undefined,
    patch: parsePatch(patch ?? null),
    provenance: provenanceOf(layer, provenance),
    reason: parseReason(fields),
  };
}

export function parseMigrationBody(body: JsonValue | undefined): MigrationWish {
  const fields = fieldsOf(body, ['fromSchemaUrn', 'toSchemaUrn', 'forward', 'inverse', 'samples']);
  const { forward, inverse, samples } = fields as Readonly<Record<string, JsonValue | undefined>>;
  if (!Array.isArray(samples)) throw badField('samples', 'must be a list of data that fits the old schema');
  return {
    from: parseSchemaUrn(requiredString(fields, 'fromSchemaUrn'), 'fromSchemaUrn'),
    to: parseSchemaUrn(requiredString(fields, 'toSchemaUrn'), 'toSchemaUrn'),
    forward: forward ?? null,
    inverse: inverse ?? null,
    samples,
  };
}

export function parseMigrateBody(body: JsonValue | undefined): { namespace: Iri; to: SchemaUrn; reason: string | undefined } {
  const fields = fieldsOf(body, ['namespaceUrn', 'toSchemaUrn', 'reason']);
  return {
    namespace: parseIri(requiredString(fields, 'namespaceUrn'), 'namespaceUrn'),
    to: parseSchemaUrn(requiredString(fields, 'toSchemaUrn'), 'toSchemaUrn'),
    reason: parseReason(fields),
  };
}

export function parseSchemaBody(body: JsonValue | undefined): SchemaWish {
  const fields = fieldsOf(body, ['schemaUrn', 'namespaceUrn', 'lifecycle', 'schema']);
  const state = fields.lifecycle ?? 'active';
  if (state !== 'draft' && state !== 'active') throw badField('lifecycle', 'must be draft or active for a new schema');
  if (fields.schema === undefined) throw new QuasarError('bad_body', { op: 'http.parseBody', message: '"schema" is missing.' });
  return {
    urn: parseSchemaUrn(requiredString(fields, 'schemaUrn'), 'schemaUrn'),
    namespace: parseIri(requiredString(fields, 'namespaceUrn'), 'namespaceUrn'),
    state,
    schema: fields.schema as JsonValue,
  };
}

export function parseStateBody(body: JsonValue | undefined): SchemaState {
  const { lifecycle } = fieldsOf(body, ['lifecycle']);
  const state = STATES.find((one) => one === lifecycle);
  if (state === undefined) throw badField('lifecycle', `must be one of ${STATES.join(', ')}`);
  return state;
}

const STATES: readonly SchemaState[] = ['draft', 'active', 'deprecated', 'revoked'];
