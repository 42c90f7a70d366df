import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { type ClientOptions, HttpClient, parseAddress } from '../../../src/cli/http-client.ts';
import { QuasarError } from '../../../src/core/errors.ts';

async function clientOf(
  test: { teardown(close: () => Promise<void>): void },
  listener: RequestListener,
  options: Partial<ClientOptions> = {},
): Promise<HttpClient> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { signal = new AbortController().signal, ...others } = options;
  const client = await HttpClient.open(parseAddress(`http://127.0.0.1:${port}/`), { signal, ...others });
  test.teardown(async () => {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return client;
}

const get = { method: 'GET', path: '/v1/x' };

t.test('problems become the errors they stand for, with what helps to go on', async (t) => {
  const client = await clientOf(t, (_, response) => {
    response.writeHead(409, { 'content-type': 'application/problem+json', 'upload-offset': '77', 'retry-after': '3' });
    response.end(
      JSON.stringify({ title: 'T', detail: 'D.', code: 'upload_offset_mismatch', requestId: 'r', details: { expected: 77 } }),
    );
  });
  await t.rejects(client.json(get), {
    code: 'upload_offset_mismatch',
    message: 'D.',
    details: { status: 409, uploadOffset: 77, retryAfterMs: 3000, requestId: 'r', expected: 77 },
  });
});

t.test('answers that are no problems of ours are told by their status', async (t) => {
  let status = 502;
  const client = await clientOf(t, (_, response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>proxy</h1>'),
  );
  for (const [sent, code] of [
    [502, 'server_unreachable'],
    [404, 'document_not_found'],
    [418, 'bad_request'],
    [500, 'unexpected_answer'],
    [507, 'storage_full'],
    [200, 'unexpected_answer'],
  ] as const) {
    status = sent;
    await t.rejects(client.json(get), { code }, String(sent));
  }
});

t.test('a code of a newer server falls back to its status, its sentence stays', async (t) => {
  const client = await clientOf(t, (_, response) =>
    response.writeHead(410).end('{"code":"sealed_away","detail":"It is sealed."}'),
  );
  await t.rejects(client.json(get), { code: 'upload_expired', message: 'It is sealed.' });
});

t.test('a server that falls silent is given up', async (t) => {
  const client = await clientOf(t, () => undefined, { silenceMs: 30 });
  await t.rejects(client.json(get), { code: 'server_unreachable', message: /nothing moved for 0\.03 s/ });
});

t.test('an answer before the end of the body ends the sending, and its source is let go', async (t) => {
  const client = await clientOf(t, (_, response) => response.writeHead(413).end('{"code":"upload_too_large"}'));
  let asked = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(65_536);
      }
    } finally {
      closed = true;
    }
  }
  await t.rejects(client.json({ method: 'PUT', path: '/', body: { size: undefined, chunks: endless() } }), {
    code: 'upload_too_large',
  });
  t.ok(asked > 0);
  t.ok(closed, 'before the failure is told');
});

t.test('what the source throws is told as it is', async (t) => {
  const client = await clientOf(t, (request) => request.resume());
  const failure = new QuasarError('file_changed', { op: 'test' });
  async function* failing() {
    yield Buffer.alloc(10);
    throw failure;
  }
  await t.rejects(client.json({ method: 'PUT', path: '/', body: { size: 20, chunks: failing() } }), failure);
});

t.test('a stop ends a request that waits, with its reason', async (t) => {
  const stop = new AbortController();
  const reason = new QuasarError('cancelled', { op: 'test', message: 'Interrupted.' });
  const client = await clientOf(t, () => stop.abort(reason), { signal: stop.signal });
  await t.rejects(client.json(get), reason);
  await t.rejects(client.json(get), reason, 'and every later one');
});
