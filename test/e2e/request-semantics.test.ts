import t from 'tap';
import type { Answered } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** What headers of a request demand is done or refused; nothing is changed by a request that was told it failed. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const BYTES = { 'content-type': 'application/octet-stream' };
const DATE = 'Sat, 21 Nov 2026 09:00:00 GMT';

const namespace = 'urn:quasar:ns:demands';
const schema = { schemaUrn: 'urn:quasar:schema:demands@1.0.0', namespaceUrn: namespace, schema: { type: 'object' } };
expectStatus(await admin.ask('POST', '/v1/schemas', { body: schema }), 201);

interface Stored {
  readonly path: string;
  readonly versionId: string;
  readonly key: string;
}

async function store(text: string): Promise<Stored> {
  const made = expectStatus(await admin.ask('POST', '/v1/documents', { body: text, headers: BYTES }), 201);
  const key = (made.contentRef as { key: string }).key;
  return { path: `/v1/documents/${made.documentId}`, versionId: made.versionId as string, key };
}

const etagOf = (answer: Answered) => answer.headers.get('etag') ?? '';
/** Everything that is told of a document. */
async function told(path: string): Promise<string> {
  const parts = ['', '/versions', '/labels/sealed/moves', '/metadata'].map((part) => admin.ask('GET', `${path}${part}`));
  return (await Promise.all(parts)).map(({ text }) => text.replace(/"nextCursor":"[^"]*"/, '')).join('\n');
}

/** Each route that changes one document, with a body it takes. */
const changes = (versionId: string): readonly [string, string, unknown][] => [
  ['PUT', '/content', 'other bytes'],
  ['PUT', '/labels/sealed', { versionId, expected: null }],
  ['PUT', '/retention', { retainUntil: '2020-01-01T00:00:00.000Z', reason: 'x' }],
  ['PUT', '/hold', { reason: 'x' }],
  ['DELETE', '/hold', { reason: 'x' }],
  ['PUT', '/folder', { folderId: null }],
  ['PUT', `/refs/new/${versionId}`, {}],
  ['DELETE', `/refs/old/${versionId}`, undefined],
  ['POST', '/metadata', { mode: 'canonical', bundle: { [namespace]: { data: {} } } }],
  ['DELETE', '', { reason: 'x' }],
];

t.test('a precondition that does not hold, or cannot be evaluated, changes nothing', async (t) => {
  const { path, versionId } = await store('one');
  expectStatus(await admin.ask('PUT', `${path}/refs/old/${versionId}`), 201);
  expectStatus(await admin.ask('PUT', `${path}/hold`, { body: { reason: 'Appeal' } }), 200);
  const etag = etagOf(await admin.ask('GET', path));
  const content = etagOf(await admin.ask('GET', `${path}/content`));
  const before = await told(path);
  const refused: readonly Record<string, string>[] = [
    { 'if-match': '"stale"' },
    { 'if-match': '"stale", "older"' },
    { 'if-match': `W/${etag}` },
    { 'if-match': `"v-${versionId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))}"` },
    { 'if-match': 'stale' },
    { 'if-match': '' },
    { 'if-none-match': '*' },
    { 'if-none-match': etag },
    { 'if-none-match': `"x", W/${content}` },
    { 'if-match': etag, 'if-none-match': '*' },
    { 'if-none-match': 'stale' },
    { 'if-unmodified-since': DATE },
    { 'if-unmodified-since': 'never' },
  ];
  for (const [method, route, body] of changes(versionId)) {
    for (const headers of refused) {
      // Of an empty field some servers tell nothing.
      if (headers['if-match'] === '') continue;
      const name = `${method} ${route} ${JSON.stringify(headers)}`;
      const { status } = await admin.ask(method, `${path}${route}`, { body, headers: { ...typeOf(body), ...headers } });
      t.ok(status === 412 || status === 400, `${name}: ${status}`);
    }
  }
  t.equal(await told(path), before);
});

t.test('a precondition that holds lets the change pass', async (t) => {
  for (const kind of ['document', 'version', 'content', 'any'] as const) {
    const { path, versionId } = await store(`holds ${kind}`);
    expectStatus(await admin.ask('PUT', `${path}/refs/old/${versionId}`), 201);
    for (const [method, route, body] of changes(versionId)) {
      const document = await admin.ask('GET', path);
      const tags = {
        document: etagOf(document),
        version: `"v-${document.json().currentVersionId}"`,
        content: etagOf(await admin.ask('GET', `${path}/content`)),
        any: '*',
      };
      const headers = {
        ...typeOf(body),
        'if-match': tags[kind] === '*' ? '*' : `"x", ${tags[kind]}`,
        'if-unmodified-since': DATE,
      };
      const answer = await admin.ask(method, `${path}${route}`, { body, headers });
      t.ok(answer.status < 300, `${method} ${route} ${kind}: ${answer.status} ${answer.text}`);
    }
    t.equal((await admin.ask('GET', path)).status, 410);
  }
});

t.test("a document's ETag is another one as soon as anything that is shown of it is", async (t) => {
  const { path, versionId } = await store('tagged');
  const seen = new Set<string>();
  for (const [method, route, body] of changes(versionId).filter(([method, route]) => method === 'PUT' && route !== '/folder')) {
    const etag = etagOf(await admin.ask('GET', path));
    const again = await admin.ask('GET', path, { headers: { 'if-none-match': etag } });
    t.equal(again.status, 304);
    t.equal(again.text, '');
    t.equal(again.headers.get('cache-control'), 'private, no-cache');
    t.equal(again.headers.get('vary'), 'Authorization');
    t.equal((await admin.ask('GET', path, { headers: { 'if-match': '"x"' } })).status, 412);
    seen.add(etag);
    t.ok((await admin.ask(method, `${path}${route}`, { body, headers: typeOf(body) })).status < 300);
    t.equal((await admin.ask('GET', path, { headers: { 'if-none-match': etag } })).status, 200, `${method} ${route}`);
  }
  t.equal(seen.size, 5);
});

t.test('what may no longer be read is not confirmed to a client that has it', async (t) => {
  const { path, versionId, key } = await store('to be revoked');
  const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
  const urls = [`${path}/content`, `${path}/content?version=${versionId}`, `/v1/blobs/${key}`, path];
  const tags = await Promise.all(urls.map(async (url) => etagOf(await reader.ask('GET', url))));
  const ask = (method: string, n: number) =>
    reader.ask(method, urls[n] as string, { headers: { 'if-none-match': tags[n] as string, range: 'bytes=0-1' } });
  const all = async () =>
    (await Promise.all(urls.flatMap((_, n) => [ask('GET', n), ask('HEAD', n)]))).map(({ status }) => status);
  t.strictSame(new Set(await all()), new Set([304]));
  for (const url of [...urls, `${path}/versions`, `${path}/metadata`, '/v1/documents', '/v1/folders']) {
    t.match((await reader.ask('GET', url)).headers.get('cache-control'), /^(private, no-cache|no-store)$/, url);
  }
  const deny = [{ effect: 'deny', actions: ['doc.read'], principals: [reader.principalId] }];
  const rules = (list: readonly unknown[], version: number) =>
    admin.ask('PUT', `${path}/acl`, { body: { rules: list }, headers: { 'if-match': `"a-${version}"` } });
  expectStatus(await rules(deny, 0), 200);
  t.strictSame(new Set(await all()), new Set([404]));
  expectStatus(await rules([], 1), 200);
  t.strictSame(new Set(await all()), new Set([304]));
  t.equal((await admin.ask('DELETE', path, { body: { reason: 'x' } })).status, 204);
  t.strictSame(await all(), [410, 410, 410, 410, 404, 404, 410, 410]);
  t.equal((await admin.ask('DELETE', `/v1/keys/${reader.keyId}`)).status, 204);
  t.strictSame(new Set(await all()), new Set([401]));
});

function typeOf(body: unknown): Record<string, string> {
  return typeof body === 'string' ? BYTES : body === undefined ? {} : { 'content-type': 'application/json' };
}
