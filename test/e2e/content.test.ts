import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import t from 'tap';
import { blobKey, patternBytes, reprDigest } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';

const MiB = 1024 * 1024;
const product = await Product.start();
t.teardown(() => product.destroy());

const bytes = patternBytes(3 * MiB + 1000, 21);
const posted = await product.fetch('/v1/documents?filename=a.pdf', {
  method: 'POST',
  body: bytes,
  headers: { 'content-type': 'application/pdf' },
});
const { documentId, versionId } = (await posted.json()) as { documentId: string; versionId: string };
const path = `/v1/documents/${documentId}/content`;
const etag = `"b3-${blobKey(bytes).slice(3)}"`;

async function get(headers: Record<string, string> = {}, method = 'GET') {
  const response = await product.fetch(path, { method, headers });
  return { response, status: response.status, body: Buffer.from(await response.arrayBuffer()), headers: response.headers };
}

t.test('GET and HEAD carry validator, digest, length and type', async (t) => {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = await get({}, method);
    t.equal(status, 200);
    t.match(Object.fromEntries(headers), {
      etag,
      'repr-digest': reprDigest(bytes),
      'accept-ranges': 'bytes',
      'content-length': String(bytes.length),
      'content-type': 'application/pdf',
      'x-content-type-options': 'nosniff',
    });
    t.equal(body.length, method === 'GET' ? bytes.length : 0);
  }
});

t.test('every kind of single range gives exactly its bytes, across blocks too', async (t) => {
  const last = bytes.length - 1;
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=0-', 0, bytes.length],
    [`bytes=${MiB - 1}-${MiB}`, MiB - 1, MiB + 1],
    [`bytes=100-${2 * MiB + 5}`, 100, 2 * MiB + 6],
    ['bytes=-1000', bytes.length - 1000, bytes.length],
    ['bytes=-99999999', 0, bytes.length],
    [`bytes=${last}-`, last, bytes.length],
    [`bytes=5-99999999999`, 5, bytes.length],
  ] as const) {
    const { status, body, headers } = await get({ range });
    t.equal(status, 206, range);
    t.equal(headers.get('content-range'), `bytes ${start}-${end - 1}/${bytes.length}`);
    t.ok(body.equals(bytes.subarray(start, end)), range);
  }
});

t.test('random ranges equal the slices, cold and from the cache', async (t) => {
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 40; index++) {
      const start = (index * 7919 * 613) % bytes.length;
      const end = Math.min(bytes.length, start + 1 + ((index * 104_729) % (index % 2 === 0 ? 65_536 : 2 * MiB)));
      const { body } = await get({ range: `bytes=${start}-${end - 1}` });
      t.ok(body.equals(bytes.subarray(start, end)), `${start}-${end}`);
    }
  }
});

t.test('several ranges come as multipart/byteranges with a length known beforehand', async (t) => {
  const { status, headers, body } = await get({ range: `bytes=0-9, ${MiB - 5}-${MiB + 5}, -3` });
  t.equal(status, 206);
  t.equal(headers.get('content-length'), String(body.length));
  const boundary = /boundary=(\w+)/.exec(headers.get('content-type') ?? '')?.[1] as string;
  const parts = body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  const contents = parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2));
  t.strictSame(contents, [
    bytes.subarray(0, 10).toString('latin1'),
    bytes.subarray(MiB - 5, MiB + 6).toString('latin1'),
    bytes.subarray(-3).toString('latin1'),
  ]);
});

t.test('ranges that overlap are merged; too many, or none that exists, are 416 with the size', async (t) => {
  const merged = await get({ range: 'bytes=0-99, 50-149' });
  t.equal(merged.headers.get('content-range'), `bytes 0-149/${bytes.length}`);
  const many = Array.from({ length: 10_000 }, (_, index) => `${index * 2}-${index * 2}`).join(',');
  for (const range of [`bytes=${bytes.length}-`, 'bytes=-0', `bytes=${many.slice(0, 3000).replace(/,[^,]*$/, '')}`]) {
    const { status, headers } = await get({ range });
    t.equal(status, 416, range.slice(0, 40));
    t.equal(headers.get('content-range'), `bytes */${bytes.length}`);
  }
});

t.test('ranges that make no sense are ignored', async (t) => {
  for (const range of ['bytes=9-5', 'bytes=a-b', 'lines=1-2', 'bytes', 'bytes='])
    t.equal((await get({ range })).status, 200, range);
});

t.test('conditions: If-None-Match 304, If-Match 412, If-Range keeps or drops the range', async (t) => {
  t.equal((await get({ 'if-none-match': etag })).status, 304);
  t.equal((await get({ 'if-none-match': `"x", W/${etag}` })).status, 304);
  t.equal((await get({ 'if-none-match': '"x"' })).status, 200);
  t.equal((await get({ 'if-match': '"x"' })).status, 412);
  t.equal((await get({ 'if-match': `"x", ${etag}` })).status, 200);
  t.equal((await get({ range: 'bytes=0-1', 'if-range': etag })).status, 206);
  t.equal((await get({ range: 'bytes=0-1', 'if-range': '"x"' })).status, 200);
  t.equal((await get({ range: 'bytes=0-1', 'if-range': `W/${etag}` })).status, 200);
});

t.test('content is asked for again each time, also by version or blob key, since access may change', async (t) => {
  for (const url of [path, `${path}?version=${versionId}`, `/v1/blobs/${blobKey(bytes)}`]) {
    for (const init of [{ method: 'HEAD' }, {}, { headers: { 'if-none-match': etag } }, { headers: { range: 'bytes=0-1' } }]) {
      const response = await product.fetch(url, init);
      await response.arrayBuffer();
      t.equal(response.headers.get('cache-control'), 'private, no-cache', url);
      t.equal(response.headers.get('vary'), 'Authorization', url);
    }
  }
});

t.test('HEAD ignores Range, and tells of all bytes', async (t) => {
  for (const range of ['bytes=0-1', 'bytes=0-1, 5-6', `bytes=${bytes.length}-`]) {
    for (const url of [path, `/v1/blobs/${blobKey(bytes)}`]) {
      const { status, headers } = await product.fetch(url, { method: 'HEAD', headers: { range, 'if-range': etag } });
      t.equal(status, 200, range);
      t.equal(headers.get('content-length'), String(bytes.length));
      t.equal(headers.get('content-range'), null);
    }
  }
});

t.test('a slow reader gets every byte, and others are served meanwhile', async (t) => {
  const socket = connect(product.port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${product.keyLine}Connection: close\r\n\r\n`);
  let delay = 0;
  for await (const chunk of socket) {
    parts.push(chunk as Buffer);
    if (delay++ % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (delay === 3) t.equal((await get({ range: 'bytes=0-9' })).body.length, 10);
  }
  const answer = Buffer.concat(parts);
  t.ok(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(bytes));
});

t.test('what does not exist is 404, with a problem', async (t) => {
  for (const url of [
    `/v1/documents/${randomUUID()}/content`,
    `${path}?version=${randomUUID()}`,
    `/v1/blobs/${blobKey(Buffer.from('none'))}`,
  ]) {
    const response = await product.fetch(url);
    t.equal(response.status, 404, url);
    t.equal(response.headers.get('content-type'), 'application/problem+json');
    t.match(await response.json(), { type: /^urn:quasar:error:/, status: 404, requestId: response.headers.get('x-request-id') });
  }
});

t.test('health, readiness and metrics answer', async (t) => {
  t.match(await (await product.fetch('/v1/health')).json(), { status: 'ok' });
  const ready = await (await product.fetch('/v1/ready')).json();
  t.match(ready, {
    status: 'ready',
    dependencies: { db: { ok: true }, graviton: { ok: true }, disk: { ok: true }, memory: { ok: true } },
  });
  const metrics = await (await product.fetch('/metrics')).text();
  for (const name of [
    'quasar_http_requests_total',
    'quasar_slab_slots_free',
    'quasar_writer_bytes_total',
    'quasar_cache_hits_total',
  ]) {
    t.match(metrics, new RegExp(`^${name}`, 'm'));
  }
});
