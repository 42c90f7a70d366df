import { documentClassOf } from '../../access/access-change.ts';
import type { Folder, FolderMoveOutcome } from '../../access/folder-store.ts';
import type { RuledThing } from '../../access/rule-store.ts';
import type { Page } from '../../catalog/catalog.ts';
import { QuasarError } from '../../core/errors.ts';
import { type FolderId, newId, parseId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Caller } from '../caller.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { byHandler, onDocument, onFolder } from '../route-access.ts';
import { evaluating, route } from '../router.ts';
import { parseFolderBody, parseFolderChoice } from './access-bodies.ts';
import { folderView } from './access-views.ts';
import { documentIdOf } from './documents.ts';
import { guardOf } from './guard-of.ts';
import { WHOLE_ORG } from './held-capabilities.ts';
import { pageOf } from './request-bodies.ts';
import { folderIdOf } from './ruled-places.ts';
import type { Services } from './services.ts';

export const listFolders = route(
  'GET',
  '/v1/folders',
  byHandler('doc.read'),
  async (exchange, _params, services: Services, caller) => {
    const named = new URLSearchParams(exchange.query).get('parent');
    const parentId = named === null ? undefined : parseId<FolderId>(named, 'parent');
    const purpose = `folders:${caller.orgId}:${parentId ?? ''}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    if (parentId !== undefined) await services.gate.require(caller, { kind: 'folder', folderId: parentId }, 'doc.read');
    const page = await readableFolders({ parentId, limit, after }, services, caller);
    await services.gate.noteListing(caller, { action: 'doc.read', list: 'folders', folderId: parentId });
    replyJson(exchange, 200, {
      items: page.items.map(folderView),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  },
);

export const postFolder = route(
  'POST',
  '/v1/folders',
  byHandler('doc.write'),
  async (exchange, _params, services: Services, caller) => {
    const op = 'folder.create';
    const wish = parseFolderBody(await readJsonBody(exchange, { optional: false }));
    await services.gate.require(caller, thingOf(wish.parentId), 'doc.write');
    const folderId = newId<FolderId>(services.clock);
    const atMs = services.clock.now();
    const outcome = await services.access.folders.createFolder(caller, { folderId, ...wish, atMs });
    if (outcome === 'parent_missing') throw new QuasarError('folder_not_found', { op });
    if (outcome === 'too_deep') throw tooDeep(op);
    const location = ['Location', `/v1/folders/${folderId}`];
    replyJson(exchange, 201, folderView({ folderId, ...wish, createdAtMs: atMs }), location);
  },
);

export const getFolder = route(
  'GET',
  '/v1/folders/{folderId}',
  onFolder('doc.read'),
  async (exchange, params, services: Services, caller) => {
    replyJson(exchange, 200, folderView(await findFolder(folderIdOf(params), services, caller)));
  },
);

export const putFolder = route(
  'PUT',
  '/v1/folders/{folderId}',
  onFolder('acl.admin'),
  async (exchange, params, services: Services, caller) => {
    const folderId = folderIdOf(params);
    const parentId = parseFolderChoice(await readJsonBody(exchange, { optional: false }), 'parentId');
    await services.gate.require(caller, thingOf(parentId), 'acl.admin');
    const folder = await findFolder(folderId, services, caller);
    await requireLeaving(folder.parentId, parentId, services, caller);
    refuseUnmoved(await services.access.folders.moveFolder(caller, folderId, parentId));
    services.gate.changed({ orgId: caller.orgId, kind: 'folder' });
    // Not read again: a move that took place is not answered as one that failed.
    replyJson(exchange, 200, folderView({ ...folder, parentId }));
  },
);

export const deleteFolder = route(
  'DELETE',
  '/v1/folders/{folderId}',
  onFolder('doc.write'),
  async (exchange, params, services: Services, caller) => {
    const outcome = await services.access.folders.deleteFolder(caller, folderIdOf(params));
    if (outcome === 'folder_missing') throw new QuasarError('folder_not_found', { op: 'folder.delete' });
    if (outcome === 'folder_not_empty') throw new QuasarError('folder_not_empty', { op: 'folder.delete' });
    services.gate.changed({ orgId: caller.orgId, kind: 'folder' });
    exchange.reply(204, []);
  },
);

/** Other rules hold for the document then, so it takes who may change those. */
export const putDocumentFolder = evaluating(
  ['if-match'],
  route(
    'PUT',
    '/v1/documents/{documentId}/folder',
    onDocument('acl.admin'),
    async (exchange, params, services: Services, caller) => {
      const op = 'folder.place';
      const documentId = documentIdOf(params);
      const folderId = parseFolderChoice(await readJsonBody(exchange, { optional: false }), 'folderId');
      await services.gate.require(caller, thingOf(folderId), 'doc.write');
      const document = await services.catalog.findDocument(caller, documentId);
      await requireLeaving(document?.folderId, folderId, services, caller);
      const guard = await guardOf(exchange, documentId, services, caller);
      const outcome = await services.access.folders.placeDocument(caller, documentId, folderId, guard);
      // It is there, as the gate knows, and documents do not vanish.
      if (outcome === 'document_missing') throw new QuasarError('document_disposed', { op });
      if (outcome === 'folder_missing') throw new QuasarError('folder_not_found', { op });
      services.gate.changed({ orgId: caller.orgId, kind: 'document', documentClass: documentClassOf(documentId) });
      replyJson(exchange, 200, { documentId, folderId: folderId ?? null, moved: outcome === 'placed' });
    },
  ),
);

/** What leaves a folder is no longer under its rules: that takes who may change those. */
async function requireLeaving(
  left: FolderId | undefined,
  entered: FolderId | undefined,
  { gate }: Services,
  caller: Caller,
): Promise<void> {
  if (left !== undefined && left !== entered) await gate.require(caller, thingOf(left), 'acl.admin');
}

interface FolderQuery {
  readonly parentId: FolderId | undefined;
  readonly limit: number;
  readonly after: string | undefined;
}

/**
 * As many as were asked for of those the caller may read, without telling of others: the end of the list is the end of
 * those. Where `limits.listExaminedMax` were looked at without, the page ends early.
 */
async function readableFolders(query: FolderQuery, services: Services, caller: Caller): Promise<Page<Folder>> {
  const { parentId, limit } = query;
  const found: Folder[] = [];
  let after = query.after;
  for (let examined = 0; examined < limits.listExaminedMax; ) {
    const page = await services.access.folders.listFolders(caller, parentId, { limit: limit + 1, after });
    const readable = await services.gate.readable(
      caller,
      page.items.map(({ folderId }) => thingOf(folderId)),
    );
    found.push(...page.items.filter((_, index) => readable[index]));
    if (found.length > limit) return { items: found.slice(0, limit), next: found[limit - 1]?.folderId };
    if (page.next === undefined) return { items: found, next: undefined };
    after = page.next;
    examined += page.items.length;
  }
  return { items: found, next: after };
}

async function findFolder(folderId: FolderId, services: Services, caller: Caller): Promise<Folder> {
  const folder = await services.access.folders.findFolder(caller, folderId);
  if (folder === undefined) throw new QuasarError('folder_not_found', { op: 'folder.find' });
  return folder;
}

function refuseUnmoved(outcome: FolderMoveOutcome): asserts outcome is 'moved' | 'unchanged' {
  const op = 'folder.move';
  switch (outcome) {
    case 'folder_missing':
    case 'parent_missing':
      throw new QuasarError('folder_not_found', { op });
    case 'cycle':
      throw new QuasarError('nested_in_itself', { op });
    case 'too_deep':
      throw tooDeep(op);
    case 'moved':
    case 'unchanged':
  }
}

function tooDeep(op: string): QuasarError {
  return new QuasarError('nested_too_deep', { op, details: { depthMax: limits.folderDepthMax } });
}

/** Outermost folders lie in the org itself. */
function thingOf(folderId: FolderId | undefined): RuledThing {
  return folderId === undefined ? WHOLE_ORG : { kind: 'folder', folderId };
}
