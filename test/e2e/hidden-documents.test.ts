import t from 'tap';
import { capabilities } from '../../src/core/capability.ts';
import { routes } from '../../src/http/routes.ts';
import type { Answered, Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** Somebody who may do everything but read one document asks for it by every route: the answer is the one for no document. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const denied = await makePerson(product, admin, { name: 'denied' });
// Administrators see everything: so he has what they have by a rule.
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const everything = [{ effect: 'allow', actions: capabilities, principals: [denied.principalId] }];
const delegation = { body: { rules: everything }, headers: { 'if-match': '"a-0"' } };
expectStatus(await admin.ask('PUT', `/v1/orgs/${orgId}/acl`, delegation), 200);

const urn = 'urn:quasar:schema:sealed@1.0.0';
const namespace = 'urn:quasar:ns:sealed';
const post = async (path: string, body: unknown) => expectStatus(await admin.ask('POST', path, { body }), 201);
await post('/v1/schemas', { schemaUrn: urn, namespaceUrn: namespace, schema: { type: 'object' } });
const stored = await post('/v1/documents', 'the sealed page');
const path = `/v1/documents/${stored.documentId}`;
await post(`${path}/metadata`, { mode: 'canonical', bundle: { [namespace]: { data: { name: 'sealed' } } } });
const label = { versionId: stored.versionId, expected: null };
expectStatus(await admin.ask('PUT', `${path}/labels/sealed`, { body: label }), 200);
expectStatus(await admin.ask('PUT', `${path}/refs/dms/4711`), 201);
const rules = [{ effect: 'deny', actions: ['doc.read'], principals: [denied.principalId] }];
expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': '"a-0"' } }), 200);
const own = expectStatus(await denied.ask('POST', '/v1/documents', { body: 'a page of his own' }), 201);

type Facts = Readonly<Record<'documentId' | 'versionId' | 'key' | 'label' | 'namespace' | 'value', string>>;

const absent = '00000000-0000-7000-8000-000000000000';
const hidden: Facts = {
  documentId: stored.documentId as string,
  versionId: stored.versionId as string,
  ...{ key: (stored.contentRef as { key: string }).key, label: 'sealed', namespace, value: '4711' },
};
const nothing: Facts = {
  ...{ documentId: absent, versionId: absent, key: `b3:${'0'.repeat(64)}` },
  ...{ label: 'nothing', namespace: 'urn:quasar:ns:nothing', value: '4712' },
};

/** With which the request would be taken. */
function bodyOf(pattern: string, { versionId }: Facts): unknown {
  const bodies: Readonly<Record<string, unknown>> = {
    '/content': 'other bytes',
    '/labels/{label}': { versionId, expected: null },
    '/metadata': { mode: 'canonical', bundle: {} },
    '/metadata/{namespace}/patch': { mode: 'canonical', baseMetadataId: absent, patch: [] },
    '/migrate': { namespaceUrn: namespace, toSchemaUrn: urn },
    '/folder': { folderId: null },
    '/acl': { rules: [] },
    '/retention': { retainUntil: '2099-01-01T00:00:00.000Z', reason: 'x' },
    '/hold': { reason: 'x' },
    '': { reason: 'x' },
  };
  return bodies[pattern.replace('/v1/documents/{documentId}', '')] ?? {};
}

/** All that an answer tells, but for what was asked for and what names the request. */
function answerBut({ status, headers, text }: Answered, facts: Facts): Json {
  let told = text.replaceAll(/"requestId":"[^"]*"/g, '');
  for (const [name, value] of Object.entries(facts)) {
    told = told.replaceAll(encodeURIComponent(value), `{${name}}`).replaceAll(value, `{${name}}`);
  }
  const names = [...headers.keys()].sort();
  return { status, names, length: names.includes('content-length') ? told.length : 0, told };
}

async function attempt(method: string, pattern: string, facts: Facts, query = ''): Promise<Json> {
  const filled = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(facts[name as keyof Facts] ?? 'dms'));
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: bodyOf(pattern, facts) };
  const headers = pattern.endsWith('/acl') ? { headers: { 'if-match': '"a-1"' } } : {};
  return answerBut(await denied.ask(method, filled + query, { ...body, ...headers }), facts);
}

for (const { method, pattern } of routes.filter(({ pattern }) => pattern.includes('{documentId}'))) {
  t.test(`${method} ${pattern} answers for a hidden document as for none`, async (t) => {
    const query = pattern.endsWith('/access') ? '?action=doc.read' : '';
    const answer = await attempt(method, pattern, hidden, query);
    t.strictSame(answer, await attempt(method, pattern, nothing, query));
    t.equal(answer.status, 404);
    if (method === 'GET')
      t.strictSame(await attempt('HEAD', pattern, hidden, query), await attempt('HEAD', pattern, nothing, query));
  });
}

t.test('what a hidden document holds is found by no name of it', async (t) => {
  const queries: [string, (facts: Facts) => string][] = [
    ['/v1/documents', ({ label }) => `?label=${label}`],
    ['/v1/documents', (facts) => `?namespace=${facts.namespace}`],
    ['/v1/documents', ({ value }) => `?ref=dms:${value}`],
    [`/v1/documents/${own.documentId}`, ({ versionId }) => `?version=${versionId}`],
    [`/v1/documents/${own.documentId}/content`, ({ versionId }) => `?version=${versionId}`],
    [`/v1/documents/${own.documentId}/metadata`, ({ versionId }) => `?version=${versionId}`],
    ['/v1/blobs/{key}', () => ''],
  ];
  for (const [pattern, queryOf] of queries) {
    const answer = await attempt('GET', pattern, hidden, queryOf(hidden));
    t.strictSame(answer, await attempt('GET', pattern, nothing, queryOf(nothing)), pattern + queryOf(nothing));
  }
  const listed = (await denied.ask('GET', '/v1/documents')).json() as { items: Json[] };
  t.strictSame(
    listed.items.map(({ documentId }) => documentId),
    [own.documentId],
  );
  const move = (facts: Facts) =>
    denied.ask('PUT', `/v1/documents/${own.documentId}/labels/mine`, { body: { versionId: facts.versionId, expected: null } });
  t.strictSame(answerBut(await move(hidden), hidden), answerBut(await move(nothing), nothing));
  const merge = (facts: Facts) =>
    denied.ask('PUT', `/v1/documents/${own.documentId}/content?parent=${facts.versionId}`, { body: 'x' });
  t.strictSame(answerBut(await merge(hidden), hidden), answerBut(await merge(nothing), nothing));
});

t.test('the same bytes stored again tell nothing, and are his own to read', async (t) => {
  const again = await denied.ask('POST', '/v1/documents', { body: 'the sealed page' });
  const other = await denied.ask('POST', '/v1/documents', { body: 'a page of no one' });
  t.equal(again.status, other.status);
  t.strictSame(Object.keys(again.json()), Object.keys(other.json()));
  t.strictSame([...again.headers.keys()], [...other.headers.keys()]);
  t.equal((await denied.ask('GET', `/v1/blobs/${hidden.key}`)).text, 'the sealed page');
});

t.test('and nothing of it has changed', async (t) => {
  t.equal((await admin.ask('GET', `${path}/content`)).text, 'the sealed page');
  t.match((await admin.ask('GET', `${path}/acl`)).json(), { version: 1 });
  t.match((await admin.ask('GET', path)).json(), { retainUntil: null, hold: null });
});
