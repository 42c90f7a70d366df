import type { ExternalRef } from '../../catalog/ref-store.ts';
import { isHexDigest } from '../../core/digest.ts';
import { QuasarError } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { type DocumentId, type FolderId, parseId, type VersionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { parseBundle, type SubmittedBundle } from '../../metadata/envelope.ts';
import type { JsonValue } from '../../metadata/json-value.ts';
import type { FinalizeWish } from '../../upload/finalize.ts';
import type { AnnouncedDigests } from '../../upload/session.ts';
import type { Cursors } from '../cursor.ts';
import type { Exchange } from '../edge.ts';
import { checkFilename } from '../filename.ts';
import { badField, fieldsOf, optionalString, parseReason, requiredString } from './body-fields.ts';
import { parseRefs } from './ref-bodies.ts';

/** The JSON bodies and query values of the API, checked field by field; a field nobody knows is refused, not ignored. */
export interface CreateWish {
  readonly documentId: DocumentId | undefined;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly size: number | undefined;
  readonly digests: AnnouncedDigests;
  readonly externalRefs: readonly ExternalRef[];
  /** Canonical. */
  readonly initialMetadata: SubmittedBundle | undefined;
  /** Where a new document is to lie. */
  readonly folderId: FolderId | undefined;
  /** The first rules of a new document, as they came: `parseRules` gives them ids, and the same request must stay the same. */
  readonly initialRules: JsonValue | undefined;
}

export function parseCreateBody(body: JsonValue | undefined, sizeMax: number): CreateWish {
  const names = [
    ...['documentId', 'filename', 'contentType', 'size', 'digests', 'externalRefs', 'initialMetadata'],
    ...['folderId', 'initialPermissions'],
  ];
  const fields = fieldsOf(body, names) as Readonly<Record<string, JsonValue | undefined>>;
  const documentId = optionalString(fields, 'documentId');
  const filename = optionalString(fields, 'filename');
  const size = optionalSize(fields.size);
  if (size !== undefined && size > sizeMax) {
    throw new QuasarError('upload_too_large', { op: 'upload.create', details: { sizeMax } });
  }
  return {
    documentId: documentId === undefined ? undefined : parseId<DocumentId>(documentId, 'documentId'),
    filename: filename === undefined ? undefined : checkFilename(filename),
    contentType: parseContentType(optionalString(fields, 'contentType')),
    size,
    digests: parseDigests(fields.digests),
    externalRefs: parseRefs(fields.externalRefs),
    initialMetadata:
      fields.initialMetadata === undefined || fields.initialMetadata === null
        ? undefined
        : parseBundle({ mode: 'canonical', bundle: fields.initialMetadata, provenance: undefined }),
    folderId: parseFolder(optionalString(fields, 'folderId'), 'folderId'),
    initialRules: parseInitialRules(fields.initialPermissions),
  };
}

export function parseFolder(text: string | null | undefined, parameter: string): FolderId | undefined {
  return text === null || text === undefined ? undefined : parseId<FolderId>(text, parameter);
}

/** `{rules}`. */
function parseInitialRules(value: JsonValue | undefined): JsonValue | undefined {
  if (value === undefined || value === null) return undefined;
  const { rules } = fieldsOf(value, ['rules']) as Readonly<Record<string, JsonValue | undefined>>;
  if (rules === undefined) throw badField('initialPermissions', 'must be {"rules": [...]}');
  return rules;
}

export function parseFinalizeBody(body: unknown): FinalizeWish {
  const fields = fieldsOf(body, ['labels', 'reason', 'digests', 'parents']);
  const labels = parseLabels(fields.labels);
  const reason = parseReason(fields);
  const digests = parseDigests(fields.digests);
  const parents = parseParents(fields.parents ?? []);
  const named = parents.length === 0 ? { labels, reason, digests } : { labels, reason, digests, parents };
  return { labels, reason, digests, parents, fingerprint: fingerprintOf(named) };
}

/** Ids of versions, each once. */
export function parseParents(value: unknown): VersionId[] {
  if (!Array.isArray(value) || value.length > limits.versionParentsMax) {
    throw badField('parents', `must be a list of at most ${limits.versionParentsMax} version ids`);
  }
  const parents = value.map((id) => {
    if (typeof id !== 'string') throw badField('parents', 'must be a list of version ids');
    return parseId<VersionId>(id, 'parents');
  });
  return [...new Set(parents)];
}

export interface LabelBody {
  readonly versionId: VersionId;
  readonly expected: VersionId | undefined;
  readonly reason: string | undefined;
}

/** `expected` must be said, with null for a label that is not there yet. */
export function parseLabelBody(body: unknown): LabelBody {
  const fields = fieldsOf(body, ['versionId', 'expected', 'reason']);
  const versionId = requiredString(fields, 'versionId');
  if (fields.expected === undefined)
    throw badField('expected', 'must be the version the label stands at, or null for a new label');
  const expected = optionalString(fields, 'expected');
  return {
    versionId: parseId<VersionId>(versionId, 'versionId'),
    expected: expected === undefined ? undefined : parseId<VersionId>(expected, 'expected'),
    reason: parseReason(fields),
  };
}

export function parseLabel(text: string, parameter: string): string {
  if (!LABEL.test(text)) throw badField(parameter, `must match ${LABEL.source}`);
  return text;
}

export function idempotencyKeyOf(exchange: Exchange): string | undefined {
  const key = exchange.header('idempotency-key');
  if (key === undefined) return undefined;
  if (key.length === 0 || key.length > limits.idempotencyKeyMax || !/^[\x21-\x7e]+$/.test(key)) {
    throw badField('Idempotency-Key', `must be 1 to ${limits.idempotencyKeyMax} visible ASCII characters without spaces`);
  }
  return key;
}

export function pageOf(exchange: Exchange, cursors: Cursors, purpose: string): { limit: number; after: string | undefined } {
  const query = new URLSearchParams(exchange.query);
  const text = query.get('limit');
  const limit = text === null ? limits.pageSizeDefault : /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= limits.pageSizeMax))
    throw badField('limit', `must be a whole number from 1 to ${limits.pageSizeMax}`);
  const cursor = query.get('cursor');
  return { limit, after: cursor === null ? undefined : cursors.open(purpose, cursor) };
}

function optionalSize(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw badField('size', 'must be a whole number of bytes');
  return value;
}

export function parseContentType(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.length > limits.contentTypeMax || !MEDIA_TYPE.test(text)) {
    throw badField('contentType', `must be a media type of at most ${limits.contentTypeMax} characters`);
  }
  return text;
}

function parseDigests(value: unknown): AnnouncedDigests {
  if (value === undefined || value === null) return {};
  const fields = fieldsOf(value, ['blake3', 'sha256']);
  const digests: { blake3?: string; sha256?: string } = {};
  for (const name of ['blake3', 'sha256'] as const) {
    const text = optionalString(fields, name);
    if (text === undefined) continue;
    const hex = name === 'blake3' && text.startsWith('b3:') ? text.slice(3) : text;
    if (!isHexDigest(hex)) throw badField(`digests.${name}`, 'must be 64 lower-case hex digits');
    digests[name] = hex;
  }
  return digests;
}

function parseLabels(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > LABELS_MAX) throw badField('labels', `must be a list of at most ${LABELS_MAX}`);
  for (const label of value) {
    if (typeof label !== 'string' || !LABEL.test(label)) throw badField('labels', `each must match ${LABEL.source}`);
  }
  // CURRENT moves with every commit; naming it changes nothing.
  return [...new Set(value as string[])].filter((label) => label !== 'CURRENT').sort();
}

const LABELS_MAX = 16;
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** RFC 9110 type/subtype with parameters, without control characters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"\\\p{Cc}]*"))*$/u;
