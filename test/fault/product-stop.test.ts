import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { call, callJson, type DrillServer, metricOf } from '../helpers/drill-http.ts';
import { isAlive, Product } from '../helpers/product.ts';
import { RawClient } from '../helpers/raw-http.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MiB = 1024 * 1024;

async function untilUploading(server: DrillServer, count: number): Promise<void> {
  while ((await metricOf(server, 'quasar_uploads_active')) < count) await sleep(5);
}

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy());
    socket.on('close', (failed) => resolve(failed));
    socket.on('error', (error) => {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
    });
  });
}

t.test('SIGTERM lets running uploads finish, takes no new ones, and ends with exit code 0', async (t) => {
  const product = await Product.start();
  t.teardown(() => product.destroy());
  const bytes = patternBytes(3 * MiB, 21);
  const client = await RawClient.connect(product.port);
  client.send(`POST /v1/documents HTTP/1.1\r\nHost: x\r\n${product.keyLine}Content-Length: ${bytes.length}\r\n\r\n`);
  client.send(bytes.subarray(0, MiB));
  await untilUploading(product, 1);
  const idle = await RawClient.connect(product.port);

  const stopped = product.stop();
  while (!(await refusesConnections(product.port))) await sleep(5);
  idle.send(`POST /v1/documents HTTP/1.1\r\nHost: x\r\n${product.keyLine}Content-Length: 3\r\n\r\nnew`);
  const late = await idle.answer();
  t.ok(late === undefined || late.status === 503, 'a connection from before gets no new upload in');
  if (late !== undefined) t.match(JSON.parse(late.body.toString()), { code: 'draining' });

  client.send(bytes.subarray(MiB));
  const answer = await client.answer();
  t.equal(answer?.status, 201, 'the one that was running is acknowledged');
  t.equal(await stopped, 0);
  t.match(product.output, /draining: no new uploads/);

  const again = await Product.start({ data: product.data });
  const { documentId } = JSON.parse(answer?.body.toString() ?? '{}');
  const read = await call(again, { path: `/v1/documents/${documentId}/content` });
  t.equal(sha256(read.body), sha256(bytes));
  t.equal(((await call(again, { path: '/v1/documents' })).json.items as unknown[]).length, 1, 'and nothing else was made');
  const databasePid = await again.databasePid();
  t.equal(await again.stop('SIGINT'), 0, 'Ctrl-C is the same');
  t.notOk(isAlive(databasePid), 'the database ends with it');
});

t.test('a client that never finishes is cut at the drain limit; what it sent is resumed by the next run', async (t) => {
  const config = writeConfig(join(temporaryFolder(t), 'config'), { 'quasar.conf': ['shutdown.drainTime = 300ms'] });
  const product = await Product.start({ config });
  t.teardown(() => product.destroy());
  const bytes = patternBytes(2 * MiB, 22);
  const created = await callJson(product, 'POST', '/v1/documents', { size: bytes.length });
  const uploadId = created.json.uploadId as string;
  const client = await RawClient.connect(product.port);
  const sent = MiB + 12_345;
  client.send(
    `PUT /v1/uploads/${uploadId}/bytes HTTP/1.1\r\nHost: x\r\n${product.keyLine}Upload-Offset: 0\r\nContent-Length: ${bytes.length}\r\n\r\n`,
  );
  client.send(bytes.subarray(0, sent));
  await untilUploading(product, 1);
  await sleep(100);
  t.equal(await product.stop(), 0);
  t.match(product.output, /the drain limit is reached/);
  t.notMatch(product.output, /did not close in order/);
  await client.untilClosed();

  const again = await Product.start({ data: product.data, config });
  t.teardown(() => again.stop());
  const head = await call(again, { method: 'HEAD', path: `/v1/uploads/${uploadId}` });
  t.equal(head.headers['upload-offset'], String(sent), 'all that had arrived is durable');
  const headers = { 'upload-offset': String(sent) };
  const put = await call(again, {
    method: 'PUT',
    path: `/v1/uploads/${uploadId}/bytes`,
    headers,
    body: bytes.subarray(sent),
  });
  t.equal(put.status, 204);
  const done = await callJson(again, 'POST', `/v1/uploads/${uploadId}/finalize`, {});
  t.match(done.json, { digests: { sha256: sha256(bytes) } });
});
