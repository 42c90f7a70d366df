import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ask as askProduct, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

let product = await Product.start();
t.teardown(() => product.destroy());

const ask = (method: string, path: string, body?: unknown) => askProduct(product, method, path, { body });
const reason = 'The time of the file is over';

async function storeDocument(text = `bytes ${randomUUID()}`) {
  const { documentId, contentRef } = (await ask('POST', '/v1/documents', text)).json() as {
    documentId: string;
    contentRef: Json;
  };
  return { documentId, path: `/v1/documents/${documentId}`, key: contentRef.key as string };
}

async function dispose(path: string): Promise<void> {
  const answer = await ask('DELETE', path, { reason });
  if (answer.status !== 204) throw new Error(answer.text);
}

async function listed(query = ''): Promise<unknown[]> {
  const { items } = (await ask('GET', `/v1/documents${query}`)).json() as { items: Json[] };
  return items.map(({ documentId }) => documentId);
}

/** The events about a document, once there are any: they get their numbers a little later. */
async function eventsOf(documentId: string, action: string): Promise<Json[]> {
  for (;;) {
    const answer = (await ask('GET', `/v1/audit/events?document=${documentId}&action=${action}`)).json() as {
      items: { event: Json }[];
    };
    if (answer.items.length > 0) return answer.items.map(({ event }) => event);
    await sleep(50);
  }
}

t.test('a document is disposed of once, for a reason, and answers 410 everywhere afterwards', async (t) => {
  const { documentId, path, key } = await storeDocument();
  const { currentVersionId } = (await ask('GET', path)).json();
  for (const body of [undefined, {}, { reason: '' }, { reason: '  ' }, { reason: null }, { reason, more: 1 }]) {
    t.equal((await ask('DELETE', path, body)).status, 400, JSON.stringify(body));
  }
  t.equal((await ask('GET', `/v1/blobs/${key}`)).status, 200);
  await ask('GET', `${path}/content`);
  t.equal((await ask('DELETE', path, { reason })).status, 204);

  const namespace = encodeURIComponent('urn:quasar:ns:case');
  const move = { versionId: currentVersionId, expected: null };
  const gone: readonly (readonly [string, string, unknown?])[] = [
    ['GET', ''],
    ['GET', `?version=${currentVersionId}`],
    ['GET', '/versions'],
    ['GET', '/content'],
    ['GET', `/content?version=${currentVersionId}`],
    ['PUT', '/content', 'more bytes'],
    ['PUT', '/labels/sealed', move],
    ['GET', '/labels/CURRENT/moves'],
    ['PUT', '/refs/dms/1', {}],
    ['DELETE', '/refs/dms/1'],
    ['GET', '/metadata'],
    ['GET', `/metadata/${namespace}`],
    ['POST', '/metadata', { mode: 'canonical', bundle: {} }],
    ['POST', `/metadata/${namespace}/patch`, { mode: 'canonical', baseMetadataId: null, patch: [] }],
    ['POST', '/migrate', {}],
    ['PUT', '/retention', { retainUntil: '2031-12-31T23:00:00.000Z' }],
    ['PUT', '/hold', { reason }],
    ['DELETE', '/hold', { reason }],
    ['DELETE', '', { reason }],
  ];
  for (const [method, below, body] of gone) {
    const answer = await ask(method, path + below, body);
    t.equal(answer.status, 410, `${method} ${below}`);
    t.equal(answer.json().code, 'document_disposed', `${method} ${below}`);
  }
  t.equal((await ask('POST', '/v1/documents', { documentId })).json().code, 'document_disposed');
  t.notOk((await listed()).includes(documentId));
  t.equal((await ask('GET', `/v1/blobs/${key}`)).json().code, 'blob_not_found');
  t.match(await eventsOf(documentId, 'document.dispose'), [{ action: 'document.dispose', detail: { reason } }]);
});

t.test('a blob is read on behalf of a document that is still there', async (t) => {
  const text = `shared ${randomUUID()}`;
  const [one, other] = [await storeDocument(text), await storeDocument(text)];
  await dispose(one.path);
  t.equal((await ask('GET', `/v1/blobs/${one.key}`)).text, text);
  await dispose(other.path);
  t.equal((await ask('GET', `/v1/blobs/${one.key}`)).status, 404);
  const again = await storeDocument(text);
  t.equal((await ask('GET', `${again.path}/content`)).text, text);
});

t.test('nothing is disposed of before its time', async (t) => {
  const { documentId, path } = await storeDocument();
  const retainUntil = '2099-12-31T23:00:00.000Z';
  const set = await ask('PUT', `${path}/retention`, { retainUntil: '2100-01-01T00:00:00+01:00', reason: 'By law' });
  t.equal(set.status, 200);
  t.strictSame(set.json(), { documentId, retainUntil });
  t.equal((await ask('PUT', `${path}/retention`, { retainUntil })).status, 200);
  const shorter = await ask('PUT', `${path}/retention`, { retainUntil: '2099-12-31T22:59:59.999Z' });
  t.equal(shorter.status, 409);
  t.match(shorter.json(), { code: 'retention_shortened', details: { retainUntil } });
  t.equal((await ask('PUT', `${path}/retention`, { retainUntil: '2099' })).status, 400);
  t.equal((await ask('PUT', `${path}/retention`, {})).status, 400);
  const refused = await ask('DELETE', path, { reason });
  t.equal(refused.status, 409);
  t.match(refused.json(), { code: 'document_retained', details: { retainUntil } });
  t.match((await ask('GET', path)).json(), { retainUntil, hold: null, folderId: null });
  t.match(await eventsOf(documentId, 'retention.set'), [{ detail: { retainUntil, reason: 'By law' } }]);

  const free = await storeDocument();
  await ask('PUT', `${free.path}/retention`, { retainUntil: '2001-01-01T00:00:00.000Z' });
  await dispose(free.path);
});

t.test('nothing is disposed of under a hold', async (t) => {
  const { documentId, path } = await storeDocument();
  t.equal((await ask('PUT', `${path}/hold`, {})).status, 400);
  const set = await ask('PUT', `${path}/hold`, { reason: 'Appeal' });
  t.equal(set.status, 200);
  const { hold } = set.json() as { hold: Json };
  t.equal(hold.reason, 'Appeal');
  t.strictSame((await ask('PUT', `${path}/hold`, { reason: 'Appeal' })).json(), { documentId, hold });
  t.match((await ask('GET', path)).json(), { hold });
  const refused = await ask('DELETE', path, { reason });
  t.equal(refused.status, 409);
  t.equal(refused.json().code, 'document_held');
  t.equal((await ask('DELETE', `${path}/hold`, {})).status, 400);
  t.equal((await ask('DELETE', `${path}/hold`, { reason: 'Withdrawn' })).status, 204);
  t.equal((await ask('DELETE', `${path}/hold`, { reason: 'Withdrawn' })).status, 204);
  await dispose(path);
  t.match(await eventsOf(documentId, 'hold.set'), [{ detail: { reason: 'Appeal' } }]);
  const released = await eventsOf(documentId, 'hold.release');
  t.match(released, [{ detail: { reason: 'Withdrawn' } }]);
  t.equal(released.length, 1);
});

t.test('its names are free again', async (t) => {
  const [old, next] = [await storeDocument(), await storeDocument()];
  const value = randomUUID();
  t.equal((await ask('PUT', `${old.path}/refs/dms/${value}`, {})).status, 201);
  t.equal((await ask('PUT', `${next.path}/refs/dms/${value}`, {})).status, 409);
  await dispose(old.path);
  t.strictSame(await listed(`?ref=dms:${value}`), []);
  t.equal((await ask('PUT', `${next.path}/refs/dms/${value}`, {})).status, 201);
  t.strictSame(await listed(`?ref=dms:${value}`), [next.documentId]);
});

t.test('an upload to it has failed', async (t) => {
  const { documentId, path } = await storeDocument();
  const { uploadId } = (await ask('POST', '/v1/documents', { documentId })).json();
  t.equal((await ask('PUT', `/v1/uploads/${uploadId}/bytes`, 'a part')).status, 204);
  await dispose(path);
  t.equal((await ask('GET', `/v1/uploads/${uploadId}`)).json().state, 'failed');
  t.equal((await ask('PUT', `/v1/uploads/${uploadId}/bytes`, 'more')).status, 409);
  t.not((await ask('POST', `/v1/uploads/${uploadId}/finalize`, {})).status, 201);
});

t.test('a restart keeps what was disposed of, held and retained', async (t) => {
  const [gone, held] = [await storeDocument(), await storeDocument()];
  await dispose(gone.path);
  await ask('PUT', `${held.path}/hold`, { reason: 'Appeal' });
  await product.stop();
  product = await Product.start({ data: product.data });
  t.equal((await ask('GET', gone.path)).status, 410);
  t.notOk((await listed()).includes(gone.documentId));
  t.equal((await ask('DELETE', held.path, { reason })).json().code, 'document_held');
  t.match((await ask('GET', held.path)).json(), { hold: { reason: 'Appeal' } });
});
