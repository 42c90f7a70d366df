import { QuasarError } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { type DocumentId, type FolderId, newId, parseId, type VersionId } from '../../core/ids.ts';
import { makeEntries } from '../../records/write-metadata.ts';
import type { VersionWish } from '../../upload/commit.ts';
import { versionOf } from '../../upload/finalize.ts';
import { storeOneShot } from '../../upload/one-shot.ts';
import { announcedDigests, verifierOf } from '../body-digests.ts';
import type { Caller } from '../caller.ts';
import { documentEtagOf, expectedVersionOf, NO_VERSION, versionEtagOf } from '../conditional-write.ts';
import type { Exchange } from '../edge.ts';
import { filenameOf } from '../filename.ts';
import { mediaTypeOf } from '../json-body.ts';
import { writeConditionsOf } from '../preconditions.ts';
import { strictQuery } from '../query.ts';
import { replyJson, replyTagged } from '../reply.ts';
import { byHandler, onDocument } from '../route-access.ts';
import { evaluating, type Params, route, taking } from '../router.ts';
import { mediaTypeOf as storedTypeOf } from '../sniff.ts';
import { createSession } from './create-session.ts';
import { parseDocumentFilter } from './document-filter.ts';
import { listReadable } from './list-readable.ts';
import { metadataOf } from './metadata-header.ts';
import { readAnswer } from './read-answer.ts';
import { parseRefText } from './ref-bodies.ts';
import { idempotencyKeyOf, pageOf, parseFolder, parseParents } from './request-bodies.ts';
import { placeOf, requireWrite } from './require-write.ts';
import type { Services } from './services.ts';
import { locationOf } from './uploads.ts';
import { findSelected, parseVersionSelector } from './version-selector.ts';
import { detailsView, documentView, refView, versionView } from './views.ts';

export const postDocument = taking(
  'record',
  route('POST', '/v1/documents', byHandler('doc.write'), (exchange, _params, services: Services, caller) => {
    const contentType = exchange.header('content-type');
    if (contentType !== undefined && mediaTypeOf(contentType) === 'application/json')
      return createSession(exchange, services, caller);
    const documentId = newId<DocumentId>(services.clock);
    const folderId = folderOf(exchange.query);
    const target = { documentId, newDocument: true, folderId, expectedVersionId: undefined };
    const allowed = requireWrite(placeOf(folderId), services, caller);
    if (allowed === undefined) return oneShot(exchange, services, caller, target);
    return allowed.then(() => oneShot(exchange, services, caller, target));
  }),
);

export const putDocumentContent = taking(
  'record',
  evaluating(
    ['if-match', 'if-none-match'],
    route(
      'PUT',
      '/v1/documents/{documentId}/content',
      onDocument('doc.write'),
      async (exchange, params, services: Services, caller) => {
        const documentId = documentIdOf(params);
        await services.gate.require(caller, { kind: 'document', documentId }, 'blob.write');
        const current = await services.catalog.findVersion(caller, documentId);
        if (current === undefined) throw new QuasarError('document_not_found', { op: 'document.put' });
        const expectedVersionId = expectedVersionOf(writeConditionsOf(exchange), current);
        // With a key it may be the repeat of a request that has moved the version itself: the commit tells.
        if (expectedVersionId === NO_VERSION && idempotencyKeyOf(exchange) === undefined) {
          throw new QuasarError('precondition_failed', {
            op: 'document.put',
            details: { etag: versionEtagOf(current.versionId) },
          });
        }
        const parents = parseParents(strictQuery(exchange.query, ['parent', 'filename'], ['parent']).getAll('parent'));
        await oneShot(exchange, services, caller, { documentId, newDocument: false, expectedVersionId, parents });
      },
    ),
  ),
);

export const listDocuments = route(
  'GET',
  '/v1/documents',
  byHandler('doc.read'),
  async (exchange, _params, services: Services, caller) => {
    const query = new URLSearchParams(exchange.query);
    const ref = query.get('ref');
    if (ref !== null) {
      const item = await findByRef(ref, services, caller);
      if (item === undefined) await services.gate.noteListing(caller, DOCUMENTS);
      replyJson(exchange, 200, { items: item === undefined ? [] : [item], nextCursor: null });
      return;
    }
    const filter = parseDocumentFilter(query);
    const purpose = `documents by change:${caller.orgId}:${fingerprintOf(filter)}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    const page = await listReadable({ limit, after, filter }, services, caller);
    await services.gate.noteListing(caller, DOCUMENTS);
    replyJson(exchange, 200, {
      items: page.items.map((item) => documentView(item, item.current)),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  },
);

export const getDocument = route(
  'GET',
  '/v1/documents/{documentId}',
  onDocument('doc.read'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const document = await services.catalog.showDocument(caller, documentId);
    // By its id: a commit between the two questions must not pair one version's id with another's facts.
    const current = document && (await services.catalog.findVersion(caller, documentId, document.currentVersionId));
    if (document === undefined || current === undefined) throw new QuasarError('document_not_found', { op: 'document.get' });
    const selector = parseVersionSelector(exchange.query);
    const selected = selector.kind === 'current' ? undefined : await findSelected(documentId, selector, services, caller);
    const { versionId } = selected ?? current;
    await services.gate.noteRead(caller, { action: 'doc.read', documentId, versionId, bytes: 0 });
    const view = {
      ...documentView(document, current),
      ...detailsView(document),
      externalRefs: document.refs.map(refView),
      ...(selected === undefined ? {} : { version: versionView(selected) }),
    };
    replyTagged(exchange, documentEtagOf(document.currentVersionId, document.state), view);
  },
);

export const listVersions = route(
  'GET',
  '/v1/documents/{documentId}/versions',
  onDocument('doc.read'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const purpose = `versions by change:${documentId}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    const page = await services.catalog.listVersions(caller, documentId, { limit, after });
    if (page.items.length === 0 && after === undefined) throw new QuasarError('document_not_found', { op: 'document.versions' });
    await services.gate.noteRead(caller, { action: 'doc.read', documentId, versionId: undefined, bytes: 0 });
    replyJson(exchange, 200, {
      items: page.items.map(versionView),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  },
);

/** One that vanishes between the questions is not there; one that is hidden takes the way of one that is not. */
async function findByRef(
  ref: string,
  { catalog, records, gate }: Services,
  caller: Caller,
): Promise<Record<string, unknown> | undefined> {
  const named = await records.refs.findRef(caller, parseRefText(ref));
  const documentId = await gate.findAllowed(caller, named === undefined ? [] : [named], 'doc.read');
  const document = documentId && (await catalog.findDocument(caller, documentId));
  const current = document && (await catalog.findVersion(caller, document.documentId, document.currentVersionId));
  if (document === undefined || current === undefined) return undefined;
  await gate.noteRead(caller, { action: 'doc.read', ...document, versionId: current.versionId, bytes: 0 });
  return documentView(document, current);
}

export function documentIdOf(params: Params): DocumentId {
  return parseId<DocumentId>(params.documentId as string, 'documentId');
}

const DOCUMENTS = { action: 'doc.read', list: 'documents' } as const;

type OneShotTarget = Pick<VersionWish, 'documentId' | 'newDocument' | 'folderId' | 'expectedVersionId' | 'parents'>;

async function oneShot(exchange: Exchange, services: Services, caller: Caller, target: OneShotTarget): Promise<void> {
  const declared = exchange.header('content-type');
  if (exchange.bodySize !== undefined && exchange.bodySize > services.oneShot.uploadSizeMax) {
    throw new QuasarError('upload_too_large', { op: 'document.post', details: { sizeMax: services.oneShot.uploadSizeMax } });
  }
  const filename = filenameOf(exchange);
  const key = idempotencyKeyOf(exchange);
  const announced = announcedDigests(exchange);
  // The SHA-256 of a record is computed anyway; here the bytes of the request are the whole file.
  const digest = verifierOf(announced.filter(({ algorithm }) => algorithm !== 'sha256'));
  const contentTypeOf = (firstBytes: Uint8Array) => storedTypeOf(declared, firstBytes);
  const parents = target.parents?.length === 0 ? undefined : target.parents;
  const bundle = metadataOf(exchange);
  const metadata = bundle === undefined ? undefined : await makeEntries(caller, bundle, services.records);
  const outcome = await storeOneShot(
    caller,
    {
      source: exchange,
      describe: (firstBytes) => {
        const contentType = contentTypeOf(firstBytes);
        return {
          ...target,
          versionId: newId<VersionId>(services.clock),
          filename,
          contentType,
          reason: undefined,
          labels: [],
          metadata,
          idempotency:
            key === undefined
              ? undefined
              : {
                  key,
                  fingerprint: fingerprintOf({ target: oneShotTarget(target), filename, contentType, parents, metadata: bundle }),
                },
          upload: undefined,
        };
      },
      digests: announced.filter(({ algorithm }) => algorithm === 'sha256').map(({ hex }) => ({ sha256: hex })),
      observe: digest?.observe,
      verify: () => digest?.verify(),
    },
    services.oneShot,
  );
  const version = versionOf(outcome, 'document.post');
  if (outcome.kind === 'repeated') await readAnswer(version, services, caller);
  replyJson(exchange, outcome.kind === 'repeated' ? 200 : 201, versionView(version), [
    ...locationOf(version),
    'Quasar-Durability',
    services.durability,
  ]);
}

function folderOf(query: string): FolderId | undefined {
  return query === '' ? undefined : parseFolder(strictQuery(query, ['folder', 'filename']).get('folder'), 'folder');
}

/** A repeated POST names no document of its own: the first one made it. */
function oneShotTarget(target: OneShotTarget): string {
  if (!target.newDocument) return target.documentId;
  return target.folderId === undefined ? 'new' : `new in ${target.folderId}`;
}
