import { once } from 'node:events';
import type { Test } from 'tap';
import { limits } from '../../src/core/limits.ts';
import { defaultEdgeRules } from '../../src/http/edge.ts';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

/** What becomes of connections: kept, shared by several requests, closed by either side, or given up. */
export function connectionContract(t: Test, open: OpenEdge): void {
  t.test('three uploads in one packet are answered in order, however long each takes', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      let text = '';
      exchange.readBody({
        chunk: (bytes) => {
          text += Buffer.from(bytes).toString();
        },
        end: () => exchange.reply(201, [], `${exchange.path} ${text}`),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(['one', 'two', 'six'].map((word) => `${head('POST', `/${word}`, 'Content-Length: 3\r\n')}${word}`).join(''));
    for (const word of ['one', 'two', 'six']) t.equal((await client.answer())?.body.toString(), `/${word} ${word}`);
  });

  t.test('a head is read alike wherever it is cut into packets', async (t) => {
    const { edge, port } = await openEchoEdge(open, (x) => x.reply(200, [], `${x.path}?${x.query} ${x.header('a')}`));
    t.teardown(() => edge.close());
    const whole = Buffer.from(head('GET', '/some/path?q=1', 'A: b c\r\n'));
    for (let cut = 1; cut < whole.byteLength; cut++) {
      const client = await connected(t, port);
      client.socket.setNoDelay(true);
      client.send(whole.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(whole.subarray(cut));
      t.equal((await client.answer())?.body.toString(), '/some/path?q=1 b c', `cut at ${cut}`);
      client.destroy();
    }
  });

  t.test('a request line longer than a packet is served', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    const query = 'q'.repeat(1800);
    const whole = head('GET', `/a?${query}`);
    client.send(whole.slice(0, 1460));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.send(whole.slice(1460));
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { query });
  });

  t.test('empty lines in front of a request are skipped', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(`\r\n\r\n${head('GET', '/a')}\r\n${head('GET', '/b')}`);
    for (const path of ['/a', '/b']) t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { path });
  });

  t.test('a client that sends no more behind its request gets the answer', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return exchange.reply(200, [], exchange.path);
    });
    t.teardown(() => edge.close());
    for (const sent of [head('GET', '/a'), `${head('PUT', '/a', 'Content-Length: 2\r\n')}hi`]) {
      const client = await connected(t, port);
      client.socket.end(Buffer.from(sent));
      t.equal((await client.answer())?.body.toString(), '/a');
      await client.untilClosed();
    }
    t.same(
      finished.map(({ gone }) => gone),
      [false, false],
    );
    const client = await connected(t, port);
    client.socket.end(Buffer.from(head('GET', '/a') + head('GET', '/b')));
    for (const path of ['/a', '/b']) t.equal((await client.answer())?.body.toString(), path, 'pipelined');
  });

  t.test('a client that sends no more behind bodies nobody takes yet gets all answers', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      let size = 0;
      exchange.readBody({
        chunk: (bytes) => {
          size += bytes.byteLength;
          exchange.pauseBody();
          setTimeout(() => exchange.resumeBody(), 1);
        },
        end: () => exchange.reply(200, [], `${exchange.path} ${size}`),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    const put = (path: string, size: number) =>
      Buffer.concat([Buffer.from(head('PUT', path, `Content-Length: ${size}\r\n`)), Buffer.alloc(size, 7)]);
    for (const sizes of [[2], [300_000], [2, 0, 3], [70_000, 2, 90_000]]) {
      const client = await connected(t, port);
      client.socket.end(Buffer.concat(sizes.map((size, at) => put(`/${at}`, size))));
      for (const [at, size] of sizes.entries()) {
        t.equal((await client.answer())?.body.toString(), `/${at} ${size}`, `${sizes}`);
      }
      await client.untilClosed();
    }
  });

  t.test('a client that sends no more within a body nobody takes yet has sent none', async (t) => {
    const told: string[] = [];
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      exchange.readBody({ chunk: () => undefined, end: () => told.push('end'), gone: () => told.push('gone') });
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.socket.end(Buffer.from(`${head('PUT', '/a', 'Content-Length: 5\r\n')}hi`));
    await client.untilClosed();
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    t.same(told, ['gone']);
    t.equal(client.unread, 0);
  });

  t.test('a head that is cut off by its sender is answered 400', async (t) => {
    const { edge, port, handled } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.socket.end('GET /a HTTP/1.1\r\nHo');
    t.equal((await client.answer())?.status, 400);
    await client.untilClosed();
    t.equal(handled.length, 0);
  });

  t.test('whoever waits for us is never idle', async (t) => {
    const { edge, port } = await openEchoEdge(
      open,
      async (exchange) => {
        if (exchange.path === '/body') {
          await new Promise((resolve) => setTimeout(resolve, 700));
          exchange.readBody({ chunk: () => undefined, end: () => exchange.reply(200, [], 'late'), gone: () => undefined });
          return;
        }
        if (exchange.path === '/stream') {
          exchange.start(200, [], 4);
          await exchange.write(Buffer.from('la'));
          await new Promise((resolve) => setTimeout(resolve, 700));
          await exchange.write(Buffer.from('te'));
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 700));
        exchange.reply(200, [], 'late');
      },
      { idleMs: 100, lingerSilenceMs: 100, lingerMs: 100 },
    );
    t.teardown(() => edge.close());
    await Promise.all(
      [
        head('GET', '/get'),
        `${head('PUT', '/put', 'Content-Length: 5\r\n')}hello`,
        `${head('PUT', '/body', 'Content-Length: 5\r\n')}hello`,
        `${head('PUT', '/stream', 'Content-Length: 5\r\n')}hello`,
        `${head('PUT', '/chunks', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`,
      ].map(async (request) => {
        const client = await connected(t, port);
        client.send(request);
        t.equal((await client.answer())?.body.toString(), 'late', request.slice(0, 12));
      }),
    );
  });

  t.test('a connection without a request, or with half a head, is closed', async (t) => {
    const { edge, port, handled } = await openEchoEdge(open, undefined, { idleMs: 200 });
    t.teardown(() => edge.close());
    for (const sent of ['', 'GET /a HT', 'GET /a HTTP/1.1\r\nHost: x\r\n']) {
      const client = await connected(t, port);
      client.send(sent);
      await client.untilClosed();
    }
    const client = await connected(t, port);
    client.send(head('GET', '/a'));
    await client.answer();
    await client.untilClosed();
    t.equal(handled.length, 1);
  });

  t.test('idle connections keep nobody out', async (t) => {
    const { edge, port } = await openEchoEdge(open, undefined, { connectionsMax: 4 });
    t.teardown(() => edge.close());
    const idle = await Promise.all(Array.from({ length: 12 }, () => connected(t, port)));
    for (const client of idle.slice(0, 6)) client.send('GET /half HT');
    for (let round = 0; round < 6; round++) {
      const client = await connected(t, port);
      client.send(head('GET', '/a'));
      t.equal((await client.answer())?.status, 200);
    }
    await Promise.all(idle.map((client) => client.untilClosed()));
  });

  t.test('with every connection taken by a request, another one is told so', async (t) => {
    const waiting: (() => void)[] = [];
    const { edge, port, handled } = await openEchoEdge(
      open,
      async (exchange) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        exchange.reply(200, [], 'done');
      },
      { connectionsMax: 3 },
    );
    t.teardown(() => edge.close());
    const clients = await Promise.all([1, 2, 3].map(() => connected(t, port)));
    for (const client of clients) client.send(head('GET', '/a'));
    while (handled.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const another = await connected(t, port);
    const answer = await another.answer();
    t.equal(answer?.status, 503);
    t.match(JSON.parse(answer?.body.toString() ?? ''), { code: 'too_many_connections' });
    t.ok(answer?.headers.has('retry-after'));
    await another.untilClosed();
    for (const resolve of waiting) resolve();
    for (const client of clients) t.equal((await client.answer())?.body.toString(), 'done');
    const late = await connected(t, port);
    late.send(head('GET', '/a'));
    while (handled.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    waiting.at(-1)?.();
    t.equal((await late.answer())?.status, 200, 'and a place is free again');
  });

  t.test('HTTP/1.0 gets an answer without a size to the end of the connection, and a reset when it breaks off', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], undefined);
      await exchange.write(Buffer.from('some '));
      await exchange.write(Buffer.from('more'));
      // A client whose library sees data and reset at once may tell of an end only.
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (exchange.path === '/cut') exchange.destroy();
      else exchange.end();
    });
    t.teardown(() => edge.close());
    const whole = await connected(t, port);
    whole.send('GET /a HTTP/1.0\r\n\r\n');
    await whole.untilClosed();
    const text = whole.received.toString();
    t.notMatch(text, /transfer-encoding/i);
    t.match(text, /\r\n\r\nsome more$/);
    const cut = await connected(t, port);
    const failed = once(cut.socket, 'error');
    cut.send('GET /cut HTTP/1.0\r\n\r\n');
    t.match(await failed, [{ code: 'ECONNRESET' }]);
  });

  t.test('a body whose framing is wrong never ends, wherever the fault lies', async (t) => {
    const told: string[] = [];
    const { edge, port, finished } = await openEchoEdge(open, (exchange) => {
      exchange.readBody({
        chunk: () => undefined,
        end: () => {
          told.push('end');
          exchange.reply(201, [], 'stored');
        },
        gone: () => told.push('gone'),
      });
    });
    t.teardown(() => edge.close());
    for (const body of [
      'zz\r\n',
      '5\r\nhelloX',
      '5\r\nhello\r\n5 \r\nhello\r\n0\r\n\r\n',
      '5\r\nhello\r\n0\r\nno trailer\r\n\r\n',
      '5\r\nhello\r\n0\r\nA : b\r\n\r\n',
      '5\r\nhello\r\n0\r\n\nX',
      '5;a b\r\nhello\r\n0\r\n\r\n',
      '5;\x01\r\nhello\r\n0\r\n\r\n',
    ]) {
      const client = await connected(t, port);
      client.send(`${head('POST', '/a', 'Transfer-Encoding: chunked\r\n')}${body}`);
      t.equal((await client.answer())?.status, 400, JSON.stringify(body));
      await client.untilClosed();
    }
    while (finished.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    t.same(new Set(told), new Set(['gone']));
  });

  t.test('what is held behind a request without an answer is bounded', async (t) => {
    const { edge, port } = await openEchoEdge(open, () => undefined);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('GET', '/a'));
    client.send(Buffer.alloc(32 * 1024 * 1024, 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.ok(client.socket.writableLength > 16 * 1024 * 1024, 'the rest waits at the sender');
    t.ok(defaultEdgeRules.connectionsMax * limits.httpReadAheadMax <= 256 * 1024 * 1024);
  });
}

function head(method: string, target: string, headers = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

async function connected(t: Test, port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  t.teardown(() => client.destroy());
  return client;
}
