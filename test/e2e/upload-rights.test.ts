import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { newId } from '../../src/core/ids.ts';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const clerk = await makePerson(product, admin, { name: 'clerk', roles: ['clerk'] });
const outsider = await makePerson(product, admin, { name: 'outsider' });
const WRITE = ['doc.read', 'doc.write', 'blob.write'];

/** Replaces whatever rules hang there. */
async function rule(path: string, rules: readonly object[]): Promise<void> {
  const etag = (await admin.ask('GET', `${path}/acl`)).headers.get('etag') as string;
  expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': etag } }), 200);
}

function allow(person: Person, actions: readonly string[]): object {
  return { effect: 'allow', actions, principals: [person.principalId] };
}

function deny(person: Person, actions: readonly string[]): object {
  return { effect: 'deny', actions, principals: [person.principalId] };
}

async function makeFolder(name: string): Promise<string> {
  const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name } }), 201);
  return folderId as string;
}

/** A session that has all its bytes. */
async function begin(by: Person, body: Json): Promise<{ readonly path: string; readonly documentId: string }> {
  const { uploadId, documentId } = expectStatus(await by.ask('POST', '/v1/documents', { body }), 201);
  const path = `/v1/uploads/${uploadId}`;
  t.equal((await by.ask('PUT', `${path}/bytes`, { body: `bytes of ${by.principalId}` })).status, 204);
  return { path, documentId: documentId as string };
}

t.test('a new document is made by whoever may make it at the end of its upload', async (t) => {
  const folderId = await makeFolder('withdrawn');
  const folder = `/v1/folders/${folderId}`;
  await rule(folder, [allow(outsider, WRITE)]);
  const { path } = await begin(outsider, { folderId });
  const finalize = () => outsider.ask('POST', `${path}/finalize`, { body: {} });
  await rule(folder, []);
  t.match((await finalize()).json(), { code: 'folder_not_found' });
  await rule(folder, [allow(outsider, ['doc.read', 'doc.write'])]);
  t.match((await finalize()).json(), { code: 'forbidden', details: { capability: 'blob.write' } });
  await rule(folder, [allow(outsider, WRITE)]);
  t.equal((await finalize()).status, 201, 'the session was not harmed');
});

t.test('first rules are set by whoever may set them at the end of the upload', async (t) => {
  const folderId = await makeFolder('first rules');
  const folder = `/v1/folders/${folderId}`;
  await rule(folder, [allow(outsider, [...WRITE, 'acl.admin'])]);
  const body = { folderId, initialPermissions: { rules: [deny(clerk, ['doc.read'])] } };
  const { path } = await begin(outsider, body);
  await rule(folder, [allow(outsider, WRITE)]);
  const refused = await outsider.ask('POST', `${path}/finalize`, { body: {} });
  t.match(refused.json(), { code: 'forbidden', details: { capability: 'acl.admin' } });
});

t.test('what was made is told again to those alone who may read it now', async (t) => {
  const folderId = await makeFolder('told again');
  await rule(`/v1/folders/${folderId}`, [allow(outsider, WRITE)]);
  const session = await begin(outsider, { folderId });
  const headers = { 'idempotency-key': 'told-again' };
  const post = () => outsider.ask('POST', `/v1/documents?folder=${folderId}`, { body: 'one shot', headers });
  const { documentId } = expectStatus(await post(), 201);
  expectStatus(await outsider.ask('POST', `${session.path}/finalize`, { body: {} }), 201);
  const again = [
    post,
    () => outsider.ask('POST', `${session.path}/finalize`, { body: {} }),
    () => outsider.ask('GET', session.path),
  ];
  for (const ask of again) t.equal((await ask()).status, 200);

  for (const id of [documentId, session.documentId]) await rule(`/v1/documents/${id}`, [deny(outsider, ['doc.read'])]);
  for (const ask of again) t.match((await ask()).json(), { code: 'document_not_found' });

  for (const id of [documentId, session.documentId]) {
    await rule(`/v1/documents/${id}`, []);
    t.equal((await admin.ask('DELETE', `/v1/documents/${id}`, { body: { reason: 'over' } })).status, 204);
  }
  for (const ask of again) t.match((await ask()).json(), { code: 'document_disposed' });
});

t.test('uploads for one document run side by side; the later one adds a version if it may', async (t) => {
  const documentId = newId(systemClock);
  const [first, second] = [await begin(admin, { documentId }), await begin(clerk, { documentId })];
  t.not(first.path, second.path);
  t.equal((await admin.ask('POST', `${first.path}/finalize`, { body: {} })).status, 201);
  t.equal((await clerk.ask('POST', `${second.path}/finalize`, { body: {} })).status, 201);
  const versions = expectStatus(await clerk.ask('GET', `/v1/documents/${documentId}/versions`), 200);
  t.equal((versions.items as unknown[]).length, 2);
});

t.test('an upload for a document that another one made and hid adds nothing to it', async (t) => {
  const documentId = newId(systemClock);
  const rules = [deny(clerk, ['doc.read'])];
  const first = await begin(admin, { documentId, initialPermissions: { rules } });
  const second = await begin(clerk, { documentId });
  expectStatus(await admin.ask('POST', `${first.path}/finalize`, { body: {} }), 201);
  t.match((await clerk.ask('POST', `${second.path}/finalize`, { body: {} })).json(), { code: 'id_not_available' });
  const versions = expectStatus(await admin.ask('GET', `/v1/documents/${documentId}/versions`), 200);
  t.equal((versions.items as unknown[]).length, 1);
});

t.test('answers that tell the size or the digest of content are noted as reads of it', async (t) => {
  const asked = [
    { headers: { range: 'bytes=100-' }, status: 416 },
    { headers: { 'if-match': '"other"' }, status: 412 },
  ];
  for (const { headers, status } of asked) {
    const { documentId } = expectStatus(await admin.ask('POST', '/v1/documents', { body: `answered ${status}` }), 201);
    t.equal((await admin.ask('GET', `/v1/documents/${documentId}/content`, { headers })).status, status);
    t.ok(await eventually(`/v1/audit/events?document=${documentId}&action=blob.read`), `${status}`);
  }
});

/** Until there are events, for ten seconds at most: they are numbered every few. */
async function eventually(path: string): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if ((expectStatus(await admin.ask('GET', path), 200).items as unknown[]).length > 0) return true;
    await sleep(50);
  }
  return false;
}
