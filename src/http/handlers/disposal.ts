import { documentClassOf } from '../../access/access-change.ts';
import { toTimestamp } from '../../core/clock.ts';
import { QuasarError } from '../../core/errors.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onDocument } from '../route-access.ts';
import { evaluating, route } from '../router.ts';
import { parseNeededReason, parseRetentionBody } from './disposal-bodies.ts';
import { documentIdOf } from './documents.ts';
import { guardOf } from './guard-of.ts';
import type { Services } from './services.ts';

export const disposeDocument = evaluating(
  ['if-match'],
  route(
    'DELETE',
    '/v1/documents/{documentId}',
    onDocument('doc.dispose'),
    async (exchange, params, services: Services, caller) => {
      const op = 'document.dispose';
      const documentId = documentIdOf(params);
      const reason = parseNeededReason(await readJsonBody(exchange, { optional: false }));
      const guard = await guardOf(exchange, documentId, services, caller);
      const outcome = await services.catalog.disposeDocument(caller, { documentId, reason, atMs: services.clock.now(), guard });
      switch (outcome.kind) {
        case 'document_missing':
          throw new QuasarError('document_not_found', { op });
        case 'document_held':
          throw new QuasarError('document_held', { op });
        case 'document_retained':
          throw new QuasarError('document_retained', { op, details: { retainUntil: toTimestamp(outcome.untilMs) } });
        case 'unchanged':
          throw new QuasarError('document_disposed', { op });
        case 'disposed':
          services.gate.changed({ orgId: caller.orgId, kind: 'document', documentClass: documentClassOf(documentId) });
          for (const uploadId of outcome.uploadIds) services.uploads.forget(uploadId);
          exchange.reply(204, []);
      }
    },
  ),
);

export const putRetention = evaluating(
  ['if-match'],
  route(
    'PUT',
    '/v1/documents/{documentId}/retention',
    onDocument('doc.dispose'),
    async (exchange, params, services: Services, caller) => {
      const op = 'document.retain';
      const documentId = documentIdOf(params);
      const wish = parseRetentionBody(await readJsonBody(exchange, { optional: false }));
      const guard = await guardOf(exchange, documentId, services, caller);
      const outcome = await services.catalog.setRetention(caller, { documentId, ...wish, guard });
      if (outcome.kind === 'document_missing') throw new QuasarError('document_not_found', { op });
      const retainUntil = toTimestamp(outcome.untilMs);
      if (outcome.kind === 'retention_shortened') {
        throw new QuasarError('retention_shortened', { op, details: { retainUntil } });
      }
      replyJson(exchange, 200, { documentId, retainUntil });
    },
  ),
);

const HOLD = '/v1/documents/{documentId}/hold';

export const putHold = evaluating(
  ['if-match'],
  route('PUT', HOLD, onDocument('legal_hold.write'), async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const reason = parseNeededReason(await readJsonBody(exchange, { optional: false }));
    const guard = await guardOf(exchange, documentId, services, caller);
    const outcome = await services.catalog.setHold(caller, { documentId, reason, atMs: services.clock.now(), guard });
    if (outcome.kind === 'document_missing') throw new QuasarError('document_not_found', { op: 'hold.set' });
    replyJson(exchange, 200, { documentId, hold: { reason, setAt: toTimestamp(outcome.setAtMs) } });
  }),
);

export const deleteHold = evaluating(
  ['if-match'],
  route('DELETE', HOLD, onDocument('legal_hold.write'), async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const reason = parseNeededReason(await readJsonBody(exchange, { optional: false }));
    const guard = await guardOf(exchange, documentId, services, caller);
    const outcome = await services.catalog.releaseHold(caller, { documentId, reason, atMs: services.clock.now(), guard });
    if (outcome === 'document_missing') throw new QuasarError('document_not_found', { op: 'hold.release' });
    exchange.reply(204, []);
  }),
);
