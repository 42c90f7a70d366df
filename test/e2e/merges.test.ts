import t from 'tap';
import { ask, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());

async function put(path: string, text: string): Promise<Json & { status: number }> {
  const answer = await ask(product, 'PUT', path, { body: text });
  return { ...answer.json(), status: answer.status };
}

t.test('a version may come from several: two drafts become one', async (t) => {
  const made = (await ask(product, 'POST', '/v1/documents', { body: 'draft' })).json();
  const path = `/v1/documents/${made.documentId}`;
  const clerk = await put(`${path}/content`, 'as the clerk has it');
  const judge = await put(`${path}/content`, 'as the judge has it');
  const merged = await put(`${path}/content?parent=${made.versionId}&parent=${clerk.versionId}`, 'as both have it');
  t.match(merged, { status: 201, parents: [judge.versionId, made.versionId, clerk.versionId] });
  const { items } = (await ask(product, 'GET', `${path}/versions`)).json();
  t.strictSame((items as Json[]).find(({ versionId }) => versionId === merged.versionId)?.parents, merged.parents);
});

t.test('an upload session says at its end what its version comes from', async (t) => {
  const made = (await ask(product, 'POST', '/v1/documents', { body: 'one' })).json();
  const two = await put(`/v1/documents/${made.documentId}/content`, 'two');
  const { uploadId } = (await ask(product, 'POST', '/v1/documents', { body: { documentId: made.documentId } })).json();
  await ask(product, 'PUT', `/v1/uploads/${uploadId}/bytes`, { body: 'three' });
  const path = `/v1/uploads/${uploadId}/finalize`;
  t.match((await ask(product, 'POST', path, { body: { parents: 'x' } })).json(), { status: 400, code: 'bad_parameter' });
  const missing = { parents: ['01a1ffe6-9553-725d-b259-aca81d6a6977'] };
  t.match((await ask(product, 'POST', path, { body: missing })).json(), { status: 404, code: 'version_not_found' });
  const merged = await ask(product, 'POST', path, { body: { parents: [made.versionId] } });
  t.match(merged.json(), { parents: [two.versionId, made.versionId] });
  t.equal((await ask(product, 'POST', path, { body: { parents: [made.versionId] } })).status, 200);
  t.match((await ask(product, 'POST', path, { body: {} })).json(), { status: 409, code: 'finalize_conflict' });
});

t.test('what is no version of the document makes none', async (t) => {
  const made = (await ask(product, 'POST', '/v1/documents', { body: 'bytes' })).json();
  const other = (await ask(product, 'POST', '/v1/documents', { body: 'others' })).json();
  const path = `/v1/documents/${made.documentId}/content`;
  t.match(await put(`${path}?parent=${other.versionId}`, 'merged'), { status: 404, code: 'version_not_found' });
  t.match(await put(`${path}?parent=HEAD`, 'merged'), { status: 400, code: 'bad_parameter' });
  const { items } = (await ask(product, 'GET', `/v1/documents/${made.documentId}/versions`)).json();
  t.equal((items as Json[]).length, 1);
});
