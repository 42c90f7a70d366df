import t from 'tap';
import { ask as askProduct, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const CASE = 'urn:quasar:ns:case';
const SCHEMA = 'urn:quasar:schema:case@1.0.0';
const OCR = 'urn:quasar:ns:ocr';
const OCR_SCHEMA = 'urn:quasar:schema:ocr@1.0.0';
const BARE = { 'content-type': 'application/json-patch+json' };

const product = await Product.start();
t.teardown(() => product.destroy());

const ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  askProduct(product, method, path, { body, ...(headers === undefined ? {} : { headers }) });

const caseSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { number: { type: 'string', maxLength: 40 }, parties: { type: 'array', items: { type: 'string' } } },
  required: ['number'],
  additionalProperties: false,
};
const ocrSchema = {
  type: 'object',
  properties: { pages: { type: 'integer' } },
  required: ['pages'],
  additionalProperties: false,
};

async function register(schemaUrn: string, namespaceUrn: string, schema: Json, lifecycle = 'active'): Promise<void> {
  const { status, text } = await ask('POST', '/v1/schemas', { schemaUrn, namespaceUrn, schema, lifecycle });
  if (status !== 201) throw new Error(`${schemaUrn}: ${text}`);
}

await register(SCHEMA, CASE, caseSchema);
await register(OCR_SCHEMA, OCR, ocrSchema);

const provenance = {
  producer: { name: 'ocr', version: '5.3.0' },
  producedAt: '2026-11-21T09:00:00Z',
  input: { kind: 'blob', key: `b3:${'0'.repeat(64)}` },
  confidence: 0.9,
};

/** A document with the case number given. */
async function fileDocument(number = '4 K 12/26') {
  const { documentId, versionId } = (await ask('POST', '/v1/documents', 'some bytes')).json();
  const path = `/v1/documents/${documentId}`;
  const post = (body: Json, headers?: Record<string, string>) => ask('POST', `${path}/metadata`, body, headers);
  const filed = await post({ mode: 'canonical', bundle: { [CASE]: { data: { number } } } });
  t.equal(filed.status, 201, filed.text);
  const namespace = `${path}/metadata/${encodeURIComponent(CASE)}`;
  const etag = (await ask('GET', namespace)).headers.get('etag') as string;
  return {
    path,
    first: versionId as string,
    namespace,
    etag,
    base: etag.slice(3, 39),
    post,
    patch: (body: unknown, headers?: Record<string, string>) => ask('POST', `${namespace}/patch`, body, headers),
    data: async () => ((await ask('GET', namespace)).json().entry as Json).data,
  };
}

t.test('metadata makes a version: it is shown from then on, and not of the versions before', async (t) => {
  const { path, first } = await fileDocument();
  const { canonical, derived, versionId } = (await ask('GET', `${path}/metadata`)).json();
  t.match(canonical, { [CASE]: { schema: { $id: SCHEMA }, status: 'valid', data: { number: '4 K 12/26' }, errors: [] } });
  t.strictSame(derived, {});
  t.match((await ask('GET', path)).json(), { currentVersionId: versionId, current: { parents: [first] } });
  t.equal((await ask('GET', `${path}/content`)).text, 'some bytes');
  t.match((await ask('GET', `${path}/metadata?version=${first}`)).json(), { versionId: first, canonical: {} });
});

t.test('a patch changes what it was written against, as a whole or not at all', async (t) => {
  const { patch, base, data, etag, path } = await fileDocument();
  const patched = await patch({
    mode: 'canonical',
    baseMetadataId: base,
    patch: [
      { op: 'test', path: '/number', value: '4 K 12/26' },
      { op: 'replace', path: '/number', value: '5 K 12/26' },
      { op: 'add', path: '/parties', value: ['Müller'] },
    ],
    reason: 'Typing error',
  });
  t.equal(patched.status, 200, patched.text);
  t.match((await ask('GET', path)).json(), { currentVersionId: patched.json().versionId, current: { reason: 'Typing error' } });
  t.strictSame(await data(), { number: '5 K 12/26', parties: ['Müller'] });
  t.not(patched.headers.get('etag'), etag);
  const stale = await patch({ mode: 'canonical', baseMetadataId: base, patch: [{ op: 'remove', path: '/parties' }] });
  t.equal(stale.status, 409);
  t.match(stale.json(), { code: 'metadata_conflict', details: { metadataId: patched.json().metadataId, namespace: CASE } });
  t.strictSame(await data(), { number: '5 K 12/26', parties: ['Müller'] });
});

t.test('a bare patch says by If-Match what it was written against', async (t) => {
  const { patch, etag, data } = await fileDocument();
  const change = [{ op: 'replace', path: '/number', value: '6 K 12/26' }];
  const without = await patch(change, undefined);
  t.equal(without.status, 400, 'as application/json it is no patch request');
  const unconditional = await patch(JSON.stringify(change), BARE);
  t.equal(unconditional.status, 428);
  t.match(unconditional.json(), { code: 'precondition_required' });
  t.equal((await patch(JSON.stringify(change), { ...BARE, 'if-match': '"v-1"' })).status, 412);
  t.equal((await patch(JSON.stringify(change), { ...BARE, 'if-match': etag })).status, 200);
  t.strictSame(await data(), { number: '6 K 12/26' });
  t.equal((await patch(JSON.stringify(change), { ...BARE, 'if-match': etag })).status, 409);
});

t.test('of many patches of one entry, one is made', async (t) => {
  const { patch, etag } = await fileDocument();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      patch(JSON.stringify([{ op: 'replace', path: '/number', value: `case ${n}` }]), { ...BARE, 'if-match': etag }),
    ),
  );
  t.strictSame(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 7 }, () => 409)]);
});

t.test('canonical data that does not fit its schema is never stored, and the answer points at what is wrong', async (t) => {
  const { patch, base, post, data } = await fileDocument();
  const refused = await patch({ mode: 'canonical', baseMetadataId: base, patch: [{ op: 'remove', path: '/number' }] });
  t.equal(refused.status, 422);
  t.match(refused.json(), { code: 'metadata_invalid', details: { errors: [{ path: /case/, code: 'required' }] } });
  const bundle = await post({ mode: 'canonical', bundle: { [CASE]: { data: { number: 7, extra: true } } } });
  t.equal(bundle.status, 422);
  const { errors } = bundle.json().details as { errors: Json[] };
  t.ok(errors.some(({ path }) => String(path).endsWith('/data/number')));
  t.strictSame(await data(), { number: '4 K 12/26' });
});

t.test('derived metadata carries where it comes from, and is kept in quarantine when it does not fit', async (t) => {
  const { path, post } = await fileDocument();
  const bundle = { [OCR]: { data: { pages: 3 } } };
  t.equal((await post({ mode: 'derived', bundle })).status, 422, 'without provenance');
  t.equal((await post({ mode: 'derived', bundle, provenance: { ...provenance, confidence: 1.0001 } })).status, 422);
  t.equal((await post({ mode: 'canonical', bundle, provenance })).status, 422, 'derived metadata written as canonical');
  t.equal((await post({ mode: 'derived', bundle, provenance })).status, 201);
  t.match((await ask('GET', `${path}/metadata`)).json(), {
    canonical: { [CASE]: {} },
    derived: { [OCR]: { status: 'valid', provenance: { producer: { name: 'ocr' }, confidence: 0.9 } } },
  });
  const wrong = await post({ mode: 'derived', bundle: { [OCR]: { data: { pages: 'three' } } }, provenance });
  t.equal(wrong.status, 201);
  t.match(wrong.json(), { namespaces: [{ namespace: OCR, status: 'quarantined' }] });
  t.strictSame((await ask('GET', `${path}/metadata`)).json().derived, {}, 'not shown by itself');
  t.match((await ask('GET', `${path}/metadata?quarantined=true`)).json(), {
    derived: { [OCR]: { status: 'quarantined', errors: [{ path: '/pages', code: 'type' }] } },
  });
  const one = `${path}/metadata/${encodeURIComponent(OCR)}?mode=derived`;
  t.equal((await ask('GET', one)).status, 404);
  t.equal((await ask('GET', `${one}&quarantined=true`)).status, 200);
});

t.test('a schema is pinned under its URN: the same content again is no change, other content is refused', async (t) => {
  const again = await ask('POST', '/v1/schemas', { schemaUrn: SCHEMA, namespaceUrn: CASE, schema: caseSchema });
  t.equal(again.status, 200);
  const shuffled = Object.fromEntries(Object.entries(caseSchema).reverse());
  t.equal((await ask('POST', '/v1/schemas', { schemaUrn: SCHEMA, namespaceUrn: CASE, schema: shuffled })).status, 200);
  const other = await ask('POST', '/v1/schemas', { schemaUrn: SCHEMA, namespaceUrn: CASE, schema: { type: 'object' } });
  t.equal(other.status, 409);
  t.match(other.json(), { code: 'schema_differs', details: { canonicalHash: again.json().canonicalHash } });
  t.match((await ask('GET', `/v1/schemas/${encodeURIComponent(SCHEMA)}`)).json(), { schema: caseSchema, lifecycle: 'active' });
  t.equal((await ask('GET', '/v1/schemas/urn%3Aquasar%3Aschema%3Anone%401.0.0')).status, 404);
  const { items } = (await ask('GET', `/v1/schemas?namespace=${encodeURIComponent(CASE)}`)).json() as { items: Json[] };
  t.match(items, [{ schemaUrn: SCHEMA }]);
});

t.test('schemas that could stall or reach out are refused', async (t) => {
  const bad = [
    { $ref: 'https://example.org/schema.json' },
    { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' },
    { $ref: '#' },
    { type: 'object', unknownKeyword: 1 },
    { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
    true,
    'object',
  ];
  for (const [n, schema] of bad.entries()) {
    const answer = await ask('POST', '/v1/schemas', { schemaUrn: `urn:quasar:schema:bad@1.0.${n}`, namespaceUrn: CASE, schema });
    t.equal(answer.status, 422, `${JSON.stringify(schema)}: ${answer.text}`);
    t.match(answer.json(), { code: 'schema_invalid' });
  }
});

t.test('a pattern that backtracks for ever costs its own request, and nobody else’s', async (t) => {
  const schema = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } }, required: ['a'] };
  const namespaceUrn = 'urn:quasar:ns:slow';
  t.equal((await ask('POST', '/v1/schemas', { schemaUrn: 'urn:quasar:schema:slow@1.0.0', namespaceUrn, schema })).status, 201);
  const { post, path } = await fileDocument();
  const slow = post({ mode: 'canonical', bundle: { [namespaceUrn]: { data: { a: `${'a'.repeat(60)}!` } } } });
  t.equal((await ask('GET', '/v1/health')).status, 200);
  const stopped = await slow;
  t.equal(stopped.status, 422);
  t.match(stopped.json(), { code: 'validation_stopped' });
  t.match((await ask('GET', `${path}/metadata`)).json(), { canonical: { [CASE]: {} } });
  t.equal((await post({ mode: 'canonical', bundle: { [CASE]: { data: { number: 'next' } } } })).status, 201);
});

t.test('the life of a schema goes one way, and decides what may still be written', async (t) => {
  const urn = 'urn:quasar:schema:hearing@1.0.0';
  const namespaceUrn = 'urn:quasar:ns:hearing';
  const schema = { type: 'object', properties: { room: { type: 'string' } }, required: ['room'] };
  await ask('POST', '/v1/schemas', { schemaUrn: urn, namespaceUrn, schema, lifecycle: 'draft' });
  const move = (lifecycle: string) => ask('PUT', `/v1/schemas/${encodeURIComponent(urn)}/lifecycle`, { lifecycle });
  const { post, path } = await fileDocument();
  const file = () => post({ mode: 'canonical', bundle: { [namespaceUrn]: { schema: { $id: urn }, data: { room: 'A' } } } });
  t.match((await file()).json(), { code: 'schema_state' }, 'a draft takes nothing');
  t.equal((await move('active')).status, 200);
  t.equal((await file()).status, 201);
  t.equal((await move('deprecated')).status, 200);
  t.equal((await move('active')).status, 409, 'nothing goes back');
  t.equal((await move('deprecated')).status, 200, 'a repeat is no fault');
  t.match((await file()).json(), { code: 'schema_state' });
  const namespace = `${path}/metadata/${encodeURIComponent(namespaceUrn)}`;
  const patch = async (room: string) => {
    const etag = (await ask('GET', namespace)).headers.get('etag') as string;
    return ask('POST', `${namespace}/patch`, JSON.stringify([{ op: 'replace', path: '/room', value: room }]), {
      ...BARE,
      'if-match': etag,
    });
  };
  t.equal((await patch('B')).status, 200, 'what is pinned may be patched');
  t.equal((await move('revoked')).status, 200);
  t.match((await patch('C')).json(), { code: 'schema_state' });
  t.match((await ask('GET', namespace)).json(), { entry: { data: { room: 'B' } } });
});

t.test('without a name the newest active schema of the namespace is taken', async (t) => {
  const namespaceUrn = 'urn:quasar:ns:room';
  for (const version of ['1.9.0', '1.10.0', '2.0.0-rc.1']) {
    const schemaUrn = `urn:quasar:schema:room@${version}`;
    await ask('POST', '/v1/schemas', {
      schemaUrn,
      namespaceUrn,
      schema: { type: 'object' },
      lifecycle: version.includes('rc') ? 'draft' : 'active',
    });
  }
  const { post, path } = await fileDocument();
  await post({ mode: 'canonical', bundle: { [namespaceUrn]: { data: {} } } });
  t.match((await ask('GET', `${path}/metadata`)).json(), {
    canonical: { [namespaceUrn]: { schema: { $id: 'urn:quasar:schema:room@1.10.0' } } },
  });
  t.equal((await post({ mode: 'canonical', bundle: { 'urn:quasar:ns:none': { data: {} } } })).status, 422);
  const foreign = await post({
    mode: 'canonical',
    bundle: { [namespaceUrn]: { schema: { $id: SCHEMA }, data: { number: '1' } } },
  });
  t.equal(foreign.status, 422, 'a schema of another namespace');
});

t.test('a namespace with slashes is one segment of the path', async (t) => {
  const namespaceUrn = 'https://justiz.example/ns/case';
  await register('https://justiz.example/schema/case@1.0.0', namespaceUrn, { type: 'object' });
  const { post, path } = await fileDocument();
  t.equal((await post({ mode: 'canonical', bundle: { [namespaceUrn]: { data: { a: 1 } } } })).status, 201);
  t.match((await ask('GET', `${path}/metadata/${encodeURIComponent(namespaceUrn)}`)).json(), { entry: { data: { a: 1 } } });
  t.equal((await ask('GET', `/v1/schemas/${encodeURIComponent('https://justiz.example/schema/case@1.0.0')}`)).status, 200);
});

t.test('a bundle is stored only over the version its writer knows', async (t) => {
  const { path, post, first } = await fileDocument();
  const etag = (await ask('GET', path)).headers.get('etag') as string;
  const bundle = { mode: 'canonical', bundle: { [CASE]: { data: { number: '8' } } } };
  t.equal((await post(bundle, { 'content-type': 'application/json', 'if-match': `"v-${first}"` })).status, 412);
  t.equal((await post(bundle, { 'content-type': 'application/json', 'if-match': etag })).status, 201);
  t.equal((await post(bundle, { 'content-type': 'application/json', 'if-match': etag })).status, 412);
});

t.test('JSON that could be read in two ways, or break a reader, is refused', async (t) => {
  const { path } = await fileDocument();
  const texts = [
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"__proto__":{"number":"1"}}}}}',
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"constructor":1}}}}',
    '{"mode":"canonical","mode":"derived","bundle":{}}',
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"number":"\\u0000"}}}}',
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"number":"\\ud800"}}}}',
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"number":1e400}}}}',
    '{"mode":"canonical","bundle":{"urn:quasar:ns:case":{"data":{"number":9007199254740993}}}}',
    `{"mode":"canonical","bundle":${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`,
    `[${'1,'.repeat(100_000)}1]`,
  ];
  for (const text of texts) {
    const answer = await ask('POST', `${path}/metadata`, text, { 'content-type': 'application/json' });
    t.equal(answer.status, 400, `${text.slice(0, 90)}: ${answer.text.slice(0, 200)}`);
    t.equal(answer.json().code, 'bad_body');
  }
  t.equal((await ask('POST', `${path}/metadata`, ' '.repeat(300_000), { 'content-type': 'application/json' })).status, 413);
});

t.test('patches that blow up, move into themselves or touch what is not data are refused', async (t) => {
  const { patch, base, data } = await fileDocument();
  const doubling = [
    { op: 'add', path: '/parties', value: ['a'.repeat(1000)] },
    ...Array.from({ length: 40 }, () => ({ op: 'copy', from: '', path: '/parties/-' })),
  ];
  const bad: [unknown, number][] = [
    [doubling, 413],
    [[{ op: 'move', from: '', path: '/number' }], 422],
    [[{ op: 'add', path: '/parties/-', value: 'x' }], 422],
    [[{ op: 'replace', path: '/~2', value: 1 }], 400],
    [[{ op: 'add', path: '/__proto__/polluted', value: 1 }], 400],
    [[{ op: 'test', path: '/number', value: 'other' }], 422],
    [[{ op: 'replace', path: '', value: 'no object' }], 422],
    [[{ op: 'replace', path: '/schema', value: SCHEMA }], 422],
    [Array.from({ length: 1001 }, () => ({ op: 'test', path: '', value: {} })), 413],
    [{ op: 'add' }, 400],
  ];
  for (const [operations, status] of bad) {
    const answer = await patch({ mode: 'canonical', baseMetadataId: base, patch: operations });
    t.equal(answer.status, status, `${JSON.stringify(operations).slice(0, 80)}: ${answer.text.slice(0, 160)}`);
  }
  t.strictSame(await data(), { number: '4 K 12/26' });
  t.equal(({} as Json).polluted, undefined);
});

t.test('a layer that grows entry by entry stays one that an answer can show', async (t) => {
  const names = [1, 2, 3, 4, 5].map((n) => `urn:quasar:ns:large${n}`);
  for (const [n, name] of names.entries()) await register(`urn:quasar:schema:large${n + 1}@1.0.0`, name, { type: 'object' });
  const { path, post } = await fileDocument();
  const bundle = Object.fromEntries(names.map((name) => [name, { data: { texts: [] } }]));
  t.equal((await post({ mode: 'canonical', bundle })).status, 201);
  const text = 'x'.repeat(60_000);
  const grow = async (name: string) => {
    const namespace = `${path}/metadata/${encodeURIComponent(name)}`;
    const etag = (await ask('GET', namespace)).headers.get('etag') as string;
    const patch = [1, 2, 3, 4].map(() => ({ op: 'add', path: '/texts/-', value: text }));
    return ask('POST', `${namespace}/patch`, patch, { ...BARE, 'if-match': etag });
  };
  for (const name of names.slice(0, 4)) t.equal((await grow(name)).status, 200);
  const full = await grow(names[4] as string);
  t.match([full.status, full.json()], [413, { code: 'metadata_too_large', details: { bound: 'layer' } }]);
  t.ok((await ask('GET', `${path}/metadata`)).text.length < 1.1 * 1024 * 1024);
});

t.test('namespaces that look like another are refused, and older names are the same namespace', async (t) => {
  const { path, post } = await fileDocument();
  for (const name of ['urn:quasar:ns:ca se', 'case', 'urn:quasar:ns:c\u0430se', 'urn:quasar:ns:cafe\u0301']) {
    const answer = await post({ mode: 'canonical', bundle: { [name]: { data: { number: '1' } } } });
    t.equal(answer.status, 422, name);
    t.equal((await ask('GET', `${path}/metadata/${encodeURIComponent(name)}`)).status, 400, name);
  }
  t.equal((await ask('GET', `${path}/metadata/${encodeURIComponent('URN:Quasar:ns:case')}`)).status, 200);
  t.equal((await ask('GET', `${path}/metadata/${encodeURIComponent('urn:graviton:ns:case')}`)).status, 200);
});

t.test('documents are listed by label, namespace and time, and a cursor belongs to its filters', async (t) => {
  const namespaceUrn = 'urn:quasar:ns:listed';
  await register('urn:quasar:schema:listed@1.0.0', namespaceUrn, { type: 'object' });
  const ids: unknown[] = [];
  for (const n of [1, 2, 3]) {
    const { path, post } = await fileDocument(`listed ${n}`);
    const { versionId } = (await post({ mode: 'canonical', bundle: { [namespaceUrn]: { data: {} } } })).json();
    if (n > 1) await ask('PUT', `${path}/labels/listed`, { versionId, expected: null });
    ids.push(path.split('/').at(-1));
  }
  await fileDocument('another');
  const list = async (query: string) => {
    const { items, nextCursor } = (await ask('GET', `/v1/documents?${query}`)).json() as { items: Json[]; nextCursor: string };
    return { ids: items.map(({ documentId }) => documentId), nextCursor };
  };
  const named = `namespace=${encodeURIComponent(namespaceUrn)}`;
  t.strictSame((await list(named)).ids, ids.toReversed());
  t.strictSame((await list('label=listed')).ids, ids.slice(1).toReversed());
  const first = await list(`${named}&limit=2`);
  t.strictSame(first.ids, ids.slice(1).toReversed());
  t.strictSame((await list(`${named}&limit=2&cursor=${first.nextCursor}`)).ids, [ids[0]]);
  t.equal((await ask('GET', `/v1/documents?limit=2&cursor=${first.nextCursor}`)).status, 400);
  const { createdAt } = (await ask('GET', `/v1/documents/${ids[1]}`)).json();
  const since = (await list(`${named}&createdFrom=${createdAt}`)).ids;
  t.ok(since.includes(ids[1]) && since.includes(ids[2]));
  t.notOk((await list(`${named}&createdBefore=${createdAt}`)).ids.includes(ids[1]));
  t.equal((await ask('GET', '/v1/documents?createdFrom=today')).status, 400);
});
