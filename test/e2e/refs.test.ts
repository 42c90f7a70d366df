import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ask as askProduct, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());

const ask = (method: string, path: string, body?: unknown) => askProduct(product, method, path, { body });

async function storeDocument(): Promise<string> {
  return (await ask('POST', '/v1/documents', 'some bytes')).json().documentId as string;
}

const refPath = (documentId: unknown, system: string, value: string) =>
  `/v1/documents/${documentId}/refs/${system}/${encodeURIComponent(value)}`;

async function found(ref: string): Promise<unknown[]> {
  const { items } = (await ask('GET', `/v1/documents?ref=${encodeURIComponent(ref)}`)).json() as { items: Json[] };
  return items.map(({ documentId }) => documentId);
}

/** A session with its bytes in; finalize makes the version. */
async function openSession(body: Json) {
  const created = await ask('POST', '/v1/documents', body);
  const { uploadId } = created.json();
  if (created.status < 300) await ask('PUT', `/v1/uploads/${uploadId}/bytes`, 'the bytes of a session');
  return { created, finalize: () => ask('POST', `/v1/uploads/${uploadId}/finalize`, {}) };
}

t.test('a document is found by what another system calls it', async (t) => {
  const documentId = await storeDocument();
  const added = await ask('PUT', refPath(documentId, 'dms', 'A/4711: Ä'), { meta: { folder: 'A 3' } });
  t.equal(added.status, 201);
  t.strictSame(added.json(), { system: 'dms', value: 'A/4711: Ä', meta: { folder: 'A 3' } });
  t.equal((await ask('PUT', refPath(documentId, 'dms', 'A/4711: Ä'))).status, 200);
  t.strictSame(await found('dms:A/4711: Ä'), [documentId]);
  t.strictSame(await found('dms:other'), []);
  t.match((await ask('GET', `/v1/documents/${documentId}`)).json(), {
    externalRefs: [{ system: 'dms', value: 'A/4711: Ä', meta: { folder: 'A 3' } }],
  });
  t.equal((await ask('DELETE', refPath(documentId, 'dms', 'A/4711: Ä'))).status, 204);
  t.equal((await ask('DELETE', refPath(documentId, 'dms', 'A/4711: Ä'))).status, 404);
  t.strictSame(await found('dms:A/4711: Ä'), []);
});

t.test('a name belongs to one document, of however many that want it', async (t) => {
  const documents = await Promise.all(Array.from({ length: 6 }, storeDocument));
  const value = randomUUID();
  const answers = await Promise.all(documents.map((documentId) => ask('PUT', refPath(documentId, 'dms', value))));
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409]);
  t.match(answers.find(({ status }) => status === 409)?.json(), { code: 'ref_taken', details: { system: 'dms', value } });
  t.equal((await found(`dms:${value}`)).length, 1);
});

t.test('names that a session brings along are the document’s from its commit on', async (t) => {
  const value = randomUUID();
  const { created, finalize } = await openSession({ externalRefs: [{ system: 'dms', value, meta: { page: 1 } }] });
  t.equal(created.status, 201);
  t.strictSame(await found(`dms:${value}`), []);
  const made = await finalize();
  t.equal(made.status, 201, made.text);
  t.strictSame(await found(`dms:${value}`), [made.json().documentId]);
  const taken = await ask('POST', '/v1/documents', { externalRefs: [{ system: 'dms', value }] });
  t.equal(taken.status, 409, 'refused before a byte is sent');
  t.match(taken.json(), { code: 'ref_taken' });
});

t.test(
  'a session that is asked for again, under its key, is answered like the first, also when its names are the document’s',
  async (t) => {
    const body = { externalRefs: [{ system: 'dms', value: randomUUID() }] };
    const headers = { 'idempotency-key': randomUUID() };
    const first = await askProduct(product, 'POST', '/v1/documents', { body, headers });
    const { uploadId } = first.json();
    await ask('PUT', `/v1/uploads/${uploadId}/bytes`, 'bytes');
    t.equal((await ask('POST', `/v1/uploads/${uploadId}/finalize`)).status, 201);
    const again = await askProduct(product, 'POST', '/v1/documents', { body, headers });
    t.match([again.status, again.json().uploadId], [200, uploadId], again.text);
  },
);

t.test('a session whose name was taken meanwhile commits nothing, and takes none of its other names', async (t) => {
  const [mine, contested] = [randomUUID(), randomUUID()];
  const refs = [mine, contested].map((value) => ({ system: 'dms', value }));
  const late = await openSession({ externalRefs: refs });
  const documentId = await storeDocument();
  await ask('PUT', refPath(documentId, 'dms', contested));
  const refused = await late.finalize();
  t.equal(refused.status, 409, refused.text);
  t.match(refused.json(), { code: 'ref_taken' });
  t.strictSame(await found(`dms:${mine}`), []);
  t.equal((await ask('GET', `/v1/documents/${late.created.json().documentId}`)).status, 404);
  await ask('DELETE', refPath(documentId, 'dms', contested));
  t.equal((await late.finalize()).status, 201, 'once the name is free, the same session commits');
  t.strictSame(await found(`dms:${mine}`), [late.created.json().documentId]);
});

t.test('of two sessions with the same name, one commits', async (t) => {
  const value = randomUUID();
  const sessions = await Promise.all([1, 2, 3].map(() => openSession({ externalRefs: [{ system: 'dms', value }] })));
  const answers = await Promise.all(sessions.map(({ finalize }) => finalize()));
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 409, 409]);
});

t.test('metadata that a session brings along is checked at once and stored with the version', async (t) => {
  const schema = { type: 'object', properties: { number: { type: 'string' } }, required: ['number'] };
  await ask('POST', '/v1/schemas', { schemaUrn: 'urn:quasar:schema:case@1.0.0', namespaceUrn: 'urn:quasar:ns:case', schema });
  const bad = await ask('POST', '/v1/documents', { initialMetadata: { 'urn:quasar:ns:case': { data: { number: 7 } } } });
  t.equal(bad.status, 422);
  t.match(bad.json(), { code: 'metadata_invalid' });
  const { finalize } = await openSession({ initialMetadata: { 'urn:quasar:ns:case': { data: { number: '4 K 12/26' } } } });
  const made = (await finalize()).json();
  t.match((await ask('GET', `/v1/documents/${made.documentId}/metadata`)).json(), {
    versionId: made.versionId,
    canonical: { 'urn:quasar:ns:case': { data: { number: '4 K 12/26' }, status: 'valid' } },
  });
  const again = await openSession({
    documentId: made.documentId,
    initialMetadata: { 'urn:quasar:ns:case': { data: { number: '5 K 12/26' } } },
  });
  t.match((await again.finalize()).json(), { parents: [made.versionId] });
  t.match((await ask('GET', `/v1/documents/${made.documentId}/metadata`)).json(), {
    canonical: { 'urn:quasar:ns:case': { data: { number: '5 K 12/26' } } },
  });
  t.match((await ask('GET', `/v1/documents/${made.documentId}/metadata?version=${made.versionId}`)).json(), {
    canonical: { 'urn:quasar:ns:case': { data: { number: '4 K 12/26' } } },
  });
});

t.test('references that cannot be are refused', async (t) => {
  const documentId = await storeDocument();
  for (const path of [
    refPath(documentId, 'd%3Ams', '1'),
    refPath(documentId, 'dms', 'a\u0000b'),
    refPath(documentId, 'dms', 'cafe\u0301'),
    refPath(documentId, 'dms', 'x'.repeat(513)),
  ]) {
    t.equal((await ask('PUT', path)).status, 400, path.slice(0, 120));
  }
  for (const externalRefs of [
    {},
    [{ system: 'dms' }],
    [{ system: 'dms', value: '1', other: 2 }],
    [{ system: 'dms', value: '1', meta: 'text' }],
    [{ system: 'dms', value: '1', meta: { a: 'x'.repeat(5000) } }],
    [1, 2].map(() => ({ system: 'dms', value: '1' })),
    Array.from({ length: 33 }, (_, n) => ({ system: 'dms', value: String(n) })),
  ]) {
    t.equal((await ask('POST', '/v1/documents', { externalRefs })).status, 400, JSON.stringify(externalRefs).slice(0, 80));
  }
  t.equal((await ask('GET', '/v1/documents?ref=dms')).status, 400);
  t.equal((await ask('PUT', refPath('00000000-0000-7000-8000-000000000000', 'dms', '1'))).status, 404);
});

t.test('a namespace that looks like another one is refused', async (t) => {
  const schema = { type: 'object' };
  await ask('POST', '/v1/schemas', { schemaUrn: 'urn:court:hall@1.0.0', namespaceUrn: 'urn:court:hall', schema });
  for (const namespaceUrn of ['urn:court:Hall', 'urn:court:HALL']) {
    const twin = await ask('POST', '/v1/schemas', { schemaUrn: 'urn:court:hall@1.0.1', namespaceUrn, schema });
    t.equal(twin.status, 409);
    t.match(twin.json(), { code: 'namespace_twin' });
  }
});
