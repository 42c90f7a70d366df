import t from 'tap';
import { routes } from '../../src/http/routes.ts';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** Whatever stands in a path, a query, a header or a field: somebody is at fault, and it is not the server. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const post = async (path: string, body: unknown) => expectStatus(await admin.ask('POST', path, { body }), 201);
const urn = 'urn:quasar:schema:case@1.0.0';
const nextUrn = 'urn:quasar:schema:case@2.0.0';
const namespace = 'urn:quasar:ns:case';
for (const schemaUrn of [urn, nextUrn]) {
  await post('/v1/schemas', { schemaUrn, namespaceUrn: namespace, schema: { type: 'object' } });
}
const stored = await post('/v1/documents', 'bytes');
const document = `/v1/documents/${stored.documentId}`;
await post(`${document}/metadata`, { mode: 'canonical', bundle: { [namespace]: { schema: { $id: urn }, data: {} } } });
const { folderId } = await post('/v1/folders', { name: 'a folder' });
const { orgId, principalId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const facts: Json = {
  ...{ ...stored, folderId, orgId, principalId, urn, namespace, leaf: '0', label: 'CURRENT', system: 'dms', value: '4711' },
  key: (stored.contentRef as Json).key,
};

const absent = '00000000-0000-7000-8000-000000000000';
const pathOf = (pattern: string, changes: Json = {}) =>
  pattern.replace(/\{(\w+)\}/g, (_, name: string) => String(changes[name] ?? encodeURIComponent(String(facts[name] ?? absent))));

/** Percent-encoded. */
const hostile = [
  '',
  '%00',
  '%ed%a0%80',
  '%F0%9F%97%84',
  "'%3B%20DROP%20TABLE%20quasar.document%3B--",
  '__proto__',
  '1e999',
  '+275760-09-13T00:00:00.001Z',
  '0000-01-01T00:00:00Z',
  'x'.repeat(1500),
];
/** As JSON. */
const hostileJson = [
  ...['null', '0', '-0.5', 'true', '""', '[]', '{}', '[null]', '[[]]', '[{}]', '{"a":null}', '{"__proto__":{}}'],
  ...['"\\u0000"', '"\\ud800"', '"\\u202e"', '"e\\u0301"', '1e400', '-1e400', '9007199254740993', '1e-400'],
  ...[`"${'x'.repeat(100_000)}"`, `${'['.repeat(100_000)}${']'.repeat(100_000)}`, `[${'0,'.repeat(50_000)}0]`],
  ...['"urn:quasar:ns:\\u0430"', '"+275760-09-13T00:00:00.001Z"', '"2026-02-30T00:00:00Z"', '{"op":"add"}', '{"$ref":"#"}'],
];
const headers = [
  'range',
  'if-match',
  'if-none-match',
  'if-range',
  'idempotency-key',
  'content-disposition',
  'content-type',
].concat(['repr-digest', 'content-digest', 'upload-offset', 'quasar-metadata', 'x-request-id', 'accept']);

type Asked = readonly [method: string, path: string, init?: RequestInit];

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Contract {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly { readonly $ref: string }[] }>>>
  >;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}

/** Names of the parameters that the contract has for queries, with their methods and patterns. */
async function queryParameters(): Promise<readonly (readonly [method: string, pattern: string, name: string])[]> {
  const { paths, components } = (await (await product.fetch('/v1/openapi.json')).json()) as Contract;
  return Object.entries(paths).flatMap(([pattern, operations]) =>
    Object.entries(operations).flatMap(([method, { parameters = [] }]) =>
      parameters
        .map(({ $ref }) => components.parameters[$ref.split('/').at(-1) as string])
        .flatMap((one) => (one?.in === 'query' ? [[method.toUpperCase(), pattern, one.name] as const] : [])),
    ),
  );
}

async function ask(
  method: string,
  path: string,
  more: RequestInit = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await product.fetchAs(product.key, path, { method, ...more });
  return { status: answer.status, text: await answer.text() };
}

/** Many at a time; those that made the server fail. */
async function failures(requests: readonly Asked[]): Promise<string[]> {
  const failed: string[] = [];
  for (let at = 0; at < requests.length; at += 32) {
    await Promise.all(
      requests.slice(at, at + 32).map(async ([method, path, init]) => {
        const { status, text } = await ask(method, path, init);
        if (status >= 500)
          failed.push(`${method} ${path.slice(0, 200)} ${JSON.stringify(init?.headers ?? {})}: ${status} ${text}`);
      }),
    );
  }
  return failed;
}

const bodyOf = (method: string): RequestInit => (method === 'GET' || method === 'HEAD' ? {} : { body: '{}' });

t.test('no value in a path makes the server fail', async (t) => {
  const requests = routes.flatMap(({ method, pattern }) =>
    [...pattern.matchAll(/(?<=\{)\w+(?=\})/g)].flatMap(([name]) =>
      hostile.map((value): Asked => [method, pathOf(pattern, { [name]: value }), bodyOf(method)]),
    ),
  );
  t.ok(requests.length > 300);
  t.strictSame(await failures(requests), []);
});

t.test('no value in a query makes the server fail, nor does one that comes twice', async (t) => {
  const requests = (await queryParameters()).flatMap(([method, pattern, name]) => {
    const others = pattern.includes('proofs') ? '&leaf=0&size=1&first=1&second=1' : '';
    return hostile.map((value): Asked => [method, `${pathOf(pattern)}?${name}=${value}&${name}=${others}`, bodyOf(method)]);
  });
  t.ok(requests.length > 300);
  t.strictSame(await failures(requests), []);
});

t.test('no value in a header makes the server fail', async (t) => {
  const values = hostile
    .filter((_, index) => index % 3 === 0)
    .map((value) => decodeURIComponent(value.replaceAll(/%(00|0a|ff|ed|a0|80|F0|9F|97|84|CC|81|E2|AE)/gi, 'ÿ')));
  const more = [
    'bytes=0-0,0-0',
    'bytes=5-1',
    '"',
    '"a',
    'W/"a"',
    '*',
    'sha-256=::',
    'sha-256=:AAAA:',
    "attachment; filename*=UTF-8''%00",
  ];
  const asked: readonly Asked[] = [
    ['GET', `${document}/content`, {}],
    ['GET', document, {}],
    ['GET', `${document}/metadata/${encodeURIComponent(namespace)}`, {}],
    ['POST', '/v1/documents', { body: 'bytes' }],
    ['PUT', `${document}/content`, { body: 'bytes' }],
    ['POST', `${document}/metadata`, { body: '{}' }],
    ['PUT', `${document}/acl`, { body: '{"rules":[]}' }],
    ['PUT', `/v1/uploads/${absent}/bytes`, { body: 'bytes' }],
  ];
  const requests = asked.flatMap(([method, path, init]) =>
    headers.flatMap((name) =>
      [...values, ...more].map((value): Asked => [method, path, { ...init, headers: { [name]: value } }]),
    ),
  );
  t.strictSame(await failures(requests), []);
});

t.test('no value of a field makes the server fail', async (t) => {
  const patch = [{ op: 'add', path: '/a', value: 1 }];
  const rules = [{ effect: 'deny', actions: ['blob.read'], principals: [principalId] }];
  const externalRefs = [{ system: 'x', value: '1', meta: {} }];
  const input = { kind: 'blob', key: `b3:${'0'.repeat(64)}` };
  const provenance = { producer: { name: 'ocr', version: '5' }, producedAt: '2026-11-21T09:00:00Z', input, confidence: 0.5 };
  const initialMetadata = { [namespace]: { data: {} } };
  const migration = {
    fromSchemaUrn: urn,
    toSchemaUrn: nextUrn,
    forward: patch,
    inverse: [{ op: 'remove', path: '/a' }],
    samples: [{}],
  };
  const kept = `/v1/documents/${(await post('/v1/documents', 'kept')).documentId}`;
  const { uploadId } = await post('/v1/documents', { size: 5 });
  const later = '2099-01-01T00:00:00.000Z';
  const there = `${document}/metadata/${encodeURIComponent(namespace)}`;
  const bodies: readonly (readonly [method: string, path: string, good: Json])[] = [
    ['POST', '/v1/documents', { filename: 'a', contentType: 'text/plain', size: 1 }],
    ['POST', '/v1/documents', { externalRefs, initialMetadata, initialPermissions: { rules }, folderId }],
    ['POST', `/v1/uploads/${uploadId}/finalize`, { labels: ['a'], reason: 'x' }],
    ['PUT', `${document}/labels/a`, { versionId: absent, expected: null, reason: 'x' }],
    ['PUT', `${document}/refs/dms/1`, { meta: {} }],
    ['POST', `${document}/metadata`, { mode: 'derived', bundle: { [namespace]: { data: {} } }, provenance, reason: 'x' }],
    ['POST', `${there}/patch`, { mode: 'canonical', baseMetadataId: absent, patch, reason: 'x' }],
    [
      'POST',
      '/v1/schemas',
      { schemaUrn: 'urn:quasar:schema:x@1.0.0', namespaceUrn: 'urn:quasar:ns:x', schema: { type: 'object' }, lifecycle: 'draft' },
    ],
    ['PUT', `/v1/schemas/${encodeURIComponent(urn)}/lifecycle`, { lifecycle: 'active' }],
    ['POST', '/v1/migrations', migration],
    ['POST', `${document}/migrate`, { namespaceUrn: namespace, toSchemaUrn: nextUrn, reason: 'x' }],
    ['PUT', `${kept}/retention`, { retainUntil: later, reason: 'x' }],
    ['PUT', `${kept}/hold`, { reason: 'x' }],
    ['DELETE', kept, { reason: 'x' }],
  ];
  for (const [method, path, good] of bodies) {
    const { status, text } = await ask(method, path, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(good),
    });
    t.not(status, 400, `${method} ${path} takes such a body: ${text}`);
  }
  const requests = bodies.flatMap(([method, path, good]) =>
    Object.keys(good).flatMap((field) =>
      hostileJson.map((value): Asked => {
        const others = JSON.stringify({ ...good, [field]: undefined }).slice(1, -1);
        const body = `{${others}${others === '' ? '' : ','}${JSON.stringify(field)}:${value}}`;
        return [method, path, { headers: { 'content-type': 'application/json' }, body }];
      }),
    ),
  );
  t.strictSame(await failures(requests), []);
});

t.test('afterwards everything is as it was, and the log tells of no failure', async (t) => {
  t.equal((await ask('GET', `${document}/content?version=${stored.versionId}`)).text, 'bytes');
  t.strictSame(
    product.log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
});
