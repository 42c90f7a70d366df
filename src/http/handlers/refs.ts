import type { ExternalRef } from '../../catalog/ref-store.ts';
import { QuasarError } from '../../core/errors.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onDocument } from '../route-access.ts';
import { evaluating, type Params, route } from '../router.ts';
import { documentIdOf } from './documents.ts';
import { guardOf } from './guard-of.ts';
import { parseRefBody, parseRefName } from './ref-bodies.ts';
import type { Services } from './services.ts';
import { refView } from './views.ts';

const PATTERN = '/v1/documents/{documentId}/refs/{system}/{value}';

export const putRef = evaluating(
  ['if-match'],
  route('PUT', PATTERN, onDocument('doc.write'), async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const name = nameOf(params);
    const ref: ExternalRef = { ...name, meta: parseRefBody(await readJsonBody(exchange, { optional: true })) };
    const guard = await guardOf(exchange, documentId, services, caller);
    const outcome = await services.records.refs.addRef(caller, documentId, ref, services.clock.now(), guard);
    if (outcome === 'document_missing') throw new QuasarError('document_not_found', { op: 'ref.put' });
    if (outcome === 'ref_taken') throw new QuasarError('ref_taken', { op: 'ref.put', details: name });
    replyJson(exchange, outcome === 'added' ? 201 : 200, outcome === 'added' ? refView(ref) : name);
  }),
);

export const deleteRef = evaluating(
  ['if-match'],
  route('DELETE', PATTERN, onDocument('doc.write'), async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const name = nameOf(params);
    const guard = await guardOf(exchange, documentId, services, caller);
    const removed = await services.records.refs.removeRef(caller, documentId, name, guard);
    if (!removed) throw new QuasarError('ref_not_found', { op: 'ref.delete' });
    exchange.reply(204, []);
  }),
);

function nameOf(params: Params): { system: string; value: string } {
  return parseRefName(params.system as string, params.value as string);
}
