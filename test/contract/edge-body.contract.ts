import { createHash, randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { limits } from '../../src/core/limits.ts';
import type { Exchange } from '../../src/http/edge.ts';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

/** How bodies reach a handler: in order, whole, paused when asked, and never beyond what was promised. */
export function bodyContract(t: Test, open: OpenEdge): void {
  t.test('a body arrives byte for byte, in chunks within the limit', async (t) => {
    const sizes: number[] = [];
    const { edge, port } = await openEchoEdge(open, (exchange) => {
      const hash = createHash('sha256');
      exchange.readBody({
        chunk: (bytes) => {
          sizes.push(bytes.byteLength);
          hash.update(bytes);
        },
        end: () => exchange.reply(200, [], hash.digest('hex')),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    const body = randomBytes(3_000_001);
    const client = await connected(t, port);
    client.send(head('PUT', '/a', `Content-Length: ${body.byteLength}\r\n`));
    client.send(body);
    t.equal((await client.answer())?.body.toString(), sha256(body));
    t.ok(sizes.every((size) => size > 0 && size <= limits.httpChunkMax));
  });

  t.test('a body split at every byte arrives whole', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.socket.setNoDelay(true);
    for (const byte of Buffer.from(`${head('POST', '/a', 'Content-Length: 11\r\n')}hello world`)) client.send(Buffer.of(byte));
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { size: 11, sha256: sha256(Buffer.from('hello world')) });
  });

  t.test('an empty body ends at once', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('POST', '/a', 'Content-Length: 0\r\n'));
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { declared: 0, size: 0 });
    client.send(head('POST', '/a'));
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { declared: 0, size: 0 });
  });

  t.test('a connection whose bodies were read to their end serves on, however large they are', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    for (const size of [limits.httpDiscardMax + 1, 1, 2_000_000, limits.httpDiscardMax * 3]) {
      const body = randomBytes(size);
      client.send(Buffer.concat([Buffer.from(head('PUT', '/a', `Content-Length: ${size}\r\n`)), body]));
      const answer = await client.answer();
      t.match(JSON.parse(answer?.body.toString() ?? ''), { size, sha256: sha256(body) }, `${size} bytes`);
    }
  });

  t.test('a body that is read late arrives whole', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const hash = createHash('sha256');
      exchange.readBody({
        chunk: (bytes) => hash.update(bytes),
        end: () => exchange.reply(200, [], hash.digest('hex')),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    for (const size of [1, 70_000, 2_000_000]) {
      const body = randomBytes(size);
      const client = await connected(t, port);
      client.send(Buffer.concat([Buffer.from(head('PUT', '/a', `Content-Length: ${size}\r\n`)), body]));
      t.equal((await client.answer())?.body.toString(), sha256(body), `${size} bytes`);
    }
  });

  t.test('no chunk arrives while the body is paused, and the sender is held back', async (t) => {
    const size = 32 * 1024 * 1024;
    let reader: Exchange | undefined;
    let received = 0;
    let whilePaused = 0;
    let paused = false;
    const { edge, port } = await openEchoEdge(open, (exchange) => {
      reader = exchange;
      exchange.readBody({
        chunk: (bytes) => {
          received += bytes.byteLength;
          if (paused) whilePaused += 1;
          paused = true;
          exchange.pauseBody();
        },
        end: () => exchange.reply(200, [], String(received)),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('PUT', '/a', `Content-Length: ${size}\r\n`));
    client.send(Buffer.alloc(size, 7));
    await new Promise((resolve) => setTimeout(resolve, 300));
    t.ok(received <= limits.httpChunkMax, 'one chunk came before the pause');
    t.ok(client.socket.writableLength > size / 4, 'the rest waits at the sender');
    const answer = client.answer();
    while (received < size) {
      paused = false;
      reader?.resumeBody();
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.equal((await answer)?.body.toString(), String(size));
    t.equal(whilePaused, 0);
  });

  t.test('a client that vanishes in mid-body is noticed', async (t) => {
    for (const leave of ['destroy', 'reset', 'half-close'] as const) {
      const told: string[] = [];
      let arrived: () => void = () => undefined;
      const first = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      const { edge, port, finished } = await openEchoEdge(open, (exchange) => {
        exchange.onGone(() => told.push('onGone'));
        exchange.readBody({ chunk: () => arrived(), end: () => told.push('end'), gone: () => told.push('gone') });
      });
      const client = await RawClient.connect(port);
      client.send(`${head('PUT', '/a', 'Content-Length: 100\r\n')}half`);
      await first;
      if (leave === 'half-close') client.socket.end();
      else if (leave === 'reset') client.reset();
      else client.destroy();
      while (finished.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      t.same(told.sort(), ['gone', 'onGone'], leave);
      t.equal(finished[0]?.gone, true);
      t.equal(edge.active, 0);
      client.destroy();
      await edge.close();
    }
  });

  t.test('100-continue is answered before the body is sent', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('PUT', '/a', 'Content-Length: 5\r\nExpect: 100-continue\r\n'));
    t.equal((await client.answer())?.status, 100);
    client.send('hello');
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { size: 5 });
  });

  t.test('an early answer to a large body is delivered, and the connection closed', async (t) => {
    const { edge, port } = await openEchoEdge(open, (exchange) => exchange.reply(413, [], 'too large'));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('PUT', '/a', 'Content-Length: 10000000000\r\n'));
    const answer = await client.answer();
    t.equal(answer?.status, 413);
    t.equal(answer?.headers.get('connection'), 'close');
    await client.untilClosed();
  });

  t.test('an early answer tells the reader of the body that nothing follows', async (t) => {
    const told: string[] = [];
    const { edge, port, finished } = await openEchoEdge(open, (exchange) => {
      exchange.readBody({
        chunk: () => exchange.reply(409, [], 'stop'),
        end: () => told.push('end'),
        gone: () => told.push('gone'),
      });
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(`${head('PUT', '/a', 'Content-Length: 1000000\r\n')}some`);
    t.equal((await client.answer())?.status, 409);
    await client.untilClosed();
    t.same(told, ['gone']);
    t.equal(finished.length, 1);
  });

  t.test('what the reader of a body throws ends its exchange and nothing else', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, (exchange) => {
      const fail = () => {
        throw new Error('bug');
      };
      if (exchange.path === '/chunk') exchange.readBody({ chunk: fail, end: () => undefined, gone: fail });
      else exchange.readBody({ chunk: () => undefined, end: fail, gone: () => undefined });
    });
    t.teardown(() => edge.close());
    for (const path of ['/chunk', '/end']) {
      const client = await connected(t, port);
      client.send(`${head('PUT', path, 'Content-Length: 5\r\n')}hello`);
      t.equal((await client.answer())?.status, 500, path);
    }
    t.same(
      finished.map(({ failure }) => failure?.code),
      ['internal', 'internal'],
    );
  });

  t.test('a small body nobody reads is discarded, and the connection serves on', async (t) => {
    const { edge, port } = await openEchoEdge(open, (exchange) => exchange.reply(404, [], exchange.path));
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(head('PUT', '/one', `Content-Length: ${limits.httpDiscardMax}\r\n`));
    t.equal((await client.answer())?.body.toString(), '/one');
    client.send(Buffer.alloc(limits.httpDiscardMax, 7));
    client.send(head('PUT', '/two', 'Content-Length: 3\r\n'));
    client.send('abc');
    t.equal((await client.answer())?.body.toString(), '/two');
  });

  t.test('a body that waits unread is answered late, and the connection serves on', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      exchange.reply(404, [], exchange.path);
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(`${head('PUT', '/one', 'Content-Length: 5\r\n')}hello`);
    t.equal((await client.answer())?.body.toString(), '/one');
    client.send(head('GET', '/two'));
    t.equal((await client.answer())?.body.toString(), '/two');
  });

  t.test('a chunked body of many chunks arrives whole', async (t) => {
    const { edge, port } = await openEchoEdge(open);
    t.teardown(() => edge.close());
    const body = randomBytes(300_000);
    const client = await connected(t, port);
    client.send(head('PUT', '/a', 'Transfer-Encoding: chunked\r\n'));
    for (let at = 0; at < body.byteLength; at += 7001) {
      const chunk = body.subarray(at, at + 7001);
      client.send(Buffer.concat([Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
    }
    client.send('0\r\n\r\n');
    t.match(JSON.parse((await client.answer())?.body.toString() ?? ''), { declared: null, sha256: sha256(body) });
    await client.untilClosed();
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

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
