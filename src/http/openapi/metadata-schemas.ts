import { limits } from '../../core/limits.ts';
import { shapes } from './parts.ts';
import { object, page, ref } from './schema-parts.ts';

const { uuid, hex } = shapes;
const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const layer = { type: 'string', enum: ['canonical', 'derived'] };
const status = { type: 'string', enum: ['valid', 'quarantined'] };
const reason = { ...text, maxLength: 1000 };
const DOCUMENT = '019aa5c0-6f00-7a3b-8c1d-2e4f5a6b7c8d';
const VERSION = '019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d';
const METADATA = '019aa5c0-6f02-7a3b-8c1d-2e4f5a6b7c8d';
const PRINCIPAL = '019aa5c0-6e00-7a3b-8c1d-2e4f5a6b7c8d';
const CASE = 'urn:quasar:ns:case';
const SCHEMA = 'urn:quasar:schema:case@1.0.0';
const AT = '2026-11-21T09:00:00.000Z';

const caseSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { number: { type: 'string', maxLength: 40 } },
  required: ['number'],
  additionalProperties: false,
};

const provenance = {
  producer: { name: 'ocr', version: '5.3.0' },
  producedAt: AT,
  input: { kind: 'blob', key: 'b3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262' },
  confidence: 0.97,
};

const entryExample = {
  metadataId: METADATA,
  schema: { $id: SCHEMA },
  status: 'valid',
  data: { number: '4 K 12/26' },
  errors: [],
  createdBy: PRINCIPAL,
  createdAt: AT,
};

const schemaExample = {
  schemaUrn: SCHEMA,
  namespaceUrn: CASE,
  lifecycle: 'active',
  canonicalHash: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  createdAt: AT,
  updatedAt: AT,
};

const migrationExample = { fromSchemaUrn: SCHEMA, toSchemaUrn: 'urn:quasar:schema:case@2.0.0' };

const registered = {
  schemaUrn: text,
  namespaceUrn: text,
  lifecycle: { type: 'string', enum: ['draft', 'active', 'deprecated', 'revoked'] },
  canonicalHash: { ...hex, pattern: '^sha256:[0-9a-f]{64}$', description: 'SHA-256 of the schema as RFC 8785 writes it.' },
  createdAt: time,
  updatedAt: time,
};

/** Of metadata and of the schemas it is pinned to. */
export const metadataSchemas = {
  Provenance: object(
    {
      producer: object({ name: text, version: text }),
      producedAt: time,
      input: ref('ContentRef'),
      confidence: { type: 'number', minimum: 0, maximum: 1 },
    },
    provenance,
  ),
  MetadataEntry: object(
    {
      metadataId: uuid,
      schema: object({ $id: text }),
      status,
      data: { type: 'object' },
      errors: { type: 'array', items: object({ path: text, code: text, message: text }), maxItems: limits.metadataFaultsMax },
      createdBy: uuid,
      createdAt: time,
    },
    entryExample,
    { provenance: { ...ref('Provenance'), description: 'Of derived metadata.' } },
  ),
  Metadata: object(
    {
      documentId: uuid,
      versionId: uuid,
      canonical: { type: 'object', description: 'By namespace.', additionalProperties: ref('MetadataEntry') },
      derived: { type: 'object', description: 'By namespace.', additionalProperties: ref('MetadataEntry') },
    },
    { documentId: DOCUMENT, versionId: VERSION, canonical: { [CASE]: entryExample }, derived: {} },
  ),
  Namespace: object(
    { documentId: uuid, versionId: uuid, namespace: text, layer, entry: ref('MetadataEntry') },
    { documentId: DOCUMENT, versionId: VERSION, namespace: CASE, layer: 'canonical', entry: entryExample },
  ),
  Bundle: {
    type: 'object',
    properties: {
      mode: layer,
      bundle: {
        type: 'object',
        description: 'By namespace. Without a schema the newest active one of the namespace is taken.',
        additionalProperties: {
          type: 'object',
          properties: { schema: object({ $id: text }), data: { type: 'object' } },
          required: ['data'],
          additionalProperties: false,
        },
        minProperties: 1,
        maxProperties: limits.metadataNamespacesMax,
      },
      provenance: { ...ref('Provenance'), description: 'Required for derived metadata, refused for canonical.' },
      reason,
    },
    required: ['mode', 'bundle'],
    additionalProperties: false,
    examples: [{ mode: 'canonical', bundle: { [CASE]: { data: { number: '4 K 12/26' } } }, reason: 'Filed at the counter' }],
  },
  BundleWritten: object(
    {
      documentId: uuid,
      versionId: uuid,
      namespaces: { type: 'array', items: object({ namespace: text, metadataId: uuid, status }) },
    },
    { documentId: DOCUMENT, versionId: VERSION, namespaces: [{ namespace: CASE, metadataId: METADATA, status: 'valid' }] },
  ),
  JsonPatch: {
    type: 'array',
    description: 'RFC 6902.',
    items: {
      type: 'object',
      properties: {
        op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
        path: text,
        from: text,
        value: {},
      },
      required: ['op', 'path'],
    },
    maxItems: limits.patchOperationsMax,
    examples: [[{ op: 'replace', path: '/number', value: '5 K 12/26' }]],
  },
  Patch: {
    type: 'object',
    properties: {
      mode: layer,
      baseMetadataId: { ...uuid, description: 'The entry the patch was written against; or send it as If-Match.' },
      patch: ref('JsonPatch'),
      provenance: ref('Provenance'),
      reason,
    },
    required: ['mode', 'patch'],
    additionalProperties: false,
    examples: [
      {
        mode: 'canonical',
        baseMetadataId: METADATA,
        patch: [{ op: 'replace', path: '/number', value: '5 K 12/26' }],
        reason: 'Typing error',
      },
    ],
  },
  Patched: object(
    { documentId: uuid, versionId: uuid, namespace: text, metadataId: uuid, status },
    { documentId: DOCUMENT, versionId: VERSION, namespace: CASE, metadataId: METADATA, status: 'valid' },
  ),
  NewSchema: {
    type: 'object',
    properties: {
      schemaUrn: { ...text, maxLength: limits.iriMax },
      namespaceUrn: { ...text, maxLength: limits.iriMax },
      lifecycle: { type: 'string', enum: ['draft', 'active'], default: 'active' },
      schema: { type: 'object', description: 'JSON Schema 2020-12 that refers to nothing outside itself.' },
    },
    required: ['schemaUrn', 'namespaceUrn', 'schema'],
    additionalProperties: false,
    examples: [{ schemaUrn: SCHEMA, namespaceUrn: CASE, schema: caseSchema }],
  },
  Schema: object(registered, schemaExample),
  SchemaWithBody: object({ ...registered, schema: { type: 'object' } }, { ...schemaExample, schema: caseSchema }),
  SchemaPage: page('Schema'),
  NewMigration: {
    type: 'object',
    properties: {
      fromSchemaUrn: text,
      toSchemaUrn: text,
      forward: ref('JsonPatch'),
      inverse: ref('JsonPatch'),
      samples: { type: 'array', items: { type: 'object' }, minItems: 1, maxItems: limits.migrationSamplesMax },
    },
    required: ['fromSchemaUrn', 'toSchemaUrn', 'forward', 'inverse', 'samples'],
    additionalProperties: false,
    examples: [
      {
        ...migrationExample,
        forward: [{ op: 'move', from: '/number', path: '/caseNumber' }],
        inverse: [{ op: 'move', from: '/caseNumber', path: '/number' }],
        samples: [{ number: '4 K 12/26' }],
      },
    ],
  },
  Migration: object({ fromSchemaUrn: text, toSchemaUrn: text }, migrationExample),
  Migrate: {
    type: 'object',
    properties: { namespaceUrn: text, toSchemaUrn: text, reason },
    required: ['namespaceUrn', 'toSchemaUrn'],
    additionalProperties: false,
    examples: [{ namespaceUrn: CASE, toSchemaUrn: migrationExample.toSchemaUrn, reason: 'New form of case numbers' }],
  },
  Migrated: object(
    { documentId: uuid, namespace: text, schemaUrn: text, migrated: { type: 'boolean' } },
    {
      documentId: DOCUMENT,
      namespace: CASE,
      schemaUrn: migrationExample.toSchemaUrn,
      migrated: true,
      versionId: VERSION,
      metadataId: METADATA,
    },
    { versionId: uuid, metadataId: uuid },
  ),
  Lifecycle: {
    type: 'object',
    properties: { lifecycle: registered.lifecycle },
    required: ['lifecycle'],
    additionalProperties: false,
    examples: [{ lifecycle: 'deprecated' }],
  },
};
