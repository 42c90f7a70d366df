import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { call, callJson, metricOf } from '../helpers/drill-http.ts';
import { Product } from '../helpers/product.ts';
import { RawClient } from '../helpers/raw-http.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MiB = 1024 * 1024;
/** The default of uploads.inFlightMax. */
const IN_FLIGHT_MAX = 100;
/** With the slab and its cache full; more is a leak. */
const MEMORY_MAX = 400 * MiB;

const config = writeConfig(join(temporaryFolder(t), 'config'), {
  'quasar.conf': ['uploads.progressWindow = 2s', 'uploads.progressBytesMin = 32B', 'downloads.stallTime = 1s'],
});
const product = await Product.start({ config });
t.teardown(() => product.destroy());

async function createSession(size: number): Promise<string> {
  return (await callJson(product, 'POST', '/v1/documents', { size })).json.uploadId as string;
}

function putHead(uploadId: string, size: number): string {
  return `PUT /v1/uploads/${uploadId}/bytes HTTP/1.1\r\nHost: x\r\n${product.keyLine}Upload-Offset: 0\r\nContent-Length: ${size}\r\n\r\n`;
}

function postHead(size: number, to = product): string {
  return `POST /v1/documents HTTP/1.1\r\nHost: x\r\n${to.keyLine}Content-Length: ${size}\r\n\r\n`;
}

async function offsetOf(uploadId: string): Promise<number> {
  return Number((await call(product, { method: 'HEAD', path: `/v1/uploads/${uploadId}` })).headers['upload-offset']);
}

/** An upload is in flight, and what was sent for it has left the socket. */
async function untilReceived(): Promise<void> {
  await untilMetric('quasar_uploads_active', (count) => count === 1);
  await sleep(100);
}

async function untilMetric(name: string, accept: (value: number) => boolean, of = product): Promise<void> {
  while (!accept(await metricOf(of, name))) await sleep(20);
}

/** No upload in flight, and no slot of memory with one. */
async function untilQuiet(t: Test, of = product): Promise<void> {
  await untilMetric('quasar_uploads_active', (count) => count === 0, of);
  await untilMetric('quasar_slab_slots_uploading', (count) => count === 0, of);
  t.pass('uploads and their memory are given back');
}

async function documentCount(): Promise<number> {
  return ((await call(product, { path: '/v1/documents?limit=1000' })).json.items as unknown[]).length;
}

async function resume(t: Test, uploadId: string, bytes: Buffer, offset: number): Promise<void> {
  const headers = { 'upload-offset': String(offset) };
  const path = `/v1/uploads/${uploadId}`;
  const put = await call(product, { method: 'PUT', path: `${path}/bytes`, headers, body: bytes.subarray(offset) });
  t.equal(put.status, 204);
  const done = await callJson(product, 'POST', `${path}/finalize`, {});
  t.match(done.json, { digests: { sha256: sha256(bytes) } }, 'the rest makes it whole');
}

for (const { what, leave } of [
  { what: 'vanishes with a FIN', leave: (socket: Socket) => socket.destroy() },
  { what: 'vanishes with a RST', leave: (socket: Socket) => socket.resetAndDestroy() },
  { what: 'closes its half', leave: (socket: Socket) => socket.end() },
]) {
  t.test(`a client that ${what} mid-body keeps what it sent to a session`, async (t) => {
    const bytes = patternBytes(2 * MiB, what.length);
    const uploadId = await createSession(bytes.length);
    const client = await RawClient.connect(product.port);
    const sent = MiB + 4321;
    client.send(putHead(uploadId, bytes.length));
    client.send(bytes.subarray(0, sent));
    await untilReceived();
    leave(client.socket);
    await untilQuiet(t);
    t.equal(await offsetOf(uploadId), sent);
    await resume(t, uploadId, bytes, sent);
    client.destroy();
  });

  t.test(`a client that ${what} mid-body of a one-shot leaves nothing visible`, async (t) => {
    const before = await documentCount();
    for (const size of [1000, 3 * MiB]) {
      const client = await RawClient.connect(product.port);
      client.send(postHead(size));
      client.send(patternBytes(size - 10, 77));
      await untilMetric('quasar_uploads_active', (count) => count === 1);
      leave(client.socket);
      await untilQuiet(t);
      client.destroy();
    }
    t.equal(await documentCount(), before);
  });
}

t.test('a client that stalls is cut with a reason, and what it sent is kept', async (t) => {
  const bytes = patternBytes(2 * MiB, 31);
  const uploadId = await createSession(bytes.length);
  const client = await RawClient.connect(product.port);
  client.send(putHead(uploadId, bytes.length));
  client.send(bytes.subarray(0, MiB + 7));
  const answer = await client.answer();
  t.equal(answer?.status, 408);
  t.match(JSON.parse(answer?.body.toString() ?? '{}'), { code: 'upload_stalled' });
  await client.untilClosed();
  await untilQuiet(t);
  t.equal(await offsetOf(uploadId), MiB + 7);
  await resume(t, uploadId, bytes, MiB + 7);
});

t.test('one byte at a time is an upload like any other', async (t) => {
  const bytes = patternBytes(400, 32);
  const client = await RawClient.connect(product.port);
  client.socket.setNoDelay(true);
  const head = Buffer.from(postHead(bytes.length));
  const afterRequestLine = head.indexOf('\n') + 1;
  client.send(head.subarray(0, afterRequestLine));
  for (const byte of Buffer.concat([head.subarray(afterRequestLine), bytes])) {
    client.socket.write(Uint8Array.of(byte));
    await sleep(1);
  }
  const answer = await client.answer();
  t.equal(answer?.status, 201);
  t.match(JSON.parse(answer?.body.toString() ?? '{}'), { digests: { sha256: sha256(bytes) } });
  client.destroy();
});

t.test('a client that closes its half behind a whole request is stored whole or not at all', async (t) => {
  const before = await documentCount();
  const bytes = patternBytes(50_000, 33);
  const client = await RawClient.connect(product.port);
  client.send(postHead(bytes.length));
  client.send(bytes);
  client.socket.end();
  const answer = await client.answer();
  await untilQuiet(t);
  const after = await documentCount();
  if (answer !== undefined) t.equal(after, before + 1, 'what was answered is there');
  t.ok(after - before <= 1);
});

t.test('a reader that takes nothing is cut and gives its memory back, while others read on', async (t) => {
  const bytes = patternBytes(40 * MiB, 34);
  const stored = await call(product, { method: 'POST', path: '/v1/documents', body: bytes });
  const path = `/v1/documents/${stored.json.documentId}/content`;
  const cut: Promise<void>[] = [];
  for (let reader = 0; reader < 20; reader++) {
    const socket = connect(product.port, '127.0.0.1');
    socket.on('error', (error) => t.comment(error.message));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${product.keyLine}\r\n`);
    socket.once('data', () => socket.pause());
    cut.push(
      new Promise((resolve) => {
        let size = 0;
        socket.once('close', () => {
          t.ok(size < bytes.length, 'the answer never looks complete');
          resolve();
        });
        socket.on('data', (data) => {
          size += data.length;
        });
        // A paused socket does not hear that it was cut: look at it once the others are through.
        untilMetric('quasar_http_requests_active', (count) => count === 1).then(() => socket.resume(), t.threw);
      }),
    );
  }
  const read = await call(product, { path });
  t.equal(sha256(read.body), sha256(bytes), 'a good reader gets everything meanwhile');
  await Promise.all(cut);
  const slots = await metricOf(product, 'quasar_slab_slots');
  const cached = await metricOf(product, 'quasar_cache_blocks');
  t.equal((await metricOf(product, 'quasar_slab_slots_free')) + cached, slots, 'no slot is left with anyone');
});

t.test('connections that say nothing are in nobody’s way', async (t) => {
  const idle = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(product.port)));
  for (let request = 0; request < 20; request++) {
    t.equal((await call(product, { method: 'POST', path: '/v1/documents', body: `beside ${request}` })).status, 201);
  }
  t.equal((await call(product, { path: '/v1/health' })).status, 200);
  for (const client of idle) client.destroy();
});

t.test('uploads beyond the bound are told to come back, all others succeed, and memory stays bounded', async (t) => {
  // With the patience of the default: on a busy machine the first ones wait longer than the others' two seconds.
  const patient = await Product.start({ config: writeConfig(join(temporaryFolder(t), 'config'), {}) });
  t.teardown(() => patient.destroy());
  const size = 3 * MiB;
  const clients: { client: RawClient; bytes: Buffer }[] = [];
  for (let index = 0; index < IN_FLIGHT_MAX; index++) {
    const client = await RawClient.connect(patient.port);
    const bytes = patternBytes(size, 1000 + index);
    client.send(postHead(size, patient));
    client.send(bytes.subarray(0, size - 5000));
    clients.push({ client, bytes });
  }
  await untilMetric('quasar_uploads_active', (count) => count === IN_FLIGHT_MAX, patient);
  for (let surplus = 0; surplus < 30; surplus++) {
    const answer = await call(patient, { method: 'POST', path: '/v1/documents', body: 'one too many' });
    t.match([answer.status, answer.code], [503, 'too_many_uploads']);
    t.match(answer.headers['retry-after'], /^[1-9]\d*$/);
  }
  const memory = memoryOf(patient.pid);
  t.ok(memory < MEMORY_MAX, `${Math.round(memory / MiB)} MiB`);
  for (const { client, bytes } of clients) client.send(bytes.subarray(size - 5000));
  for (const { client, bytes } of clients) {
    const answer = await client.answer();
    t.match([answer?.status, JSON.parse(answer?.body.toString() ?? '{}').digests?.sha256], [201, sha256(bytes)]);
    client.destroy();
  }
  await untilQuiet(t, patient);
});

t.test('the same bytes uploaded by two clients at once are stored once', async (t) => {
  const bytes = patternBytes(24 * MiB, 35);
  const before = await metricOf(product, 'quasar_writer_bytes_total');
  const upload = () => call(product, { method: 'POST', path: '/v1/documents', body: bytes });
  const answers = await Promise.all([upload(), upload()]);
  for (const answer of answers) t.match(answer.json, { digests: { sha256: sha256(bytes) } });
  t.not(answers[0].json.documentId, answers[1].json.documentId, 'as two documents');
  const written = (await metricOf(product, 'quasar_writer_bytes_total')) - before;
  t.ok(written < bytes.length + MiB, `${written} bytes written for ${bytes.length}`);
});

/** RssAnon and RssShmem: what the process holds, without files it has mapped. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1]);
  return (kib('RssAnon') + kib('RssShmem')) * 1024;
}
