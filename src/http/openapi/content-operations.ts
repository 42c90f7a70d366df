import { limits } from '../../core/limits.ts';
import type { Answer, Operation } from './operation.ts';
import type { HeaderName, ParameterName } from './parts.ts';

const conditions: readonly ParameterName[] = ['ifMatch', 'ifNoneMatch'];
const ranges: readonly ParameterName[] = ['range', 'ifRange'];
const validators: readonly HeaderName[] = ['ETag', 'Cache-Control', 'Vary'];
const described: readonly HeaderName[] = [...validators, 'Repr-Digest', 'Accept-Ranges', 'Content-Disposition'];

const answers: Readonly<Record<number, Answer>> = {
  200: { description: 'All bytes.', headers: described, media: ['*/*'] },
  206: {
    description: 'The range asked for, or several as multipart/byteranges. Ranges that overlap or touch are merged.',
    headers: [...described, 'Content-Range'],
    media: ['*/*', 'multipart/byteranges'],
  },
  304: { description: 'The client has it.', headers: validators },
};

const headAnswers: Readonly<Record<number, Answer>> = {
  200: { description: 'The headers of GET.', headers: described },
  304: { description: 'The client has it.', headers: validators },
};

const problems = ['bad_parameter', 'precondition_failed', 'corrupt', 'block_unavailable', 'database_unavailable'] as const;

export const contentOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/documents/{documentId}/content',
    operationId: 'getContent',
    tag: 'Content',
    summary: 'The bytes of a document.',
    description:
      'Every block is verified before it is sent. Damage found on the way cuts the answer, which then is shorter than its Content-Length.',
    parameters: ['documentId', 'version', 'versionLabel', 'asOf', ...ranges, ...conditions],
    answers,
    problems: ['document_not_found', 'version_not_found', 'range_unsatisfiable', ...problems],
  },
  {
    method: 'head',
    path: '/v1/documents/{documentId}/content',
    operationId: 'headContent',
    tag: 'Content',
    summary: 'Size, digests and type of a document; Range is ignored.',
    parameters: ['documentId', 'version', 'versionLabel', 'asOf', ...conditions],
    answers: headAnswers,
    problems: ['document_not_found', 'version_not_found', ...problems],
  },
  {
    method: 'get',
    path: '/v1/blobs/{key}',
    operationId: 'getBlob',
    tag: 'Content',
    summary: 'The bytes of a blob by their digest.',
    description: `Whoever may read the content of a document that has it. Of documents that share a blob the ${limits.blobDocumentsExaminedMax} newest are looked at; where more do, \`document\` names the one.`,
    parameters: ['key', 'readFrom', ...ranges, ...conditions],
    answers,
    problems: ['blob_not_found', 'range_unsatisfiable', ...problems],
  },
  {
    method: 'head',
    path: '/v1/blobs/{key}',
    operationId: 'headBlob',
    tag: 'Content',
    summary: 'Size and digests of a blob; Range is ignored.',
    parameters: ['key', 'readFrom', ...conditions],
    answers: headAnswers,
    problems: ['blob_not_found', ...problems],
  },
];
