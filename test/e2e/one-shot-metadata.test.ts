import t from 'tap';
import { ask, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());

const namespace = 'urn:quasar:ns:core';
const schemaUrn = 'urn:quasar:schema:filing@1.0.0';
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { title: { type: 'string' } },
};

t.before(async () => {
  const body = { schemaUrn, namespaceUrn: namespace, lifecycle: 'active', schema };
  t.equal((await ask(product, 'POST', '/v1/schemas', { body })).status, 201);
});

function headerOf(bundle: unknown): string {
  return Buffer.from(typeof bundle === 'string' ? bundle : JSON.stringify(bundle)).toString('base64');
}

async function send(method: string, path: string, metadata: string, headers: Record<string, string> = {}) {
  const type = { 'content-type': 'text/plain' };
  const answer = await ask(product, method, path, {
    body: 'bytes',
    headers: { ...type, 'quasar-metadata': metadata, ...headers },
  });
  return { ...answer, body: answer.text === '' ? {} : answer.json() };
}

async function metadataOf(documentId: unknown): Promise<Json> {
  return (await ask(product, 'GET', `/v1/documents/${documentId}/metadata`)).json();
}

t.test('bytes and metadata come in one request, and are one version', async (t) => {
  const made = await send(
    'POST',
    '/v1/documents',
    headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 'Brief' } } }),
  );
  t.equal(made.status, 201);
  const found = await metadataOf(made.body.documentId);
  t.match(found, { versionId: made.body.versionId, canonical: { [namespace]: { data: { title: 'Brief' }, status: 'valid' } } });
});

t.test('a further version replaces what its metadata names, and keeps the rest', async (t) => {
  const made = await send(
    'POST',
    '/v1/documents',
    headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 'One' } } }),
  );
  const path = `/v1/documents/${made.body.documentId}/content`;
  const next = await send('PUT', path, headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 'Two' } } }));
  t.equal(next.status, 201);
  t.match(await metadataOf(made.body.documentId), { canonical: { [namespace]: { data: { title: 'Two' } } } });
  const bare = await ask(product, 'PUT', path, { body: 'others', headers: { 'content-type': 'text/plain' } });
  t.equal(bare.status, 201);
  t.match(await metadataOf(made.body.documentId), { canonical: { [namespace]: { data: { title: 'Two' } } } });
});

t.test('metadata that does not fit, or is none, makes no document', async (t) => {
  const before = (await ask(product, 'GET', '/v1/documents')).json().items as Json[];
  const unfit = await send(
    'POST',
    '/v1/documents',
    headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 7 } } }),
  );
  t.match(unfit, { status: 422, body: { code: 'metadata_invalid' } });
  t.match(await send('POST', '/v1/documents', '%%%'), { status: 400, body: { code: 'bad_parameter' } });
  for (const text of ['[]', '{', '{"a":1,"a":2}', '{"__proto__":{}}']) {
    const { status } = await send('POST', '/v1/documents', headerOf(text));
    t.ok(status === 400 || status === 422, text);
  }
  t.equal(((await ask(product, 'GET', '/v1/documents')).json().items as Json[]).length, before.length);
});

t.test('an idempotency key stands for the metadata too', async (t) => {
  const key = { 'idempotency-key': 'filing-1' };
  const one = headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 'One' } } });
  const made = await send('POST', '/v1/documents', one, key);
  t.equal(made.status, 201);
  t.match(await send('POST', '/v1/documents', one, key), { status: 200, body: { versionId: made.body.versionId } });
  const two = headerOf({ [namespace]: { schema: { $id: schemaUrn }, data: { title: 'Two' } } });
  t.match(await send('POST', '/v1/documents', two, key), { status: 422, body: { code: 'idempotency_mismatch' } });
});
