import type { Operation } from './operation.ts';
import type { ParameterName } from './parts.ts';

const selectors: readonly ParameterName[] = ['version', 'versionLabel', 'asOf'];
const bodies = ['bad_body', 'body_too_large', 'unsupported_media_type', 'upload_stalled'] as const;
const validation = ['metadata_invalid', 'metadata_too_large', 'schema_state', 'validation_stopped', 'validation_busy'] as const;

export const metadataOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/documents/{documentId}/metadata',
    operationId: 'getMetadata',
    tag: 'Metadata',
    summary: 'All metadata of a version.',
    parameters: ['documentId', ...selectors, 'quarantined'],
    answers: { 200: { description: 'Both layers.', json: 'Metadata' } },
    problems: ['bad_parameter', 'document_not_found', 'version_not_found', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/documents/{documentId}/metadata',
    operationId: 'postMetadata',
    tag: 'Metadata',
    summary: 'Replace one layer of the metadata.',
    description:
      'Makes a version with the same bytes. Canonical data that does not fit its schema is refused; derived data is kept in ' +
      'quarantine, and shown to those who ask for it. With If-Match only over the version that it names.',
    parameters: ['documentId', 'ifVersionMatch'],
    body: { required: true, json: 'Bundle' },
    answers: { 201: { description: 'The new version and its entries.', json: 'BundleWritten' } },
    problems: ['bad_parameter', ...bodies, 'document_not_found', 'precondition_failed', ...validation, 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/documents/{documentId}/metadata/{namespace}',
    operationId: 'getNamespace',
    tag: 'Metadata',
    summary: 'The metadata of one namespace.',
    parameters: ['documentId', 'namespace', 'mode', ...selectors, 'quarantined'],
    answers: { 200: { description: 'The entry.', headers: ['ETag'], json: 'Namespace' } },
    problems: ['bad_parameter', 'document_not_found', 'version_not_found', 'metadata_not_found', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/documents/{documentId}/metadata/{namespace}/patch',
    operationId: 'patchNamespace',
    tag: 'Metadata',
    summary: 'Change one namespace by a JSON Patch.',
    description:
      'Makes a version. The patch names the entry it was written against, in the body or, as a bare patch, by If-Match; when ' +
      'another one is there by now, nothing changes. The result is checked by the schema of the entry.',
    parameters: ['documentId', 'namespace', 'ifMetadataMatch'],
    body: { required: true, json: 'Patch', also: { type: 'application/json-patch+json', json: 'JsonPatch' } },
    answers: { 200: { description: 'The new entry.', headers: ['ETag'], json: 'Patched' } },
    problems: [
      'bad_parameter',
      ...bodies,
      'document_not_found',
      'metadata_not_found',
      'precondition_required',
      'precondition_failed',
      'metadata_conflict',
      'patch_failed',
      ...validation,
      'database_unavailable',
    ],
  },
  {
    method: 'post',
    path: '/v1/schemas',
    operationId: 'postSchema',
    tag: 'Metadata',
    summary: 'Register a schema.',
    description: 'What a URN means never changes: the same content again is answered with 200, other content is refused.',
    body: { required: true, json: 'NewSchema' },
    answers: {
      200: { description: 'Registered before.', headers: ['Location'], json: 'Schema' },
      201: { description: 'Registered.', headers: ['Location'], json: 'Schema' },
    },
    problems: [
      'bad_parameter',
      ...bodies,
      'schema_invalid',
      'schema_differs',
      'metadata_too_large',
      'validation_stopped',
      'validation_busy',
      'database_unavailable',
    ],
  },
  {
    method: 'get',
    path: '/v1/schemas',
    operationId: 'listSchemas',
    tag: 'Metadata',
    summary: 'Schemas, by URN.',
    parameters: ['schemaNamespace', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'SchemaPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/schemas/{urn}',
    operationId: 'getSchema',
    tag: 'Metadata',
    summary: 'A schema with its content.',
    parameters: ['urn'],
    answers: { 200: { description: 'The schema.', json: 'SchemaWithBody' } },
    problems: ['bad_parameter', 'schema_not_found', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/schemas/{urn}/lifecycle',
    operationId: 'putSchemaLifecycle',
    tag: 'Metadata',
    summary: 'Move a schema on: draft, active, deprecated, revoked.',
    description:
      'New metadata is pinned to active schemas. What is pinned to a deprecated one may still be patched, what is pinned to a ' +
      'revoked one only be read. Nothing goes back.',
    parameters: ['urn'],
    body: { required: true, json: 'Lifecycle' },
    answers: { 200: { description: 'The schema.', json: 'Schema' } },
    problems: ['bad_parameter', ...bodies, 'schema_not_found', 'schema_state', 'database_unavailable'],
  },
];
