import { auditActions } from '../../core/audit-action.ts';
import { limits } from '../../core/limits.ts';

const text = { type: 'string' };
const uuid = { type: 'string', format: 'uuid' };
const hex = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const offset = { type: 'integer', format: 'int64', minimum: 0 };
const digestField = { type: 'string', examples: ['sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'] };

export const parameters = {
  documentId: path('documentId', 'The document.', uuid),
  uploadId: path('uploadId', 'The upload session.', uuid),
  key: path('key', 'The blob: "b3:" and the BLAKE3-256 of its bytes in hex.', {
    type: 'string',
    pattern: '^b3:[0-9a-f]{64}$',
  }),
  readFrom: query('document', 'The document by which it is read; looked for when absent.', uuid),
  version: query('version', 'A version of the document; the current one when absent.', uuid),
  versionLabel: query('label', 'The version this label stands at.', { type: 'string', examples: ['sealed'] }),
  asOf: query('asOf', 'The version a label (CURRENT when none is named) stood at then. From the present on: where it stands.', {
    type: 'string',
    format: 'date-time',
    examples: ['2026-11-21T09:00:00.000Z'],
  }),
  label: path('label', 'The label; CURRENT is one.', { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  namespace: path('namespace', 'IRI of the namespace, percent-encoded.', { ...text, examples: ['urn:quasar:ns:case'] }),
  system: path('system', 'The other system.', { ...text, examples: ['dms'] }),
  value: path('value', 'What it calls the document, percent-encoded.', { ...text, examples: ['4711'] }),
  ref: query('ref', 'The document that another system calls so: `system:value`.', { ...text, examples: ['dms:4711'] }),
  withLabel: query('label', 'Documents of which a version has this label.', { ...text, examples: ['sealed'] }),
  withNamespace: query('namespace', 'Documents with canonical metadata of this namespace.', {
    ...text,
    examples: ['urn:quasar:ns:case'],
  }),
  createdFrom: query('createdFrom', 'Made at this time or later.', { type: 'string', format: 'date-time' }),
  createdBefore: query('createdBefore', 'Made before this time.', { type: 'string', format: 'date-time' }),
  schemaNamespace: query('namespace', 'Schemas of this namespace only.', { ...text, examples: ['urn:quasar:ns:case'] }),
  urn: path('urn', 'URN of the schema, percent-encoded.', { ...text, examples: ['urn:quasar:schema:case@1.0.0'] }),
  mode: query('mode', 'The layer.', { type: 'string', enum: ['canonical', 'derived'], default: 'canonical' }),
  quarantined: query('quarantined', 'Show also derived metadata that does not fit its schema.', {
    type: 'boolean',
    default: false,
  }),
  ifMetadataMatch: header('If-Match', "The namespace's ETag (`m-` and its entry); a bare patch needs it.", {
    type: 'string',
    examples: ['"m-019aa5c0-6f02-7a3b-8c1d-2e4f5a6b7c8d"'],
  }),
  leaf: path('leaf', 'Number of the event, from 0.', offset),
  aboutDocument: query('document', 'Events about this document.', uuid),
  byPrincipal: query('principal', 'Events of this principal: its id, or the name of a part of the system.', text),
  ofAction: query('action', 'Events of this action.', { type: 'string', enum: auditActions }),
  happenedFrom: query('from', 'Happened at this time or later.', { type: 'string', format: 'date-time' }),
  happenedUntil: query('until', 'Happened before this time.', { type: 'string', format: 'date-time' }),
  aboveLeaf: query('above', 'Events with a number above this one.', offset),
  event: path('event', 'Id of the event, or its number in the log.', { ...text, examples: ['4711'] }),
  checkpointSize: query('size', 'The largest checkpoint over at most this many events; the last one when absent.', offset),
  provenLeaf: query('leaf', 'Number of the event, from 0.', offset, true),
  withUnsigned: query('unsigned', 'With the events behind the last signed head, which nothing proves yet.', {
    type: 'boolean',
    default: false,
  }),
  treeSize: query('size', 'Events of the tree the event is in.', offset, true),
  firstSize: query('first', 'Events of the older tree.', offset, true),
  secondSize: query('second', 'Events of the newer tree.', offset, true),
  orgId: path('orgId', 'The organisation.', uuid),
  principalId: path('principalId', 'The user or service account.', uuid),
  groupId: path('groupId', 'The group.', uuid),
  memberId: path('memberId', 'The principal or group in it.', uuid),
  folderId: path('folderId', 'The folder.', uuid),
  keyId: path('keyId', 'The API key, by its id.', uuid),
  parent: query('parent', 'The folder around them; the outermost ones when absent.', uuid),
  ofPrincipal: query('principal', 'Keys of this principal only.', uuid),
  explainedPrincipal: query(
    'principal',
    'Whose access; that of whoever asks when absent. Without key and scope: of whoever asks with the credential of this request, of others without one.',
    uuid,
  ),
  explainedKey: query(
    'key',
    'With this API key, whose principal it is about. For its principal, and who administers keys.',
    uuid,
  ),
  explainedScope: query('scope', 'With a credential of this scope: capabilities with commas between them.', {
    ...text,
    examples: ['doc.read,blob.read'],
  }),
  action: query('action', 'The capability that would be needed.', { ...text, examples: ['doc.read'] }),
  ifRulesMatch: header('If-Match', 'The ETag of the rules that are replaced (`a-` and their version).', {
    type: 'string',
    examples: ['"a-0"'],
  }),
  limit: query('limit', 'Items of a page.', {
    type: 'integer',
    minimum: 1,
    maximum: limits.pageSizeMax,
    default: limits.pageSizeDefault,
  }),
  cursor: query('cursor', 'The `nextCursor` of the page before.', { type: 'string' }),
  filename: query('filename', 'Name of the file. Goes before Content-Disposition.', {
    type: 'string',
    maxLength: limits.filenameMax,
  }),
  furtherParent: query('parent', 'A version it comes from besides the current one; may be sent several times.', uuid),
  folder: query('folder', 'The folder a new document is to lie in; in none when absent.', uuid),
  contentDisposition: header('Content-Disposition', 'May name the file.', { type: 'string' }),
  idempotencyKey: header('Idempotency-Key', 'Repeats of a request with this key are answered like the first, for 7 days.', {
    type: 'string',
    maxLength: limits.idempotencyKeyMax,
  }),
  uploadOffset: header('Upload-Offset', 'Where the bytes of this request start. The durable offset of the upload.', {
    ...offset,
    default: 0,
  }),
  contentDigest: header(
    'Content-Digest',
    'SHA-256, SHA-512, SHA-1 or MD5 of the bytes of this request (RFC 9530), compared. Content-MD5 is compared too; other algorithms are refused.',
    digestField,
  ),
  reprDigest: header(
    'Repr-Digest',
    'SHA-256, SHA-512, SHA-1 or MD5 of the whole file (RFC 9530), compared. The older Digest is compared too.',
    digestField,
  ),
  amzChecksum: header('x-amz-checksum-sha256', 'SHA-256 of the bytes of this request in base64, compared.', { type: 'string' }),
  range: header('Range', `Byte ranges, at most ${limits.rangesMax} (RFC 9110 14.2).`, {
    type: 'string',
    examples: ['bytes=0-65535'],
  }),
  metadataHeader: header(
    'Quasar-Metadata',
    'Canonical metadata of the version: Base64 of a JSON object of namespaces, as `initialMetadata` of an upload session.',
    { type: 'string', contentEncoding: 'base64' },
  ),
  ifRange: header('If-Range', 'Honour Range only if this is the ETag.', { type: 'string' }),
  ifMatch: header('If-Match', 'Answer only if one of these is the ETag.', { type: 'string' }),
  ifVersionMatch: header(
    'If-Match',
    "Store only if this is still the document's ETag (`v-` and the current version) or the content's.",
    { type: 'string', examples: ['"v-019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d"'] },
  ),
  ifDocumentMatch: header(
    'If-Match',
    "Change it only if the document still has one of these ETags: its own, `v-` and a version that is current, or its content's. `*` is any.",
    { type: 'string', examples: ['"v-019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d"'] },
  ),
  ifVersionNoneMatch: header(
    'If-None-Match',
    "Store only if the document's and the content's ETag are none of these; `*` never holds, since there is a document.",
    { type: 'string' },
  ),
  ifNoneMatch: header('If-None-Match', 'Answer 304 if one of these is the ETag.', { type: 'string' }),
} as const;

export type ParameterName = keyof typeof parameters;

export const headers = {
  'X-Request-Id': says("The client's x-request-id if it was well-formed, else one made here. Quote it in reports.", {
    type: 'string',
  }),
  Location: says('Where the result is.', { type: 'string', format: 'uri-reference' }),
  'Upload-Offset': says('Bytes that are durable. A promise: they survive any crash.', offset),
  'Upload-Length': says('Declared size, if any.', offset),
  'Upload-Complete': says('?1 once the upload is committed.', { type: 'string', enum: ['?0', '?1'] }),
  'Upload-Expires': says('When the session ends if nothing more arrives.', { type: 'string', format: 'date-time' }),
  'Quasar-Durability': says('How safe the acknowledged bytes are.', { type: 'string', examples: ['fsync;nodes=1'] }),
  ETag: says(
    'Strong: the BLAKE3-256 of the bytes, the current version of a document and the state of what is said of it, the entry of a namespace, or the version of access rules.',
    {
      type: 'string',
      examples: [`"b3-${'0'.repeat(64)}"`, '"v-019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d.0f343b0931126a20f133d67c2b018a3b"'],
    },
  ),
  'Repr-Digest': says('SHA-256 of the whole file (RFC 9530).', digestField),
  'Accept-Ranges': says('Ranges are served.', { type: 'string', const: 'bytes' }),
  'Content-Range': says('Which bytes these are.', { type: 'string' }),
  'Content-Disposition': says('inline for harmless types, else attachment; with the name, made harmless.', { type: 'string' }),
  'Cache-Control': says('May be kept by the caller, and is asked for again each time: who may read changes.', {
    type: 'string',
    examples: ['private, no-cache'],
  }),
  Vary: says('The answer is for who asked.', { type: 'string', const: 'Authorization' }),
  'Retry-After': says('Seconds to wait.', { type: 'integer' }),
} as const;

export type HeaderName = keyof typeof headers;

export const shapes = { uuid, hex, offset };

function path(name: string, description: string, schema: object) {
  return { name, in: 'path', required: true, description, schema };
}

function query(name: string, description: string, schema: object, required = false) {
  return { name, in: 'query', ...(required ? { required } : {}), description, schema };
}

function header(name: string, description: string, schema: object) {
  return { name, in: 'header', description, schema };
}

function says(description: string, schema: object) {
  return { description, schema };
}
