import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Json } from '../helpers/ask.ts';
import { blobKey, patternBytes, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';
import { type RawAnswer, RawClient } from '../helpers/raw-http.ts';

const product = await Product.start();
t.teardown(() => product.destroy());

/** What a client does with a chunked body: `wire` goes out after the head, in these pieces, and then it may stop. */
interface Sending {
  readonly title: string;
  readonly wire: readonly Buffer[];
  /** How the client leaves with its body not complete; it stays when absent. */
  readonly leaves?: 'half-close' | 'reset';
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const chunk = (bytes: Uint8Array, extension = '') =>
  Buffer.concat([latin1(`${bytes.byteLength.toString(16)}${extension}\r\n`), bytes, latin1('\r\n')]);
const LAST = latin1('0\r\n\r\n');

/** All break off behind bytes that are right, so that something could be stored; none holds what a request may store. */
function faulty(bytes: Buffer): readonly Sending[] {
  const half = bytes.byteLength >> 1;
  const [first, second] = [bytes.subarray(0, half), bytes.subarray(half)];
  const size = second.byteLength.toString(16);
  const behindFirst = (title: string, ...rest: (string | Buffer)[]): Sending => ({
    title,
    wire: [chunk(first), ...rest.map((part) => (typeof part === 'string' ? latin1(part) : part))],
  });
  return [
    behindFirst('a size that is no number', 'zz\r\n', second, '\r\n', LAST),
    behindFirst('a size with a blank behind it', `${size} \r\n`, second, '\r\n', LAST),
    behindFirst('a size with a sign', `+${size}\r\n`, second, '\r\n', LAST),
    behindFirst('a size beyond all files', 'fffffffffffffffff\r\n', second),
    behindFirst('an empty size', '\r\n', second, '\r\n', LAST),
    behindFirst('a size line that ends in a line feed alone', `${size}\n`, second, '\r\n', LAST),
    behindFirst('a chunk that is longer than its size', `${(second.byteLength - 1).toString(16)}\r\n`, second, '\r\n', LAST),
    behindFirst('a chunk that ends in a line feed alone', `${size}\r\n`, second, '\n', LAST),
    behindFirst('an extension that is none', `${size};a b\r\n`, second, '\r\n', LAST),
    behindFirst('a trailer without a colon', chunk(second), '0\r\nno trailer\r\n\r\n'),
    behindFirst('a trailer with a blank before its colon', chunk(second), '0\r\nA : b\r\n\r\n'),
    behindFirst('a last chunk whose empty line is cut short', chunk(second), '0\r\n\nX'),
  ];
}

function cut(bytes: Buffer): readonly Sending[] {
  const half = bytes.byteLength >> 1;
  const whole = Buffer.concat([chunk(bytes.subarray(0, half)), chunk(bytes.subarray(half))]);
  const places: readonly (readonly [title: string, wire: Buffer])[] = [
    ['within a chunk', whole.subarray(0, half + 1000)],
    ['before the last chunk', whole],
    ['within the last chunk', Buffer.concat([whole, latin1('0\r\n')])],
    ['within a trailer', Buffer.concat([whole, latin1('0\r\nA: b\r\n')])],
  ];
  return places.flatMap(([title, wire]) =>
    (['half-close', 'reset'] as const).map((leaves) => ({ title: `cut ${title}, ${leaves}`, wire: [wire], leaves })),
  );
}

function legal(bytes: Buffer): readonly Sending[] {
  const third = Math.floor(bytes.byteLength / 3);
  const parts = [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)] as const;
  const [one, two, three] = parts;
  const padded = latin1(`000${three.byteLength.toString(16).toUpperCase()}\r\n`);
  const everyByte = Buffer.concat([...bytes.subarray(0, 300)].map((byte) => chunk(Buffer.of(byte), ';a')));
  return [
    { title: 'plain chunks', wire: [...parts.map((part) => chunk(part)), LAST] },
    { title: 'extensions', wire: [chunk(one, ';a'), chunk(two, ';a=b;c=d'), chunk(three, ';a="x;\\"y"'), LAST] },
    { title: 'an extension of the last chunk', wire: [chunk(bytes), latin1('0;a=b\r\n\r\n')] },
    { title: 'trailers', wire: [chunk(bytes), latin1('0\r\nA: b\r\nContent-Length: 3\r\n\r\n')] },
    { title: 'a size with zeros and capitals', wire: [chunk(one), chunk(two), padded, three, latin1('\r\n'), LAST] },
    { title: 'chunks of a byte', wire: [everyByte, chunk(bytes.subarray(300)), LAST] },
    { title: 'size lines and ends cut anywhere', wire: parts.flatMap((part) => cutUp(chunk(part, ';a=b'))).concat(cutUp(LAST)) },
  ];
}

/** The first 20 bytes and the last 3 in packets of their own. */
function cutUp(wire: Buffer): Buffer[] {
  const middle = Math.max(0, wire.byteLength - 3);
  const single = (bytes: Buffer) => [...bytes].map((byte) => Buffer.of(byte));
  if (middle <= 20) return single(wire);
  return [...single(wire.subarray(0, 20)), wire.subarray(20, middle), ...single(wire.subarray(middle))];
}

/** The answer, if there was one before the connection ended. */
async function send(line: string, headers: string, { wire, leaves }: Sending): Promise<RawAnswer | undefined> {
  const client = await RawClient.connect(product.port);
  client.socket.setNoDelay(true);
  client.send(`${line} HTTP/1.1\r\nHost: x\r\n${product.keyLine}Transfer-Encoding: chunked\r\n${headers}\r\n`);
  for (const piece of wire) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (leaves === 'half-close') client.socket.end();
  // What was sent is to arrive before the reset, which overtakes it.
  else if (leaves === 'reset') await sleep(50).then(() => client.reset());
  const answer = await client.answer();
  client.destroy();
  return answer;
}

async function json(path: string, init?: RequestInit): Promise<Json> {
  return (await (await product.fetch(path, init)).json()) as Json;
}

const jsonBody = (body: unknown): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

async function documentCount(): Promise<number> {
  return ((await json('/v1/documents?limit=200')).items as Json[]).length;
}

async function contentOf(documentId: unknown): Promise<Buffer> {
  return Buffer.from(await (await product.fetch(`/v1/documents/${documentId}/content`)).arrayBuffer());
}

async function openSession(): Promise<string> {
  return (await json('/v1/documents', jsonBody({ filename: `${randomUUID()}.bin` }))).uploadId as string;
}

/** Sends what the session does not have, as a client does; returns where that began. */
async function resume(uploadId: string, bytes: Buffer): Promise<number> {
  for (;;) {
    const head = await product.fetch(`/v1/uploads/${uploadId}`, { method: 'HEAD' });
    const offset = Number(head.headers.get('upload-offset'));
    const rest = { method: 'PUT', body: bytes.subarray(offset), headers: { 'upload-offset': String(offset) } };
    const { status } = await product.fetch(`/v1/uploads/${uploadId}/bytes`, rest);
    if (status === 204) return offset;
    // What came of the request before is being made durable.
    if (status !== 409) throw new Error(`upload-offset ${offset} was answered ${status}`);
    await sleep(20);
  }
}

/** Until the server has noticed that the client left, its requests are under way. */
async function untilIdle(): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    const metrics = await (await product.fetch('/metrics')).text();
    if (/^quasar_http_requests_active 1$/m.test(metrics)) return;
  }
}

function expectRefused(t: Test, answer: RawAnswer | undefined, { title, leaves }: Sending): void {
  if (leaves !== undefined) t.equal(answer, undefined, `${title}: nobody is told that it was stored`);
  else t.match([answer?.status, answer && JSON.parse(answer.body.toString()).code], [400, 'bad_request'], title);
}

const seeds = (function* () {
  for (let seed = 1; ; seed++) yield seed;
})();
/** Bytes that no other body here has. */
const fresh = (size = 150_000) => patternBytes(size, seeds.next().value);

/** Neither of all bytes nor of those that came before the fault. */
async function expectNoBlobs(t: Test, bytes: Buffer): Promise<void> {
  for (const part of [bytes, bytes.subarray(0, bytes.byteLength >> 1)]) {
    t.equal((await product.fetch(`/v1/blobs/${blobKey(part)}`)).status, 404, 'no blob');
  }
}

t.test('a one-shot upload whose chunks are wrong or cut stores nothing', async (t) => {
  const before = await documentCount();
  const bytes = fresh();
  for (const sending of [...faulty(bytes), ...cut(bytes)]) {
    expectRefused(t, await send('POST /v1/documents', '', sending), sending);
  }
  await untilIdle();
  t.equal(await documentCount(), before);
  await expectNoBlobs(t, bytes);
});

t.test('a further version whose chunks are wrong or cut is none, and the content stays', async (t) => {
  const first = fresh(1000);
  const { documentId } = await json('/v1/documents', { method: 'POST', body: first });
  const bytes = fresh();
  for (const sending of [...faulty(bytes), ...cut(bytes)]) {
    expectRefused(t, await send(`PUT /v1/documents/${documentId}/content`, 'If-Match: *\r\n', sending), sending);
  }
  await untilIdle();
  t.equal(((await json(`/v1/documents/${documentId}/versions`)).items as Json[]).length, 1);
  t.ok((await contentOf(documentId)).equals(first));
  await expectNoBlobs(t, bytes);
});

t.test('a session promises nothing of a body whose chunks are wrong, and what came of one that was cut', async (t) => {
  const count = [...faulty(fresh()), ...cut(fresh())].length;
  for (let at = 0; at < count; at++) {
    // Of its own, since what is stored already would be taken for granted.
    const bytes = fresh();
    const sending = [...faulty(bytes), ...cut(bytes)][at] as Sending;
    const uploadId = await openSession();
    expectRefused(t, await send(`PUT /v1/uploads/${uploadId}/bytes`, 'Upload-Offset: 0\r\n', sending), sending);
    const offset = await resume(uploadId, bytes);
    if (sending.leaves === undefined) t.equal(offset, 0, `${sending.title}: nothing counts`);
    // What the server has not read yet is lost with a reset.
    if (sending.leaves === 'half-close') t.ok(offset > 0, `${sending.title}: what came counts (${offset})`);
    const version = await json(`/v1/uploads/${uploadId}/finalize`, jsonBody({}));
    t.match(version, { size: bytes.byteLength, digests: { sha256: sha256(bytes) } }, `${sending.title}: and is right`);
    t.ok((await contentOf(version.documentId)).equals(bytes), sending.title);
  }
});

t.test('a session is not finalised, and none begun, by JSON in chunks that are wrong or cut', async (t) => {
  const bytes = fresh(2000);
  const uploadId = await openSession();
  await product.fetch(`/v1/uploads/${uploadId}/bytes`, { method: 'PUT', body: bytes, headers: { 'upload-offset': '0' } });
  const before = await documentCount();
  const type = 'Content-Type: application/json\r\n';
  // White space, so that the part before the fault is as good JSON as the whole.
  const body = latin1(`{"reason":"x"}${' '.repeat(3000)}`);
  for (const sending of [...faulty(body), ...cut(body)]) {
    expectRefused(t, await send(`POST /v1/uploads/${uploadId}/finalize`, type, sending), sending);
    expectRefused(t, await send('POST /v1/documents', type, sending), sending);
  }
  await untilIdle();
  t.equal(await documentCount(), before);
  t.match(await json(`/v1/uploads/${uploadId}`), { state: 'open' });
  const done = await send(`POST /v1/uploads/${uploadId}/finalize`, type, legal(body)[1] as Sending);
  t.equal(done?.status, 201);
  t.match(JSON.parse(done?.body.toString() ?? ''), { reason: 'x', digests: { sha256: sha256(bytes) } });
});

t.test('legal chunks of every kind are stored byte for byte, by every way in', async (t) => {
  const { documentId } = await json('/v1/documents', { method: 'POST', body: fresh(1000) });
  for (const at of legal(fresh()).keys()) {
    const [posted, put, appended] = [fresh(), fresh(), fresh()];
    const one = await send('POST /v1/documents', '', legal(posted)[at] as Sending);
    const { title } = legal(posted)[at] as Sending;
    t.equal(one?.status, 201, title);
    t.ok((await contentOf(JSON.parse(one?.body.toString() ?? '').documentId)).equals(posted), `${title}: POST`);
    const two = await send(`PUT /v1/documents/${documentId}/content`, 'If-Match: *\r\n', legal(put)[at] as Sending);
    t.equal(two?.status, 201, title);
    t.ok((await contentOf(documentId)).equals(put), `${title}: PUT`);
    const uploadId = await openSession();
    const three = await send(`PUT /v1/uploads/${uploadId}/bytes`, 'Upload-Offset: 0\r\n', legal(appended)[at] as Sending);
    t.equal(three?.headers.get('upload-offset'), String(appended.byteLength), title);
    const version = await json(`/v1/uploads/${uploadId}/finalize`, jsonBody({}));
    t.ok((await contentOf(version.documentId)).equals(appended), `${title}: session`);
  }
});

t.test("Python's http.client, which reads when it has sent 20 MB, gets every refusal", async (t) => {
  const bytes = fresh(10);
  const uploadId = await openSession();
  const { uploadId: small } = await json('/v1/documents', jsonBody({ size: bytes.byteLength }));
  const asked: readonly (readonly [status: number, method: string, path: string, headers: Record<string, string>])[] = [
    [401, 'POST', '/v1/documents', { Authorization: 'Bearer nonsense' }],
    [404, 'PUT', `/v1/documents/${randomUUID()}/content`, { 'If-Match': '*' }],
    [409, 'PUT', `/v1/uploads/${uploadId}/bytes`, { 'Upload-Offset': '5' }],
    [413, 'PUT', `/v1/uploads/${small}/bytes`, { 'Upload-Offset': '0' }],
    [413, 'POST', `/v1/uploads/${uploadId}/finalize`, { 'Content-Type': 'application/json' }],
    [415, 'POST', `/v1/uploads/${uploadId}/finalize`, { 'Content-Type': 'text/plain' }],
  ];
  for (const [status, method, path, headers] of asked) {
    const all = { Authorization: `Bearer ${product.key}`, ...headers };
    const python = spawn('python3', ['-c', SEND_20_MB, String(product.port), method, path, JSON.stringify(all)]);
    const [told, complaints] = await Promise.all([text(python.stdout), text(python.stderr)]);
    t.equal(told.trim().split(' ')[0], String(status), `${method} ${path}: ${told} ${complaints}`);
  }
});

const SEND_20_MB = `
import http.client, json, sys
port, method, path, headers = sys.argv[1:]
client = http.client.HTTPConnection('127.0.0.1', int(port), timeout=60)
client.request(method, path, body=bytes(20_000_000), headers=json.loads(headers))
answer = client.getresponse()
print(answer.status, answer.read().decode())
`;
