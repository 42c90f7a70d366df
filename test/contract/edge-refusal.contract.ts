import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import type { Test } from 'tap';
import { QuasarError } from '../../src/core/errors.ts';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

const MiB = 1024 * 1024;

/** Early answers: whoever still sends gets them, and who asks first need not send at all. */
export function refusalContract(t: Test, open: OpenEdge): void {
  t.test('a client that reads only when it has sent everything gets an early answer', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      if (exchange.path === '/late') await new Promise((resolve) => setTimeout(resolve, 20));
      if (exchange.path === '/broken') {
        exchange.readBody({
          chunk: () => exchange.fail(new QuasarError('storage_full', { op: 'test' })),
          end: () => undefined,
          gone: () => undefined,
        });
        return;
      }
      exchange.reply(Number(exchange.query), [], 'refused');
    });
    t.teardown(() => edge.close());
    const body = Buffer.alloc(50 * MiB, 7);
    for (const [target, status, size] of [
      ['/a?401', 401, 10 * MiB],
      ['/a?413', 413, 50 * MiB],
      ['/late?409', 409, 10 * MiB],
      ['/late?415', 415, 50 * MiB],
      ['/broken', 507, 10 * MiB],
    ] as const) {
      const text = await sendThenRead(port, head('PUT', target, `Content-Length: ${size}\r\n`), body.subarray(0, size));
      t.match(text, new RegExp(`^HTTP/1.1 ${status} `), `${target} with ${size / MiB} MiB`);
    }
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MiB, 7), Buffer.from('\r\n')]);
    const chunks = Buffer.concat(Array.from({ length: 10 }, () => chunk));
    t.match(
      await sendThenRead(port, head('PUT', '/a?409', 'Transfer-Encoding: chunked\r\n'), chunks),
      /^HTTP\/1.1 409 /,
      'chunked',
    );
  });

  t.test('a head that is refused is answered to whoever still sends', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const heads = [
      head('PUT', '/a', 'A : b\r\nContent-Length: 10485760\r\n'),
      head('PUT', '/a', 'Content-Length: 10485760\r\nContent-Length: 10485760\r\n'),
      'PUT /a HTTP/1.1\nHost: x\n\n',
    ];
    for (const sent of heads) t.match(await sendThenRead(port, sent, Buffer.alloc(10 * MiB, 7)), /^HTTP\/1.1 400 /);
  });

  t.test('fetch and http.request get early answers', async (t) => {
    const { edge, port } = await openEchoEdge(open, (exchange) => exchange.reply(413, [], 'refused'));
    t.teardown(() => edge.close());
    const body = Buffer.alloc(20 * MiB, 7);
    for (let round = 0; round < 2; round++) {
      const answer = await fetch(`http://127.0.0.1:${port}/a`, { method: 'PUT', body });
      t.equal(`${answer.status} ${await answer.text()}`, '413 refused', 'fetch');
      const request = http.request({ port, host: '127.0.0.1', method: 'PUT', path: '/a', agent: false });
      request.on('error', () => undefined);
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      t.equal(response.statusCode, 413, 'http.request');
      response.resume();
      request.destroy();
    }
  });

  t.test('what is dropped is bounded in size and time', async (t) => {
    const { edge, port } = await openEchoEdge(open, (exchange) => exchange.reply(409, [], 'refused'), {
      lingerBytesMax: MiB,
      lingerMs: 500,
      lingerSilenceMs: 200,
    });
    t.teardown(() => edge.close());
    const slow = await RawClient.connect(port);
    slow.send(head('PUT', '/a', 'Content-Length: 1000000000\r\n'));
    t.equal((await slow.answer())?.status, 409);
    const timer = setInterval(() => slow.send('x'), 50);
    t.teardown(() => clearInterval(timer));
    const endless = await RawClient.connect(port);
    endless.send(head('PUT', '/a', 'Content-Length: 1000000000\r\n'));
    endless.send(Buffer.alloc(64 * MiB));
    await Promise.all([slow, endless].map((client) => once(client.socket, 'close').catch(() => undefined)));
    t.pass('both were cut');
  });

  t.test('who asks before sending is refused without being told to send', async (t) => {
    const { edge, port, handled } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (exchange.path === '/no') exchange.reply(409, [], 'refused');
      else exchange.reply(200, [], 'sent');
    });
    t.teardown(() => edge.close());
    const client = await RawClient.connect(port);
    t.teardown(() => client.destroy());
    client.send(head('PUT', '/no', 'Content-Length: 5\r\nExpect: 100-continue\r\n'));
    const answer = await client.answer();
    t.equal(answer?.status, 409, 'the first answer is the last');
    t.equal(answer?.headers.get('connection'), 'close', 'since nobody knows whether the body comes');
    await client.untilClosed();
    t.equal(handled.length, 1);
  });
}

/** Blocks on sending as a simple client does, and reads when all is sent, or cannot be. */
async function sendThenRead(port: number, head: string, body: Uint8Array): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(Buffer.from(head, 'latin1'));
  const sent = await new Promise<boolean>((resolve) => socket.write(body, (error) => resolve(!error)));
  if (!sent) return 'the connection broke while the body was sent';
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  socket.resume();
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return text;
}

function head(method: string, target: string, headers = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}
