import { assert } from '../../core/assert.ts';
import { type ErrorCode, errorTable } from '../../core/errors.ts';
import { statusOf } from '../problem.ts';
import { routes } from '../routes.ts';
import { accessOperations } from './access-operations.ts';
import { accessWords, gateProblems, securityOf, securitySchemes } from './access-parts.ts';
import { auditOperations } from './audit-operations.ts';
import { contentOperations } from './content-operations.ts';
import { disposalOperations } from './disposal-operations.ts';
import { documentOperations } from './document-operations.ts';
import { metadataOperations } from './metadata-operations.ts';
import type { Answer, Operation, RequestBody } from './operation.ts';
import { type HeaderName, headers, type ParameterName, parameters } from './parts.ts';
import { ref } from './schema-parts.ts';
import { schemas } from './schemas.ts';
import { systemOperations } from './system-operations.ts';
import { uploadOperations } from './upload-operations.ts';

/** All operations of the HTTP contract; `test/unit/http/openapi.test.ts` compares them with the route table. */
export const operations: readonly Operation[] = [
  ...systemOperations,
  ...documentOperations,
  ...disposalOperations,
  ...metadataOperations,
  ...uploadOperations,
  ...contentOperations,
  ...accessOperations,
  ...auditOperations,
];

/** The contract as OpenAPI 3.1, as `GET /v1/openapi.json` serves it. */
export function openapiText(): string {
  return JSON.stringify(openapiDocument());
}

export function openapiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    (paths[operation.path] as Record<string, object>)[operation.method] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quasar',
      version: '1',
      description: 'On-premises document data plane: content-addressed, durable, verifiable. Every error is an RFC 9457 problem.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: ['Documents', 'Metadata', 'Uploads', 'Content', 'Access', 'Audit', 'System'].map((name) => ({ name })),
    paths,
    components: { schemas, parameters, headers, securitySchemes },
  };
}

function describe(operation: Operation): object {
  const { operationId, tag, summary, method } = operation;
  const route = routeOf(operation);
  const { access } = route;
  const names = [...(operation.parameters ?? []), ...conditionsOf(route, operation)];
  const description = [operation.description, accessWords(access)].filter((text) => text !== undefined).join(' ');
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === '' ? {} : { description }),
    ...securityOf(access),
    ...(names.length === 0 ? {} : { parameters: names.map((name) => ({ $ref: `#/components/parameters/${name}` })) }),
    ...(operation.body === undefined ? {} : { requestBody: bodyOf(operation.body) }),
    responses: {
      ...answersOf(operation.answers),
      ...problemsOf([...gateProblems(access), ...demandProblems(route), ...operation.problems], operation.answers, method),
    },
  };
}

/** That of GET for HEAD. */
function routeOf({ method, path }: Operation): (typeof routes)[number] {
  const names = method === 'head' ? ['HEAD', 'GET'] : [method.toUpperCase()];
  const found = routes.find((route) => route.pattern === path && names.includes(route.method));
  assert(found !== undefined, `${method} ${path} has a route`);
  return found;
}

/** The preconditions its route evaluates, where the operation has no words of its own for them. */
function conditionsOf({ evaluates = [] }: (typeof routes)[number], operation: Operation): readonly ParameterName[] {
  const named = new Set((operation.parameters ?? []).map((name) => parameters[name].name.toLowerCase()));
  return evaluates.filter((name) => !named.has(name)).map((name) => CONDITION_WORDS[name]);
}

/** What a request that changes something may meet whatever it asks for. */
function demandProblems({ method, evaluates = [] }: (typeof routes)[number]): readonly ErrorCode[] {
  if (method === 'GET' || method === 'HEAD') return [];
  const body = ['bad_parameter', 'unsupported_media_type', 'digest_mismatch'] as const;
  return ['precondition_unsupported', ...(evaluates.length === 0 ? [] : (['precondition_failed'] as const)), ...body];
}

const CONDITION_WORDS = { 'if-match': 'ifDocumentMatch', 'if-none-match': 'ifVersionNoneMatch' } as const;

function bodyOf(body: RequestBody): object {
  return {
    required: body.required,
    content: {
      ...(body.json === undefined ? {} : { 'application/json': { schema: ref(body.json) } }),
      ...(body.also === undefined ? {} : { [body.also.type]: { schema: ref(body.also.json) } }),
      ...(body.bytes ? { '*/*': { schema: BYTES } } : {}),
    },
  };
}

function answersOf(answers: Readonly<Record<number, Answer>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, headers: names = [], json, media = [] }]) => {
      const content = {
        ...(json === undefined ? {} : { 'application/json': { schema: ref(json) } }),
        ...Object.fromEntries(media.map((type) => [type, { schema: BYTES }])),
      };
      return [status, { description, headers: headerRefs(names), ...(Object.keys(content).length === 0 ? {} : { content }) }];
    }),
  );
}

/** One response a status; its description names the codes that come with it. */
function problemsOf(
  codes: readonly ErrorCode[],
  answers: Readonly<Record<number, Answer>>,
  method: Operation['method'],
): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  // A document that is not there may have been disposed of.
  const gone: readonly ErrorCode[] = codes.includes('document_not_found') ? ['document_disposed'] : [];
  for (const code of new Set<ErrorCode>([...codes, ...gone, ...databaseProblems(codes, method), 'bad_request', 'internal'])) {
    const status = statusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses: Record<string, object> = {};
  for (const [status, listed] of byStatus) {
    if (status in answers) continue;
    responses[status] = {
      description: listed.map((code) => `\`${code}\`: ${errorTable[code].title}`).join(' '),
      headers: headerRefs(headersWith(listed)),
      ...(method === 'head' ? {} : { content: { 'application/problem+json': { schema: ref('Problem') } } }),
    };
  }
  return responses;
}

/** Whatever asks the database may be told that it took too long; of a change, the answer may be lost. */
function databaseProblems(codes: readonly ErrorCode[], method: Operation['method']): readonly ErrorCode[] {
  if (!codes.includes('database_unavailable')) return [];
  return method === 'get' || method === 'head' ? ['timeout'] : ['timeout', 'commit_unknown'];
}

function headersWith(codes: readonly ErrorCode[]): readonly HeaderName[] {
  const names: HeaderName[] = [];
  if (codes.some((code) => code === 'rate_limited' || ['busy', 'unavailable'].includes(errorTable[code].kind)))
    names.push('Retry-After');
  if (codes.some((code) => code === 'upload_offset_mismatch' || code === 'upload_incomplete')) names.push('Upload-Offset');
  if (codes.includes('range_unsatisfiable')) names.push('Content-Range');
  return names;
}

function headerRefs(names: readonly HeaderName[]): object {
  const all: readonly HeaderName[] = ['X-Request-Id', ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const BYTES = { type: 'string', contentMediaType: 'application/octet-stream' };
