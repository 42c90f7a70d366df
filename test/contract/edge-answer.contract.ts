import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { QuasarError } from '../../src/core/errors.ts';
import type { Exchange } from '../../src/http/edge.ts';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

/** How answers leave: complete or visibly not, without a byte changed, whatever the client does meanwhile. */
export function answerContract(t: Test, open: OpenEdge): void {
  t.test('a small answer carries length and request id', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, (x) => x.reply(200, ['X-A', 'b'], 'hé'));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a', 'X-Request-Id: mine-1\r\n'));
    const answer = await client.answer();
    t.equal(answer?.headers.get('x-request-id'), 'mine-1');
    t.equal(answer?.headers.get('content-length'), '3');
    t.equal(answer?.headers.get('x-a'), 'b');
    t.equal(answer?.body.toString(), 'hé');
    client.send(request('GET', '/a', 'X-Request-Id: not a token\r\n'));
    t.match((await client.answer())?.headers.get('x-request-id'), /^made-/);
    t.same(
      finished.map(({ sent }) => sent),
      [
        { status: 200, bytes: 3 },
        { status: 200, bytes: 3 },
      ],
    );
  });

  t.test('HEAD is answered like GET without the body, and the connection serves on', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      if (exchange.path === '/reply') return exchange.reply(200, [], 'hello');
      exchange.start(200, [], 10);
      await exchange.write(Buffer.from('0123456789'));
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    for (const path of ['/reply', '/stream']) {
      client.send(request('HEAD', path));
      t.equal((await client.answer({ head: true }))?.headers.get('content-length'), path === '/reply' ? '5' : '10');
      client.send(request('GET', path));
      t.equal((await client.answer())?.body.toString(), path === '/reply' ? 'hello' : '0123456789');
    }
  });

  t.test('204 and 304 have neither body nor length, and the connection serves on', async (t) => {
    const { edge, port } = await openEchoEdge(open, (x) => x.reply(Number(x.path.slice(1)), ['ETag', '"x"']));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    for (const status of [204, 304, 204]) {
      client.send(request('GET', `/${status}`));
      const answer = await client.answer();
      t.equal(answer?.status, status);
      t.equal(answer?.headers.has('content-length'), false);
    }
  });

  t.test('an answer of no bytes is complete at once', async (t) => {
    const { edge, port } = await openEchoEdge(open, (x) => x.start(200, [], 0));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    t.equal((await client.answer())?.headers.get('content-length'), '0');
    client.send(request('GET', '/a'));
    t.equal((await client.answer())?.complete, true);
  });

  t.test('a large answer from shared memory reaches a slow reader byte for byte', async (t) => {
    const memory = new SharedArrayBuffer(1024 * 1024);
    const slot = new Uint8Array(memory);
    const pieces = 12;
    const fill = (piece: number) => {
      for (let at = 0; at < slot.byteLength; at++) slot[at] = (at * 31 + piece * 17) & 0xff;
    };
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], pieces * slot.byteLength);
      for (let piece = 0; piece < pieces; piece++) {
        // The same memory again: it may change as soon as `write` has settled, and not before.
        fill(piece);
        await exchange.write(slot);
      }
    });
    t.teardown(() => edge.close());
    const expected = createHash('sha256');
    for (let piece = 0; piece < pieces; piece++) {
      fill(piece);
      expected.update(slot);
    }
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    const timer = setInterval(() => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 5);
    }, 10);
    t.teardown(() => clearInterval(timer));
    const answer = await client.answer();
    t.equal(
      createHash('sha256')
        .update(answer?.body ?? '')
        .digest('hex'),
      expected.digest('hex'),
    );
  });

  t.test('a reply may be overwritten as soon as it was made', async (t) => {
    const bytes = Buffer.alloc(60_000);
    const { edge, port } = await openEchoEdge(open, (exchange) => {
      bytes.fill(1);
      exchange.reply(200, [], bytes);
      bytes.fill(2);
    });
    t.teardown(() => edge.close());
    const clients = await Promise.all(Array.from({ length: 8 }, () => connected(t, port)));
    for (const client of clients) client.send(request('GET', '/a').repeat(20));
    for (const client of clients) {
      for (let count = 0; count < 20; count++) {
        t.equal(
          (await client.answer())?.body.every((byte) => byte === 1),
          true,
        );
      }
    }
  });

  t.test('what a slow client has not taken of its answers is not touched by the answers to others', async (t) => {
    let count = 0;
    const { edge, port } = await openEchoEdge(open, (exchange) => {
      if (exchange.path === '/slow') exchange.reply(200, [], Buffer.alloc(60_000, ++count));
      else exchange.reply(200, [], Buffer.alloc(60_000, 255));
    });
    t.teardown(() => edge.close());
    const slow = await connected(t, port);
    slow.socket.pause();
    slow.send(request('GET', '/slow').repeat(200));
    const quick = await connected(t, port);
    for (let round = 0; round < 30; round++) {
      quick.send(request('GET', '/quick'));
      t.ok((await quick.answer())?.body.every((byte) => byte === 255));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.ok(slow.socket.bytesRead < 200 * 60_000, 'the slow one has not taken all');
    slow.socket.resume();
    for (let answer = 1; answer <= 200; answer++) {
      const body = (await slow.answer())?.body;
      if (body?.byteLength !== 60_000 || !body.every((byte) => byte === answer)) t.fail(`answer ${answer} is another`);
    }
  });

  t.test('a reader that takes nothing holds the writer back', async (t) => {
    let written = 0;
    let outcome: unknown;
    const piece = new Uint8Array(1024 * 1024);
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], 1000 * piece.byteLength);
      while (outcome === undefined) {
        await Promise.resolve(exchange.write(piece)).catch((error: unknown) => {
          outcome = error;
        });
        written += 1;
      }
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.socket.pause();
    client.send(request('GET', '/a'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.ok(written < 50, 'only what sockets hold was taken');
    client.destroy();
    while (finished.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    t.equal(finished[0]?.gone, true);
    t.match(outcome, { code: 'cancelled' }, 'the pending write was rejected');
  });

  t.test('clients that leave while an answer begins are all noticed, bodies unread or not', async (t) => {
    const piece = new Uint8Array(1024 * 1024);
    const { edge, port, handled, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], 5 * piece.byteLength);
      for (let count = 0; count < 5; count++) await exchange.write(piece);
    });
    t.teardown(() => edge.close());
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => connected(t, port)));
      for (const [index, client] of clients.entries()) {
        client.send(`${request('PUT', '/a', 'Content-Length: 5\r\n')}${'hello'.slice(0, index % 6)}`);
        client.socket.pause();
        setTimeout(() => client.destroy(), index % 4);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    while (edge.active > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    t.equal(finished.length, handled.length);
  });

  t.test('a write after the client went is rejected, and answers go nowhere', async (t) => {
    let outcome: unknown;
    const { edge, port, handled, finished } = await openEchoEdge(open, async (exchange) => {
      await new Promise<void>((resolve) => exchange.onGone(resolve));
      exchange.reply(200, [], 'too late');
      exchange.start(200, [], 10);
      outcome = await Promise.resolve(exchange.write(Buffer.from('x'))).catch((error: unknown) => error);
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    while (handled.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.reset();
    while (outcome === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    t.match(outcome, { code: 'cancelled' });
    t.equal(finished.length, 1);
    t.equal(edge.active, 0);
  });

  t.test('an answer that is cut never looks complete', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], 3_000_000);
      await exchange.write(new Uint8Array(1_000_000));
      if (exchange.path === '/destroy') exchange.destroy();
      else throw new QuasarError('corrupt', { op: 'test' });
    });
    t.teardown(() => edge.close());
    for (const path of ['/destroy', '/throw']) {
      const client = await connected(t, port);
      client.send(request('GET', path));
      await client.untilClosed();
      const answer = await client.answer();
      t.not(answer?.complete, true, path);
    }
    t.equal(finished[1]?.failure?.code, 'corrupt');
    t.equal(edge.active, 0);
  });

  t.test('what a handler throws becomes a problem without internals', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      if (exchange.path === '/bug') throw new Error('secret');
      throw new QuasarError('upload_offset_mismatch', { op: 'test', details: { expected: 7, received: 9 } });
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/bug', 'X-Request-Id: r1\r\n'));
    const bug = await client.answer();
    t.equal(bug?.status, 500);
    t.notMatch(bug?.body.toString(), /secret/);
    t.match(JSON.parse(bug?.body.toString() ?? ''), { code: 'internal', requestId: 'r1', instance: '/bug' });
    t.match(finished[0]?.failure?.cause, { message: 'secret' });
    client.send(request('GET', '/offset'));
    const offset = await client.answer();
    t.equal(offset?.status, 409);
    t.equal(offset?.headers.get('upload-offset'), '7');
    t.equal(offset?.headers.get('content-type'), 'application/problem+json');
  });

  t.test('a line break in a header we would write is our bug, never a second header', async (t) => {
    const { edge, port } = await openEchoEdge(open, (x) => x.reply(200, ['X-A', 'b\r\nSet-Cookie: c'], 'hello'));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    const answer = await client.answer();
    t.equal(answer?.status, 500);
    t.equal(answer?.headers.has('set-cookie'), false);
  });

  t.test('a header sent twice is joined, and a UTF-8 value is read as UTF-8', async (t) => {
    const { edge, port } = await openEchoEdge(open, (x) =>
      x.reply(200, [], `${x.header('a')}|${x.header('b')}|${x.header('c')}`),
    );
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(Buffer.from(request('GET', '/a', 'A: 1\r\nB:\t x é x \r\nA: 2\r\n')));
    t.equal((await client.answer())?.body.toString(), '1, 2|x é x|undefined');
  });

  t.test('stopped, the edge takes no connection and closes the others after their answer', async (t) => {
    const pending: Exchange[] = [];
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      pending.push(exchange);
      while (pending.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      exchange.reply(200, [], 'done');
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    while (pending.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    t.equal(edge.active, 1);
    edge.stopListening();
    await t.rejects(RawClient.connect(port));
    pending.length = 0;
    const answer = await client.answer();
    t.equal(answer?.body.toString(), 'done');
    t.equal(answer?.headers.get('connection'), 'close');
    await client.untilClosed();
    t.equal(edge.active, 0);
  });

  t.test('closing cuts what is left, twice if need be', async (t) => {
    const { edge, port, handled, finished } = await openEchoEdge(open, () => undefined);
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    while (handled.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await edge.close();
    await edge.close();
    await client.untilClosed();
    t.equal(finished[0]?.gone, true);
    t.equal(edge.active, 0);
  });

  t.test('a taken port is refused', async (t) => {
    const first = await openEchoEdge(open);
    t.teardown(() => first.edge.close());
    await t.rejects(
      openEchoEdge((options) => open({ ...options, port: first.port })),
      { code: 'port_in_use' },
    );
  });
}

function request(method: string, target: string, headers = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

async function connected(t: Test, port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  t.teardown(() => client.destroy());
  return client;
}
