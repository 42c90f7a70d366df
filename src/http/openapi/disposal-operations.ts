import type { Operation } from './operation.ts';

const changing = [
  'bad_parameter',
  'bad_body',
  'body_too_large',
  'unsupported_media_type',
  'document_not_found',
  'database_unavailable',
] as const;

export const disposalOperations: readonly Operation[] = [
  {
    method: 'delete',
    path: '/v1/documents/{documentId}',
    operationId: 'disposeDocument',
    tag: 'Documents',
    summary: 'Dispose of a document.',
    description:
      'It is gone from lists, its external references are free, an open upload to it has failed, and its content can no longer ' +
      'be read. What it was stays explainable: the audit log says who disposed of it, when and why.',
    parameters: ['documentId'],
    body: { required: true, json: 'NeededReason' },
    answers: { 204: { description: 'Disposed of.' } },
    problems: [...changing, 'document_held', 'document_retained'],
  },
  {
    method: 'put',
    path: '/v1/documents/{documentId}/retention',
    operationId: 'putRetention',
    tag: 'Documents',
    summary: 'Keep a document until a time at least.',
    description: 'The time is only ever moved to a later one.',
    parameters: ['documentId'],
    body: { required: true, json: 'Retain' },
    answers: { 200: { description: 'It is kept until then.', json: 'Retention' } },
    problems: [...changing, 'retention_shortened'],
  },
  {
    method: 'put',
    path: '/v1/documents/{documentId}/hold',
    operationId: 'putHold',
    tag: 'Documents',
    summary: 'Put a document under a hold: it is not disposed of before the hold is released.',
    description: 'A document has one hold at most; another reason takes the place of the one before.',
    parameters: ['documentId'],
    body: { required: true, json: 'NeededReason' },
    answers: { 200: { description: 'It is under this hold.', json: 'Held' } },
    problems: changing,
  },
  {
    method: 'delete',
    path: '/v1/documents/{documentId}/hold',
    operationId: 'deleteHold',
    tag: 'Documents',
    summary: 'Release the hold of a document.',
    parameters: ['documentId'],
    body: { required: true, json: 'NeededReason' },
    answers: { 204: { description: 'It is under no hold.' } },
    problems: changing,
  },
];
