import type { BlobFacts, VersionFacts } from '../../catalog/catalog.ts';
import type { Clock } from '../../core/clock.ts';
import { type BlobKey, parseBlobKey } from '../../core/digest.ts';
import { QuasarError } from '../../core/errors.ts';
import { type DocumentId, parseId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { evaluateConditions, rangeApplies } from '../conditional.ts';
import { type ContentFacts, contentHeaders, contentTypeHeader, etagOf, validatorHeaders } from '../content-headers.ts';
import type { Exchange } from '../edge.ts';
import type { NotedRead } from '../gate-port.ts';
import { contentRange, planMultipart } from '../multipart.ts';
import { resolveRange } from '../range.ts';
import { byHandler, onDocument } from '../route-access.ts';
import { route } from '../router.ts';
import { documentIdOf } from './documents.ts';
import { type ContentAnswer, sendContent } from './send-content.ts';
import type { Services } from './services.ts';
import { findSelected, parseVersionSelector } from './version-selector.ts';

/** Synchronous when the version and the block are in memory: a hot range costs no promise. */
export const getContent = route(
  'GET',
  '/v1/documents/{documentId}/content',
  onDocument('blob.read'),
  (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const selector = parseVersionSelector(exchange.query);
    const known =
      selector.kind === 'label'
        ? undefined
        : services.catalog.peekVersion(caller, documentId, selector.kind === 'version' ? selector.versionId : undefined);
    if (known !== undefined) return answerVersion(exchange, known, services, caller);
    return findSelected(documentId, selector, services, caller).then((version) =>
      answerVersion(exchange, version, services, caller),
    );
  },
);

export const getBlob = route(
  'GET',
  '/v1/blobs/{key}',
  byHandler('doc.read', 'blob.read'),
  async (exchange, params, services: Services, caller) => {
    const key = parseBlobKey(params.key as string);
    // The blob comes second: the catalog remembers those that others read, and whether it does must not show.
    const documentId = await findReadable(key, namedDocument(exchange.query), services, caller);
    const blob = documentId && (await services.catalog.findBlob(caller, key));
    if (blob === undefined || documentId === undefined) return services.gate.refuseBlob(caller, key);
    const facts = { key, sha256: blob.sha256, contentType: 'application/octet-stream', filename: undefined };
    const read = { action: 'blob.read', documentId, versionId: undefined } as const;
    await answer(exchange, { blob, read, ...describeFacts(facts) }, services, caller);
  },
);

function answerVersion(exchange: Exchange, version: VersionFacts, services: Services, caller: Caller): void | Promise<void> {
  const { blob, documentId, versionId } = version;
  const { facts, etag, headers } = describe(version);
  const content = { blob, facts, etag, headers, read: { action: 'blob.read', documentId, versionId } } as const;
  return answer(exchange, content, services, caller);
}

/** A document that has the blob and may be read, in two statements whatever there is. */
async function findReadable(
  key: BlobKey,
  documentId: DocumentId | undefined,
  { catalog, gate }: Services,
  caller: Caller,
): Promise<DocumentId | undefined> {
  const names = [caller.principalId, ...caller.session.requester.groups];
  return gate.findAllowed(caller, await catalog.findBlobDocuments(caller, key, { names, documentId }), 'blob.read');
}

/** Where very many documents share a blob, the one by which it is read. @throws QuasarError `bad_parameter`. */
function namedDocument(query: string): DocumentId | undefined {
  const named = query === '' ? null : new URLSearchParams(query).get('document');
  return named === null ? undefined : parseId<DocumentId>(named, 'document');
}

interface Described {
  readonly facts: ContentFacts;
  readonly etag: string;
  /** Those of `contentHeaders`. */
  readonly headers: readonly string[];
}

interface Content extends Described {
  readonly blob: BlobFacts;
  readonly read: Omit<NotedRead, 'bytes'>;
}

/** By the object the catalog's cache hands out: making the headers takes 2 us, and a whole hot range some 35. */
const described = new WeakMap<VersionFacts, Described>();

function describe(version: VersionFacts): Described {
  const known = described.get(version);
  if (known !== undefined) return known;
  const { blob, contentType, filename } = version;
  const facts = { key: blob.key, sha256: blob.sha256, contentType, filename };
  const made = describeFacts(facts);
  described.set(version, made);
  return made;
}

function describeFacts(facts: ContentFacts): Described {
  return { facts, etag: etagOf(facts.key), headers: contentHeaders(facts) };
}

function answer(exchange: Exchange, content: Content, services: Services, caller: Caller): void | Promise<void> {
  const { etag, read } = content;
  const ifRange = exchange.header('if-range');
  const conditions = { ifMatch: exchange.header('if-match'), ifNoneMatch: exchange.header('if-none-match') };
  switch (evaluateConditions(exchange.method, conditions, etag)) {
    case 'precondition_failed':
      return afterNote(services.gate.noteRead(caller, { ...read, bytes: 0 }), () => {
        throw new QuasarError('precondition_failed', { op: 'download.content', details: { etag } });
      });
    case 'not_modified':
      return afterNote(services.gate.noteRead(caller, { ...read, bytes: 0 }), () =>
        exchange.reply(304, validatorHeaders(content.facts)),
      );
    case 'proceed': {
      const plan = planAnswer(exchange, content, {
        // Range is for GET (RFC 9110 14.2); HEAD tells of all bytes.
        useRange: exchange.method === 'GET' && rangeApplies(ifRange, etag),
        clock: services.clock,
      });
      if (plan === undefined) {
        return afterNote(services.gate.noteRead(caller, { ...read, bytes: 0 }), () => {
          throw new QuasarError('range_unsatisfiable', { op: 'download.content', details: { size: content.blob.size } });
        });
      }
      const bytes = exchange.method === 'HEAD' ? 0 : plan.size;
      return afterNote(services.gate.noteRead(caller, { ...read, bytes }), () =>
        sendContent(exchange, caller, content.blob, plan, services),
      );
    }
  }
}

/** The read is durable in the audit log before the first byte goes out; one that is only counted costs no promise. */
function afterNote(noted: void | Promise<void>, send: () => void | Promise<void>): void | Promise<void> {
  return noted === undefined ? send() : noted.then(send);
}

/** Undefined: no range of it can be answered. */
function planAnswer(
  exchange: Exchange,
  { blob, facts, headers: shared }: Content,
  options: { useRange: boolean; clock: Clock },
): ContentAnswer | undefined {
  const { size } = blob;
  const headers = [...shared];
  const contentType = contentTypeHeader(facts.contentType);
  const outcome = resolveRange(options.useRange ? exchange.header('range') : undefined, size);
  if (outcome.kind === 'unsatisfiable') return undefined;
  if (outcome.kind === 'whole') {
    headers.push('Content-Type', contentType);
    return { status: 200, headers, parts: [{ start: 0, end: size }], size };
  }
  const [first] = outcome.ranges;
  if (outcome.ranges.length === 1 && first !== undefined) {
    headers.push('Content-Type', contentType, 'Content-Range', contentRange(first, size));
    return { status: 206, headers, parts: [first], size: first.end - first.start };
  }
  const plan = planMultipart({
    ranges: outcome.ranges,
    size,
    contentType,
    boundary: Buffer.from(options.clock.random(16)).toString('hex'),
  });
  headers.push('Content-Type', plan.contentType);
  return { status: 206, headers, parts: plan.pieces, size: plan.size };
}
