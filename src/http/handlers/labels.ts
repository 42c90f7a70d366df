import type { LabelMove, LabelOutcome } from '../../catalog/label-store.ts';
import { toTimestamp } from '../../core/clock.ts';
import { QuasarError } from '../../core/errors.ts';
import type { Caller } from '../caller.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onDocument } from '../route-access.ts';
import { evaluating, type Params, route } from '../router.ts';
import { documentIdOf } from './documents.ts';
import { guardOf } from './guard-of.ts';
import { pageOf, parseLabel, parseLabelBody } from './request-bodies.ts';
import type { Services } from './services.ts';

export const putLabel = evaluating(
  ['if-match'],
  route(
    'PUT',
    '/v1/documents/{documentId}/labels/{label}',
    onDocument('doc.write'),
    async (exchange, params, services: Services, caller) => {
      const documentId = documentIdOf(params);
      const label = labelOf(params);
      const body = parseLabelBody(await readJsonBody(exchange, { optional: false }));
      const guard = await guardOf(exchange, documentId, services, caller);
      const outcome = await services.catalog.moveLabel(caller, { documentId, label, ...body, atMs: services.clock.now(), guard });
      refuseUnmoved(outcome);
      replyJson(exchange, 200, { label, versionId: body.versionId, moved: outcome.kind === 'moved' });
    },
  ),
);

export const listLabelMoves = route(
  'GET',
  '/v1/documents/{documentId}/labels/{label}/moves',
  onDocument('doc.read'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const label = labelOf(params);
    const purpose = `moves:${documentId}:${label}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    const page = await services.catalog.listLabelMoves(caller, { documentId, label }, { limit, after });
    if (page.items.length === 0 && after === undefined) await requireDocument(documentId, services, caller);
    await services.gate.noteRead(caller, { action: 'doc.read', documentId, versionId: undefined, bytes: 0 });
    replyJson(exchange, 200, {
      items: page.items.map(moveView),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  },
);

function refuseUnmoved(outcome: LabelOutcome): asserts outcome is Extract<LabelOutcome, { kind: 'moved' | 'unchanged' }> {
  const op = 'label.move';
  switch (outcome.kind) {
    case 'document_missing':
      throw new QuasarError('document_not_found', { op });
    case 'version_missing':
      throw new QuasarError('version_not_found', { op });
    case 'label_moved':
      throw new QuasarError('label_conflict', { op, details: { versionId: outcome.current ?? null } });
    case 'moved':
    case 'unchanged':
  }
}

async function requireDocument(documentId: ReturnType<typeof documentIdOf>, services: Services, caller: Caller): Promise<void> {
  const document = await services.catalog.findDocument(caller, documentId);
  if (document === undefined) throw new QuasarError('document_not_found', { op: 'label.moves' });
}

function moveView(move: LabelMove): Record<string, unknown> {
  return {
    versionId: move.versionId,
    previousVersionId: move.previous ?? null,
    reason: move.reason ?? null,
    movedBy: move.movedBy,
    movedAt: toTimestamp(move.movedAtMs),
  };
}

function labelOf(params: Params): string {
  return parseLabel(params.label as string, 'label');
}
