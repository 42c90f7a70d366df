import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { blobKey, patternBytes, reprDigest, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';

const MiB = 1024 * 1024;
type Json = Record<string, unknown>;

const product = await Product.start();
t.teardown(() => product.destroy());

async function create(body: Json = {}, headers: Record<string, string> = {}) {
  const response = await product.fetch('/v1/documents', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { response, session: (await response.json()) as Json };
}

async function putBytes(uploadId: unknown, bytes: Uint8Array, offset: number, headers: Record<string, string> = {}) {
  return product.fetch(`/v1/uploads/${uploadId}/bytes`, {
    method: 'PUT',
    body: bytes,
    headers: { 'upload-offset': String(offset), ...headers },
  });
}

async function finalize(uploadId: unknown, body: Json = {}) {
  const response = await product.fetch(`/v1/uploads/${uploadId}/finalize`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return { response, body: (await response.json()) as Json };
}

async function head(uploadId: unknown): Promise<Headers> {
  return (await product.fetch(`/v1/uploads/${uploadId}`, { method: 'HEAD' })).headers;
}

t.test('a session takes bytes in any pieces; cuts and digests do not depend on how the client split them', async (t) => {
  const bytes = patternBytes(4 * MiB + 4321, 3);
  const { response, session } = await create({ filename: 'a.tif', contentType: 'image/tiff' });
  t.equal(response.status, 201);
  t.equal(response.headers.get('location'), `/v1/uploads/${session.uploadId}`);
  let offset = 0;
  for (const size of [1, 1000, MiB - 500, MiB, 77, 2 * MiB, Number.POSITIVE_INFINITY]) {
    const part = bytes.subarray(offset, Math.min(bytes.length, offset + size));
    const put = await putBytes(session.uploadId, part, offset);
    t.equal(put.status, 204);
    offset += part.length;
    t.equal(put.headers.get('upload-offset'), String(offset));
    t.equal(put.headers.get('quasar-durability'), 'fsync;nodes=1');
  }
  const { response: done, body } = await finalize(session.uploadId, {
    labels: ['FILED'],
    reason: 'scanned',
    digests: { sha256: sha256(bytes) },
  });
  t.equal(done.status, 201);
  t.match(body, {
    contentRef: { key: blobKey(bytes) },
    digests: { sha256: sha256(bytes) },
    size: bytes.length,
    reason: 'scanned',
  });
  t.strictSame(body.labels, ['CURRENT', 'FILED']);
  const content = await product.fetch(`/v1/documents/${body.documentId}/content`);
  t.ok(Buffer.from(await content.arrayBuffer()).equals(bytes));
});

t.test('HEAD tells offset, length and completion; GET the whole session and, once committed, its result', async (t) => {
  const { session } = await create({ size: 10 });
  t.match(Object.fromEntries(await head(session.uploadId)), {
    'upload-offset': '0',
    'upload-length': '10',
    'upload-complete': '?0',
  });
  await putBytes(session.uploadId, Buffer.from('0123456789'), 0);
  await finalize(session.uploadId);
  t.match(Object.fromEntries(await head(session.uploadId)), { 'upload-offset': '10', 'upload-complete': '?1' });
  const got = (await (await product.fetch(`/v1/uploads/${session.uploadId}`)).json()) as Json;
  t.match(got, { state: 'committed', offset: 10, size: 10, result: { documentId: session.documentId, size: 10 } });
});

t.test('a wrong offset is answered with the right one and takes nothing', async (t) => {
  const { session } = await create();
  await putBytes(session.uploadId, Buffer.from('abc'), 0);
  for (const offset of [0, 2, 4, 1_000_000]) {
    const put = await putBytes(session.uploadId, Buffer.from('x'), offset);
    t.equal(put.status, 409);
    t.equal(put.headers.get('upload-offset'), '3');
    t.match(await put.json(), { code: 'upload_offset_mismatch', details: { expected: 3, received: offset } });
  }
  t.equal((await head(session.uploadId)).get('upload-offset'), '3');
});

t.test('a Content-Digest that differs is 422 and none of the request counts; the same bytes sent right then do', async (t) => {
  const bytes = patternBytes(3 * MiB + 5, 8);
  const { session } = await create();
  const wrong = await putBytes(session.uploadId, bytes, 0, { 'content-digest': reprDigest(Buffer.from('no')) });
  t.equal(wrong.status, 422);
  t.equal((await head(session.uploadId)).get('upload-offset'), '0');
  const right = await putBytes(session.uploadId, bytes, 0, { 'content-digest': reprDigest(bytes) });
  t.equal(right.status, 204);
  t.match((await finalize(session.uploadId)).body, { digests: { sha256: sha256(bytes) } });
});

t.test('more than the declared size is 413; less is not finalised', async (t) => {
  const { session } = await create({ size: 5 });
  const over = await putBytes(session.uploadId, Buffer.from('123456'), 0);
  t.equal(over.status, 413);
  await putBytes(session.uploadId, Buffer.from('123'), 0);
  const early = await finalize(session.uploadId);
  t.equal(early.response.status, 409);
  t.match(early.body, { code: 'upload_incomplete', details: { offset: 3, size: 5 } });
  t.equal(early.response.headers.get('upload-offset'), '3');
  await putBytes(session.uploadId, Buffer.from('45'), 3);
  t.equal((await finalize(session.uploadId)).response.status, 201);
});

t.test('finalize is idempotent: concurrent and repeated calls get one version, other arguments 409', async (t) => {
  const { session } = await create();
  await putBytes(session.uploadId, patternBytes(2 * MiB, 4), 0);
  const answers = await Promise.all(Array.from({ length: 6 }, () => finalize(session.uploadId, { reason: 'r' })));
  t.equal(answers.filter(({ response }) => response.status === 201).length, 1);
  t.equal(answers.filter(({ response }) => response.status === 200).length, 5);
  t.equal(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1);
  t.equal((await finalize(session.uploadId, { reason: 'r' })).response.status, 200);
  const other = await finalize(session.uploadId, { reason: 'another' });
  t.equal(other.response.status, 409);
  t.match(other.body, { code: 'finalize_conflict' });
  const late = await putBytes(session.uploadId, Buffer.from('x'), 2 * MiB);
  t.match([late.status, await late.json()], [409, { code: 'upload_closed' }]);
});

t.test('a digest that does not match at finalize makes nothing visible, and the session goes on', async (t) => {
  const { session } = await create({ digests: { sha256: sha256(Buffer.from('what was meant')) } });
  await putBytes(session.uploadId, Buffer.from('what was'), 0);
  t.equal((await finalize(session.uploadId)).response.status, 422);
  t.equal((await product.fetch(`/v1/documents/${session.documentId}`)).status, 404);
  await putBytes(session.uploadId, Buffer.from(' meant'), 8);
  t.equal((await finalize(session.uploadId)).response.status, 201);
});

t.test('the same document with an open upload, or the same idempotency key, resumes', async (t) => {
  const documentId = randomUUID();
  const { response: first, session } = await create({ documentId });
  await putBytes(session.uploadId, Buffer.from('abc'), 0);
  const { response: again, session: resumed } = await create({ documentId });
  t.strictSame([first.status, again.status], [201, 200]);
  t.match(resumed, { uploadId: session.uploadId, offset: 3 });

  const key = randomUUID();
  const { session: keyed } = await create({ filename: 'k' }, { 'idempotency-key': key });
  const repeat = await create({ filename: 'k' }, { 'idempotency-key': key });
  t.match([repeat.response.status, repeat.session.uploadId], [200, keyed.uploadId]);
  const other = await create({ filename: 'other' }, { 'idempotency-key': key });
  t.equal(other.response.status, 422);
});

t.test('a session for a known document makes a further version', async (t) => {
  const documentId = randomUUID();
  const { session: one } = await create({ documentId });
  await putBytes(one.uploadId, Buffer.from('one'), 0);
  const { body: first } = await finalize(one.uploadId);
  const { response, session: two } = await create({ documentId });
  t.equal(response.status, 201);
  await putBytes(two.uploadId, Buffer.from('two'), 0);
  t.match((await finalize(two.uploadId)).body, { documentId, parents: [first.versionId] });
});

t.test('a cancelled upload takes nothing more', async (t) => {
  const { session } = await create();
  const cancel = await product.fetch(`/v1/uploads/${session.uploadId}`, { method: 'DELETE' });
  t.equal(cancel.status, 204);
  t.equal((await putBytes(session.uploadId, Buffer.from('x'), 0)).status, 409);
  t.equal((await finalize(session.uploadId)).response.status, 409);
  t.match(await (await product.fetch(`/v1/uploads/${session.uploadId}`)).json(), { state: 'failed' });
});

t.test('an upload nobody knows is 404 for every call', async (t) => {
  const path = `/v1/uploads/${randomUUID()}`;
  for (const [method, suffix] of [
    ['GET', ''],
    ['HEAD', ''],
    ['DELETE', ''],
    ['PUT', '/bytes'],
    ['POST', '/finalize'],
  ] as const) {
    t.equal((await product.fetch(path + suffix, { method })).status, 404, method + suffix);
  }
});

t.test('an interrupted request keeps what it sent, to the last byte', async (t) => {
  const bytes = patternBytes(3 * MiB, 6);
  const { session } = await create({ size: bytes.length });
  const sent = 2 * MiB + 300_001;
  await sendAndVanish(session.uploadId, bytes.subarray(0, sent), bytes.length);
  let offset = 0;
  for (let tries = 0; tries < 100 && offset < sent; tries++) {
    offset = Number((await head(session.uploadId)).get('upload-offset'));
    await sleep(20);
  }
  t.equal(offset, sent);
  t.equal((await putBytes(session.uploadId, bytes.subarray(offset), offset)).status, 204);
  t.match((await finalize(session.uploadId)).body, { digests: { sha256: sha256(bytes) } });
});

t.test('a second writer takes over from a first that stalls, at what the first made durable', async (t) => {
  const bytes = patternBytes(2 * MiB, 11);
  const { session } = await create({ size: bytes.length });
  const ghost = connect(product.port, '127.0.0.1');
  ghost.on('error', () => undefined);
  ghost.write(requestHead(session.uploadId, bytes.length));
  ghost.write(bytes.subarray(0, MiB + 10));
  await sleep(300);
  const blind = await putBytes(session.uploadId, bytes.subarray(0, 1), 0);
  t.equal(blind.status, 409, 'the offset is past the start by now');
  const offset = Number(blind.headers.get('upload-offset'));
  t.equal(offset, MiB + 10);
  t.equal((await putBytes(session.uploadId, bytes.subarray(offset), offset)).status, 204);
  t.match((await finalize(session.uploadId)).body, { digests: { sha256: sha256(bytes) } });
  ghost.destroy();
});

t.test('stopping and starting again resumes a session where it was, with the right digests', async (t) => {
  const bytes = patternBytes(5 * MiB + 99, 12);
  const own = await Product.start();
  const created = await own.fetch('/v1/documents', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  const { uploadId } = (await created.json()) as Json;
  const put = (from: number, to: number, at: Product) =>
    at.fetch(`/v1/uploads/${uploadId}/bytes`, {
      method: 'PUT',
      body: bytes.subarray(from, to),
      headers: { 'upload-offset': String(from) },
    });
  await put(0, 3 * MiB + 17, own);
  t.equal(await own.stop(), 0, 'SIGTERM ends in order');
  const next = await Product.start({ data: own.data });
  t.teardown(() => next.destroy());
  t.equal((await put(3 * MiB + 17, bytes.length, next)).status, 204);
  const done = await next.fetch(`/v1/uploads/${uploadId}/finalize`, { method: 'POST' });
  t.match(await done.json(), { contentRef: { key: blobKey(bytes) }, digests: { sha256: sha256(bytes) } });
});

function requestHead(uploadId: unknown, size: number): string {
  return `PUT /v1/uploads/${uploadId}/bytes HTTP/1.1\r\nHost: x\r\n${product.keyLine}Upload-Offset: 0\r\nContent-Length: ${size}\r\n\r\n`;
}

async function sendAndVanish(uploadId: unknown, bytes: Uint8Array, declared: number): Promise<void> {
  const socket = connect(product.port, '127.0.0.1');
  socket.write(requestHead(uploadId, declared));
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  await sleep(200);
  socket.destroy();
}
