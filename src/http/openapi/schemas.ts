import { errorTable } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { accessSchemas } from './access-schemas.ts';
import { auditSchemas } from './audit-schemas.ts';
import { metadataSchemas } from './metadata-schemas.ts';
import { shapes } from './parts.ts';
import { object, orNull, page, ref } from './schema-parts.ts';

const { uuid, hex, offset } = shapes;
const time = { type: 'string', format: 'date-time' };
const text = { type: 'string' };
const BLAKE3 = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';
const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const DOCUMENT = '019aa5c0-6f00-7a3b-8c1d-2e4f5a6b7c8d';
const VERSION = '019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d';
const UPLOAD = '019aa5c0-6eff-7a3b-8c1d-2e4f5a6b7c8d';

const versionExample = {
  documentId: DOCUMENT,
  versionId: VERSION,
  parents: [],
  labels: ['CURRENT'],
  contentRef: { kind: 'blob', key: `b3:${BLAKE3}` },
  size: 0,
  digests: { blake3: BLAKE3, sha256: SHA256 },
  filename: 'scan-0412.pdf',
  contentType: 'application/pdf',
  reason: null,
  createdAt: '2026-11-21T09:00:00.000Z',
};

const document = { documentId: uuid, currentVersionId: uuid, createdAt: time, updatedAt: time, current: ref('Version') };

const documentExample = {
  documentId: DOCUMENT,
  currentVersionId: VERSION,
  createdAt: '2026-11-21T09:00:00.000Z',
  updatedAt: '2026-11-21T09:00:00.000Z',
  current: versionExample,
};

const RETAINED = '2031-12-31T23:00:00.000Z';
const holdExample = { reason: 'Appeal 4 K 12/26', setAt: '2026-11-21T09:00:00.000Z' };

const refExample = { system: 'dms', value: '4711', meta: { folder: 'A 3' } };

export const schemas = {
  Health: object({ status: { type: 'string', const: 'ok' } }, { status: 'ok' }),
  Readiness: object(
    {
      status: { type: 'string', enum: ['ready', 'degraded', 'unavailable'] },
      dependencies: {
        type: 'object',
        description: 'By name; absent when not configured.',
        additionalProperties: object({ ok: { type: 'boolean' }, detail: text }),
      },
    },
    { status: 'ready', dependencies: { db: { ok: true, detail: 'answers' } } },
  ),
  Digests: object({ blake3: hex, sha256: hex }, { blake3: BLAKE3, sha256: SHA256 }),
  AnnouncedDigests: {
    type: 'object',
    description: 'Digests the client has computed; a mismatch fails the request.',
    properties: { blake3: hex, sha256: hex },
    additionalProperties: false,
  },
  ContentRef: object({ kind: { type: 'string', enum: ['blob', 'view'] }, key: text }, { kind: 'blob', key: `b3:${BLAKE3}` }),
  Version: object(
    {
      documentId: uuid,
      versionId: uuid,
      parents: { type: 'array', items: uuid },
      labels: { type: 'array', items: text },
      contentRef: ref('ContentRef'),
      size: offset,
      digests: ref('Digests'),
      filename: orNull(text),
      contentType: text,
      reason: orNull(text),
      createdAt: time,
    },
    versionExample,
  ),
  Document: object(document, documentExample),
  DocumentWithRefs: object(
    {
      ...document,
      folderId: orNull(uuid),
      retainUntil: { ...orNull(time), description: 'It is not disposed of before.' },
      hold: { oneOf: [ref('Hold'), { type: 'null' }], description: 'It is not disposed of while there is one.' },
      externalRefs: { type: 'array', items: ref('ExternalRef') },
    },
    { ...documentExample, folderId: null, retainUntil: RETAINED, hold: holdExample, externalRefs: [refExample] },
    { version: { ...ref('Version'), description: 'The one that was asked for by version, label or asOf.' } },
  ),
  Hold: object({ reason: text, setAt: time }, holdExample),
  Held: object({ documentId: uuid, hold: ref('Hold') }, { documentId: DOCUMENT, hold: holdExample }),
  NeededReason: {
    type: 'object',
    properties: { reason: { ...text, minLength: 1, maxLength: 1000 } },
    required: ['reason'],
    additionalProperties: false,
    examples: [{ reason: 'Retention ended on 31 December 2031' }],
  },
  Retain: {
    type: 'object',
    properties: { retainUntil: time, reason: { ...text, maxLength: 1000 } },
    required: ['retainUntil'],
    additionalProperties: false,
    examples: [{ retainUntil: RETAINED, reason: 'Ten years after the last hearing' }],
  },
  Retention: object({ documentId: uuid, retainUntil: time }, { documentId: DOCUMENT, retainUntil: RETAINED }),
  ExternalRef: object({ system: text, value: text, meta: { type: ['object', 'null'] } }, refExample),
  RefName: object({ system: text, value: text }, { system: 'dms', value: '4711' }),
  RefMeta: {
    type: 'object',
    properties: { meta: { type: 'object' } },
    additionalProperties: false,
    examples: [{ meta: { folder: 'A 3' } }],
  },
  DocumentPage: page('Document'),
  VersionPage: page('Version'),
  MoveLabel: {
    type: 'object',
    properties: { versionId: uuid, expected: orNull(uuid), reason: { ...text, maxLength: 1000 } },
    required: ['versionId', 'expected'],
    additionalProperties: false,
    examples: [{ versionId: VERSION, expected: null, reason: 'Sealed by order of the court' }],
  },
  Label: object(
    { label: text, versionId: uuid, moved: { type: 'boolean', description: 'False: it stood there already.' } },
    { label: 'sealed', versionId: VERSION, moved: true },
  ),
  LabelMove: object(
    { versionId: uuid, previousVersionId: orNull(uuid), reason: orNull(text), movedBy: uuid, movedAt: time },
    {
      versionId: VERSION,
      previousVersionId: null,
      reason: 'Sealed by order of the court',
      movedBy: '019aa5c0-6e00-7a3b-8c1d-2e4f5a6b7c8d',
      movedAt: '2026-11-21T09:00:00.000Z',
    },
  ),
  LabelMovePage: page('LabelMove'),
  ...metadataSchemas,
  ...accessSchemas,
  CreateUpload: {
    type: 'object',
    description: 'All fields are optional.',
    properties: {
      documentId: { ...uuid, description: 'A known document: the upload makes a further version of it.' },
      filename: { ...text, maxLength: limits.filenameMax },
      contentType: { ...text, maxLength: limits.contentTypeMax },
      size: { ...offset, description: 'Declared size in bytes; more is refused, less cannot be finalised.' },
      digests: ref('AnnouncedDigests'),
      externalRefs: {
        type: 'array',
        description: 'What other systems call the document, from the commit on.',
        items: {
          type: 'object',
          properties: { system: text, value: text, meta: { type: 'object' } },
          required: ['system', 'value'],
        },
        maxItems: limits.externalRefsMax,
      },
      initialMetadata: {
        type: 'object',
        description: 'Canonical metadata of the version, by namespace, as in a bundle. Checked now, stored with the commit.',
      },
      folderId: { ...uuid, description: 'Where a new document is to lie. Takes doc.write there instead of in the org.' },
      initialPermissions: {
        type: 'object',
        description: 'The first access rules of a new document, in force from its commit on. Takes acl.admin where it is to lie.',
        properties: { rules: { type: 'array', items: { type: 'object' }, maxItems: limits.accessRulesMax } },
        required: ['rules'],
        additionalProperties: false,
      },
    },
    additionalProperties: false,
    examples: [{ filename: 'scan-0412.pdf', contentType: 'application/pdf', size: 104_857_600 }],
  },
  UploadCreated: object(
    { documentId: uuid, uploadId: uuid, offset, expiresAt: time },
    { documentId: DOCUMENT, uploadId: UPLOAD, offset: 0, expiresAt: '2026-11-28T09:00:00.000Z' },
  ),
  UploadCreatedOrVersion: { oneOf: [ref('UploadCreated'), ref('Version')] },
  Upload: object(
    {
      uploadId: uuid,
      documentId: uuid,
      state: { type: 'string', enum: ['open', 'sealing', 'committed', 'failed', 'expired'] },
      offset: { ...offset, description: 'Bytes that are durable.' },
      size: orNull(offset),
      filename: orNull(text),
      contentType: text,
      digests: { ...ref('AnnouncedDigests'), description: 'As they were announced when the session was opened.' },
      expiresAt: time,
      result: { anyOf: [ref('Version'), { type: 'null' }], description: 'What it became; null until it is committed.' },
    },
    {
      uploadId: UPLOAD,
      documentId: DOCUMENT,
      state: 'open',
      offset: 67_108_864,
      size: 104_857_600,
      filename: 'scan-0412.pdf',
      contentType: 'application/pdf',
      digests: {},
      expiresAt: '2026-11-28T09:00:00.000Z',
      result: null,
    },
  ),
  Finalize: {
    type: 'object',
    description: 'All fields are optional; so is the body.',
    properties: {
      labels: { type: 'array', items: text, description: 'Besides CURRENT, which always moves.' },
      reason: text,
      digests: ref('AnnouncedDigests'),
      parents: {
        type: 'array',
        items: uuid,
        maxItems: limits.versionParentsMax,
        description: 'Versions of the document that it comes from besides the current one.',
      },
    },
    additionalProperties: false,
    examples: [{ labels: ['FILED'], reason: 'first filing' }],
  },
  Problem: {
    type: 'object',
    description: 'RFC 9457. `code` is stable; docs/errors.md says what each means and what to do.',
    properties: {
      type: { ...text, examples: ['urn:quasar:error:upload_offset_mismatch'] },
      title: text,
      status: { type: 'integer' },
      detail: text,
      instance: text,
      code: { type: 'string', enum: Object.keys(errorTable) },
      requestId: text,
      details: { type: 'object', additionalProperties: true },
    },
    required: ['type', 'title', 'status', 'instance', 'code', 'requestId'],
    examples: [
      {
        type: 'urn:quasar:error:upload_offset_mismatch',
        title: errorTable.upload_offset_mismatch.title,
        status: 409,
        instance: `/v1/uploads/${UPLOAD}/bytes`,
        code: 'upload_offset_mismatch',
        requestId: '019aa5c0-7000-7a3b-8c1d-2e4f5a6b7c8d',
        details: { expected: 67_108_864, received: 0 },
      },
    ],
  },
  ...auditSchemas,
  OpenApi: { type: 'object', description: 'This document.', additionalProperties: true },
};

export type SchemaName = keyof typeof schemas;
