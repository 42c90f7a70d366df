import { randomUUID } from 'node:crypto';
import t from 'tap';
import { blobKey, patternBytes, reprDigest, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';

const MiB = 1024 * 1024;
type Json = Record<string, unknown>;

const product = await Product.start();
t.teardown(() => product.destroy());

async function post(bytes: Uint8Array | string, headers: Record<string, string> = {}, path = '/v1/documents') {
  const response = await product.fetch(path, { method: 'POST', body: bytes, headers });
  return { response, body: (await response.json()) as Json };
}

async function contentOf(documentId: unknown, query = ''): Promise<Buffer> {
  const response = await product.fetch(`/v1/documents/${documentId}/content${query}`);
  return Buffer.from(await response.arrayBuffer());
}

t.test('a one-shot upload answers with the digests of the bytes and gives them back, at every size around a block', async (t) => {
  for (const size of [0, 1, 4095, 262_143, 262_144, MiB - 1, MiB, MiB + 1, 3 * MiB, 5 * MiB + 12_345]) {
    const bytes = patternBytes(size, size + 1);
    const { response, body } = await post(bytes, { 'content-type': 'application/pdf' });
    t.equal(response.status, 201, `${size} bytes are taken`);
    t.equal(response.headers.get('quasar-durability'), 'fsync;nodes=1');
    t.match(body, {
      size,
      contentRef: { kind: 'blob', key: blobKey(bytes) },
      digests: { sha256: sha256(bytes) },
      labels: ['CURRENT'],
    });
    t.ok((await contentOf(body.documentId)).equals(bytes), `${size} bytes come back`);
    const blob = await product.fetch(`/v1/blobs/${blobKey(bytes)}`);
    t.ok(Buffer.from(await blob.arrayBuffer()).equals(bytes), 'the blob has the same bytes');
  }
});

t.test('a chunked body of unknown size is taken', async (t) => {
  const bytes = patternBytes(2 * MiB + 77, 5);
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 100_000) controller.enqueue(bytes.subarray(at, at + 100_000));
      controller.close();
    },
  });
  const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': 'image/tiff' } };
  const response = await product.fetch('/v1/documents', init as RequestInit);
  t.equal(response.status, 201);
  t.match(await response.json(), { size: bytes.length, digests: { sha256: sha256(bytes) } });
});

t.test('the name comes from the query or Content-Disposition, the type from the first bytes when none was said', async (t) => {
  const pdf = Buffer.from('%PDF-1.7\nrest');
  const named = await post(
    pdf,
    { 'content-type': 'application/x-www-form-urlencoded' },
    '/v1/documents?filename=Akte%20%C3%84.pdf',
  );
  t.match(named.body, { filename: 'Akte Ä.pdf', contentType: 'application/pdf' });
  const disposed = await post(pdf, {
    'content-disposition': 'attachment; filename="scan.pdf"',
    'content-type': 'application/octet-stream',
  });
  t.match(disposed.body, { filename: 'scan.pdf', contentType: 'application/pdf' });
  const content = await product.fetch(`/v1/documents/${named.body.documentId}/content`);
  t.match(content.headers.get('content-disposition'), /filename\*=UTF-8''Akte%20%C3%84\.pdf/);
  t.equal(content.headers.get('x-content-type-options'), 'nosniff');
  t.equal(content.headers.get('repr-digest'), reprDigest(pdf));
});

t.test('a form is refused with what to type instead', async (t) => {
  const { response, body } = await post('--x\r\n', { 'content-type': 'multipart/form-data; boundary=x' });
  t.equal(response.status, 415);
  t.match(body, { code: 'unsupported_media_type', detail: /--data-binary/ });
});

t.test('an announced digest that differs is refused and nothing becomes visible', async (t) => {
  const bytes = patternBytes(3 * MiB, 9);
  const wrong = reprDigest(Buffer.from('other bytes'));
  for (const name of ['repr-digest', 'content-digest']) {
    const { response, body } = await post(bytes, { [name]: wrong });
    t.equal(response.status, 422, name);
    t.match(body, { code: 'digest_mismatch' });
  }
  t.equal((await product.fetch(`/v1/blobs/${blobKey(bytes)}`)).status, 404, 'the blob is not there');
  const right = await post(bytes, { 'repr-digest': reprDigest(bytes), 'content-digest': reprDigest(bytes) });
  t.equal(right.response.status, 201);
});

t.test('an idempotency key repeats the first answer, and refuses other arguments', async (t) => {
  const key = randomUUID();
  const first = await post('the same bytes', { 'idempotency-key': key });
  const again = await post('the same bytes', { 'idempotency-key': key });
  t.equal(first.response.status, 201);
  t.equal(again.response.status, 200);
  t.strictSame(again.body, first.body);
  const other = await post('other bytes', { 'idempotency-key': key });
  t.equal(other.response.status, 422);
  t.match(other.body, { code: 'idempotency_mismatch' });
});

t.test('concurrent requests with one idempotency key make one document', async (t) => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 8 }, () => post('many at once', { 'idempotency-key': key })));
  t.equal(new Set(answers.map(({ body }) => body.documentId)).size, 1);
  t.equal(answers.filter(({ response }) => response.status === 201).length, 1);
});

t.test('new content makes a version whose parent is the one before; old bytes stay readable', async (t) => {
  const { body: first } = await post('version one');
  const put = await product.fetch(`/v1/documents/${first.documentId}/content`, { method: 'PUT', body: 'version two' });
  const second = (await put.json()) as Json;
  t.equal(put.status, 201);
  t.match(second, { documentId: first.documentId, parents: [first.versionId], labels: ['CURRENT'] });
  t.equal((await contentOf(first.documentId)).toString(), 'version two');
  t.equal((await contentOf(first.documentId, `?version=${first.versionId}`)).toString(), 'version one');
  const versions = (await (await product.fetch(`/v1/documents/${first.documentId}/versions`)).json()) as { items: Json[] };
  t.strictSame(
    versions.items.map(({ versionId, labels }) => [versionId, labels]),
    [
      [second.versionId, ['CURRENT']],
      [first.versionId, []],
    ],
  );
});

t.test('new content of an unknown document is 404, before any byte is taken', async (t) => {
  const response = await product.fetch(`/v1/documents/${randomUUID()}/content`, { method: 'PUT', body: 'x' });
  t.equal(response.status, 404);
});

t.test('lists come in pages that together hold every document once, newest first', async (t) => {
  const all = (await (await product.fetch('/v1/documents?limit=1000')).json()) as { items: Json[]; nextCursor: null };
  t.equal(all.nextCursor, null);
  const seen: unknown[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = await product.fetch(`/v1/documents?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    const body = (await page.json()) as { items: Json[]; nextCursor: string | null };
    seen.push(...body.items.map(({ documentId }) => documentId));
    cursor = body.nextCursor;
  }
  t.strictSame(
    seen,
    all.items.map(({ documentId }) => documentId),
  );
});

t.test('a forged cursor, a bad limit and an unknown field are refused by name', async (t) => {
  for (const [path, parameter] of [
    ['/v1/documents?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'cursor'],
    ['/v1/documents?limit=0', 'limit'],
    ['/v1/documents?limit=1001', 'limit'],
    ['/v1/documents/not-a-uuid', 'documentId'],
    ['/v1/blobs/b3:xyz', 'key'],
  ] as const) {
    const response = await product.fetch(path);
    t.equal(response.status, 400, path);
    t.match(await response.json(), { code: 'bad_parameter', details: { parameter } });
  }
  const { response, body } = await post('{"filname":"x"}', { 'content-type': 'application/json' });
  t.equal(response.status, 400);
  t.match(body, { code: 'bad_body', detail: /filname/ });
});
