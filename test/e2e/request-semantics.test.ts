import { createHash } from 'node:crypto';
import { connect } from 'node:net';
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

t.test('a version is stored unless what If-None-Match names is current', async (t) => {
  const { path, versionId } = await store('unless');
  const put = (tag: string, body: string) =>
    admin.ask('PUT', `${path}/content`, { body, headers: { ...BYTES, 'if-none-match': tag } });
  const first = etagOf(await admin.ask('GET', `${path}/content`));
  t.equal((await put(`"x", W/${first}`, 'two')).status, 412);
  t.equal((await put('"x", "y"', 'two')).status, 201);
  t.equal((await put(first, 'three')).status, 201, 'which is no longer current');
  t.equal((await put(`"v-${versionId}"`, 'four')).status, 201);
  t.equal((await admin.ask('GET', `${path}/content`)).text, 'four');
  const answers = await Promise.all(['a', 'b', 'c'].map((text) => put('"x"', text)));
  t.ok(answers.every(({ status }) => status === 201 || status === 412));
  t.ok(answers.some(({ status }) => status === 201));
});

t.test('a patch is made over the entry that If-Match and its body name, when both do', async (t) => {
  const { path } = await store('patched');
  const bundle = { mode: 'canonical', bundle: { [namespace]: { data: { n: 0 } } } };
  expectStatus(await admin.ask('POST', `${path}/metadata`, { body: bundle }), 201);
  const place = `${path}/metadata/${encodeURIComponent(namespace)}`;
  const current = async () => {
    const answer = await admin.ask('GET', place);
    return { tag: etagOf(answer), id: (answer.json().entry as { metadataId: string }).metadataId };
  };
  const patch = (headers: Record<string, string>, baseMetadataId?: string) => {
    const body = { mode: 'canonical', baseMetadataId, patch: [{ op: 'replace', path: '/n', value: 1 }] };
    return admin.ask('POST', `${place}/patch`, { body, headers });
  };
  const { tag, id } = await current();
  for (const [headers, base, status] of [
    [{}, undefined, 428],
    [{ 'if-match': '*' }, undefined, 428],
    [{ 'if-match': '"stale"' }, undefined, 412],
    [{ 'if-match': '"stale"' }, id, 412],
    [{ 'if-match': `W/${tag}` }, id, 412],
    [{ 'if-match': '"a", "b"' }, undefined, 412],
    [{ 'if-match': 'stale' }, id, 400],
    [{ 'if-none-match': '"x"' }, id, 400],
  ] as const) {
    t.equal((await patch(headers, base)).status, status, JSON.stringify({ headers, base }));
  }
  t.strictSame(await current(), { tag, id });
  const made: string[] = [];
  for (const named of [`"x", ${tag}`, '*', undefined]) {
    const { tag: now, id: base } = await current();
    const headers = named === undefined ? { 'if-match': now } : { 'if-match': named.replace(tag, now) };
    const answer = await patch(headers, named === '*' ? base : undefined);
    t.equal(answer.status, 200, answer.text);
    t.equal(etagOf(answer), (await current()).tag, 'the ETag of what is there now');
    made.push(etagOf(answer));
  }
  t.equal(new Set(made).size, 3);
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

t.test('a body that is something else than its bytes, or other bytes than announced, is stored by no route', async (t) => {
  const { path } = await store('kept');
  const opened = await admin.ask('POST', '/v1/documents', { body: { filename: 'a.bin' } });
  const upload = `/v1/uploads/${expectStatus(opened, 201).uploadId}`;
  const count = async () => (await admin.ask('GET', '/v1/documents?limit=1000')).json().items as unknown[];
  const before = { documents: (await count()).length, told: await told(path) };
  const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('base64');
  const refused: readonly (readonly [Record<string, string>, number])[] = [
    [{ 'content-range': 'bytes 5-9/10' }, 400],
    [{ 'content-encoding': 'gzip' }, 415],
    [{ 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' }, 415],
    [{ 'content-type': 'multipart/form-data; boundary=x' }, 415],
    [{ 'content-md5': hash('md5', 'other') }, 422],
    [{ 'content-digest': `sha-512=:${hash('sha512', 'other')}:` }, 422],
    [{ 'content-digest': 'crc32c=:AAAAAA==:' }, 400],
    [{ 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') }, 422],
    [{ 'x-amz-checksum-crc32c': 'AAAAAA==' }, 400],
    [{ 'tus-resumable': '1.0.0' }, 400],
  ];
  const targets = [
    ['POST', '/v1/documents'],
    ['PUT', `${path}/content`],
    ['PUT', `${upload}/bytes`],
    ['POST', `${upload}/finalize`],
    ['PUT', `${path}/hold`],
  ] as const;
  for (const [method, target] of targets) {
    for (const [headers, status] of refused) {
      const json = target.endsWith('/hold') || target.endsWith('/finalize');
      const type = json ? { 'content-type': 'application/json' } : BYTES;
      const body = target.endsWith('/hold') ? '{"reason":"x"}' : json ? '{}' : 'bytes';
      const answer = await admin.ask(method, target, { body, headers: { ...type, ...headers } });
      t.equal(answer.status, status, `${method} ${target} ${JSON.stringify(headers)}: ${answer.text}`);
      if ('content-encoding' in headers) t.equal(answer.headers.get('accept-encoding'), 'identity');
    }
  }
  for (const whole of [{ digest: `SHA-256=${hash('sha256', 'bytes')}` }, { 'repr-digest': `md5=:${hash('md5', 'bytes')}:` }]) {
    t.equal((await admin.ask('PUT', `${upload}/bytes`, { body: 'bytes', headers: { ...BYTES, ...whole } })).status, 400);
  }
  t.equal((await admin.ask('GET', upload)).json().offset, 0);
  t.strictSame({ documents: (await count()).length, told: await told(path) }, before);

  const right = {
    ...{ 'content-encoding': 'identity', 'content-md5': hash('md5', 'bytes'), digest: `sha-256=${hash('sha256', 'bytes')}` },
    ...{ 'content-digest': `sha-512=:${hash('sha512', 'bytes')}:`, 'x-amz-checksum-sha1': hash('sha1', 'bytes') },
  };
  t.equal((await admin.ask('POST', '/v1/documents', { body: 'bytes', headers: { ...BYTES, ...right } })).status, 201);
  t.equal((await admin.ask('PUT', `${path}/content`, { body: 'bytes', headers: { ...BYTES, ...right } })).status, 201);
  const { digest: _, ...ofPiece } = right;
  t.equal((await admin.ask('PUT', `${upload}/bytes`, { body: 'bytes', headers: { ...BYTES, ...ofPiece } })).status, 204);
});

t.test('a JSON file is not taken for the description of one', async (t) => {
  const text = '{"filename":"inside.json"}';
  for (const [query, headers] of [
    ['?filename=a.json', {}],
    ['?folder=00000000-0000-7000-8000-000000000000', {}],
    ['', { 'content-disposition': 'attachment; filename="a.json"' }],
    ['', { 'quasar-metadata': Buffer.from('{}').toString('base64') }],
  ] as const) {
    for (const type of ['application/json', 'Application/JSON; charset=utf-8']) {
      const answer = await admin.ask('POST', `/v1/documents${query}`, {
        body: text,
        headers: { 'content-type': type, ...headers },
      });
      t.equal(answer.status, 400, answer.text);
      t.match(answer.json(), { code: 'bad_parameter', detail: /open a session/ });
    }
  }
  const opened = await admin.ask('POST', '/v1/documents', { body: text, headers: { 'content-type': 'application/json' } });
  t.match(expectStatus(opened, 201), { uploadId: String });
  const { path } = await store('older');
  const json = { 'content-type': 'application/json' };
  t.equal((await admin.ask('PUT', `${path}/content?filename=a.json`, { body: text, headers: json })).status, 201);
  t.equal((await admin.ask('GET', `${path}/content`)).text, text);
});

t.test('a record that a query names a place for in unknown words is not stored elsewhere', async (t) => {
  const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name: 'meant' } }), 201);
  const { path, versionId } = await store('one');
  const count = async () => (expectStatus(await admin.ask('GET', '/v1/documents?limit=1000'), 200).items as unknown[]).length;
  const before = [await count(), await told(path)];
  for (const [method, target, parameter] of [
    ['POST', `/v1/documents?folderId=${folderId}`, 'folderId'],
    ['POST', `/v1/documents?Folder=${folderId}`, 'Folder'],
    ['POST', `/v1/documents?folder=${folderId}&folder=${folderId}`, 'folder'],
    ['POST', '/v1/documents?filename=a&filename=b', 'filename'],
    ['PUT', `${path}/content?folder=${folderId}`, 'folder'],
    ['PUT', `${path}/content?parents=${versionId}`, 'parents'],
  ] as const) {
    const answer = await admin.ask(method, target, { body: 'other', headers: BYTES });
    t.match(answer.json(), { status: 400, code: 'bad_parameter', details: { parameter } }, target);
  }
  const session = await admin.ask('POST', `/v1/documents?folderId=${folderId}`, { body: { size: 1 } });
  t.match(session.json(), { status: 400, details: { parameter: 'folderId' } });
  t.same([await count(), await told(path)], before);
  const twice = await admin.ask('GET', `${path}/content?version=${versionId}&version=${versionId}`);
  t.match(twice.json(), { status: 400, details: { parameter: 'version' } });
  t.equal((await admin.ask('POST', `/v1/documents?folder=${folderId}&filename=a`, { body: 'x', headers: BYTES })).status, 201);
});

t.test('an empty record is stored when the request says that it is empty', async (t) => {
  const { path } = await store('not empty');
  for (const [method, target] of [
    ['POST', '/v1/documents'],
    ['PUT', `${path}/content`],
  ] as const) {
    const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\n${product.keyLine}Connection: close\r\n`;
    t.match(await exchangeRaw(`${head}\r\n`), /^HTTP\/1\.1 411 .*length_required/s);
    t.match(await exchangeRaw(`${head}Content-Length: 0\r\n\r\n`), /^HTTP\/1\.1 201 .*"size":0,/s);
  }
});

async function exchangeRaw(request: string): Promise<string> {
  const socket = connect(product.port, '127.0.0.1');
  socket.write(request);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function typeOf(body: unknown): Record<string, string> {
  return typeof body === 'string' ? BYTES : body === undefined ? {} : { 'content-type': 'application/json' };
}
