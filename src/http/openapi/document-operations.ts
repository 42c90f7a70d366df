import type { Operation } from './operation.ts';

const storing = [
  'bad_parameter',
  'unsupported_media_type',
  'upload_too_large',
  'digest_mismatch',
  'idempotency_mismatch',
  'upload_stalled',
  'too_many_uploads',
  'draining',
  'storage_full',
  'node_read_only',
  'database_unavailable',
  'commit_unknown',
] as const;

export const documentOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/documents',
    operationId: 'createDocument',
    tag: 'Documents',
    summary: 'Store a file in one request, or open an upload session for it.',
    description:
      'With `application/json` the body describes a file to come and a session is opened; files that are JSON themselves ' +
      'need a session. Any other content type is the file: it is stored and committed before the answer. An absent, ' +
      'octet-stream or form-urlencoded type (what curl sends by itself) is replaced by what the first bytes look like. ' +
      'The same documentId with an open upload, or the same Idempotency-Key, gives the earlier answer with 200.',
    parameters: ['filename', 'contentDisposition', 'idempotencyKey', 'reprDigest', 'contentDigest', 'amzChecksum'],
    body: { required: false, json: 'CreateUpload', bytes: true },
    answers: {
      200: {
        description: 'Known already: the session with its current offset, or the version made before.',
        headers: ['Location', 'Upload-Offset', 'Quasar-Durability'],
        json: 'UploadCreatedOrVersion',
      },
      201: {
        description: 'A new session, or the version that was stored.',
        headers: ['Location', 'Upload-Offset', 'Quasar-Durability'],
        json: 'UploadCreatedOrVersion',
      },
    },
    problems: ['bad_body', 'body_too_large', ...storing],
  },
  {
    method: 'get',
    path: '/v1/documents',
    operationId: 'listDocuments',
    tag: 'Documents',
    summary: 'Documents, newest first.',
    parameters: ['limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'DocumentPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/documents/{documentId}',
    operationId: 'getDocument',
    tag: 'Documents',
    summary: 'A document with its current version.',
    description: 'With `version`, `label` or `asOf` the answer also has the version they name, as `version`.',
    parameters: ['documentId', 'version', 'versionLabel', 'asOf'],
    answers: { 200: { description: 'The document.', headers: ['ETag'], json: 'Document' } },
    problems: ['bad_parameter', 'document_not_found', 'version_not_found', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/documents/{documentId}/versions',
    operationId: 'listVersions',
    tag: 'Documents',
    summary: 'Versions of a document, newest first.',
    parameters: ['documentId', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'VersionPage' } },
    problems: ['bad_parameter', 'document_not_found', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/documents/{documentId}/content',
    operationId: 'putContent',
    tag: 'Documents',
    summary: 'Store a further version of a document in one request.',
    parameters: [
      'documentId',
      'filename',
      'contentDisposition',
      'idempotencyKey',
      'ifVersionMatch',
      'reprDigest',
      'contentDigest',
      'amzChecksum',
    ],
    body: { required: true, bytes: true },
    answers: {
      200: {
        description: 'Made before, by the same Idempotency-Key.',
        headers: ['Location', 'Quasar-Durability'],
        json: 'Version',
      },
      201: { description: 'The new version.', headers: ['Location', 'Quasar-Durability'], json: 'Version' },
    },
    problems: ['document_not_found', 'precondition_failed', ...storing],
  },
  {
    method: 'put',
    path: '/v1/documents/{documentId}/labels/{label}',
    operationId: 'putLabel',
    tag: 'Documents',
    summary: 'Move a label from the version it stands at to another.',
    description:
      '`expected` is the version the label stands at, or null when it is new; where it stands elsewhere, nothing moves. A ' +
      'label that stands at `versionId` already stays: a repeated request is no conflict. A reader of the content is ' +
      'given the new current version from then on.',
    parameters: ['documentId', 'label'],
    body: { required: true, json: 'MoveLabel' },
    answers: { 200: { description: 'It stands there.', json: 'Label' } },
    problems: [
      'bad_parameter',
      'bad_body',
      'body_too_large',
      'unsupported_media_type',
      'document_not_found',
      'version_not_found',
      'label_conflict',
      'database_unavailable',
    ],
  },
  {
    method: 'get',
    path: '/v1/documents/{documentId}/labels/{label}/moves',
    operationId: 'listLabelMoves',
    tag: 'Documents',
    summary: 'Where a label stood, latest first.',
    description: 'That of CURRENT ends with the making of the document; a label nobody ever set has no moves.',
    parameters: ['documentId', 'label', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'LabelMovePage' } },
    problems: ['bad_parameter', 'document_not_found', 'database_unavailable'],
  },
];
