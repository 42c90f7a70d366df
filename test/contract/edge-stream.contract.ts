import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { QuasarError } from '../../src/core/errors.ts';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

/** Answers whose size is not known at their beginning: chunked, and complete only when the handler says so. */
export function streamContract(t: Test, open: OpenEdge): void {
  t.test('an answer without a size is chunked, and the connection serves on', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, ['X-A', 'b'], undefined);
      for (const word of exchange.query.split(',')) await exchange.write(Buffer.from(word));
      exchange.end();
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    for (const query of ['one,two,three', '', 'four']) {
      client.send(request('GET', `/a?${query}`));
      const answer = await client.answer();
      t.match(answer, { status: 200, complete: true });
      t.equal(answer?.headers.get('x-a'), 'b');
      t.equal(answer?.body.toString(), query.replaceAll(',', ''));
    }
    t.same(
      finished.map(({ sent }) => sent.bytes),
      [11, 0, 4],
    );
    t.equal(edge.active, 0);
  });

  t.test('HEAD gets the head of a chunked answer alone, and the connection serves on', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, ['X-A', 'b'], undefined);
      await exchange.write(Buffer.from('0123456789'));
      exchange.end();
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('HEAD', '/a'));
    const head = await client.answer({ head: true });
    t.equal(head?.headers.get('x-a'), 'b');
    t.equal(head?.headers.has('content-length'), false);
    client.send(request('GET', '/a'));
    t.equal((await client.answer())?.body.toString(), '0123456789');
    t.equal(finished.length, 2);
  });

  t.test('a long chunked answer from memory that is used again reaches a slow reader byte for byte', async (t) => {
    const piece = Buffer.alloc(300_000);
    const expected = createHash('sha256');
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], undefined);
      for (let at = 0; at < 20; at++) {
        for (let byte = 0; byte < piece.byteLength; byte++) piece[byte] = (byte * 31 + at * 17) & 0xff;
        expected.update(piece);
        await exchange.write(piece);
      }
      exchange.end();
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('GET', '/a'));
    const timer = setInterval(() => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 5);
    }, 10);
    t.teardown(() => clearInterval(timer));
    const answer = await client.answer();
    t.equal(answer?.complete, true);
    const found = createHash('sha256').update(answer?.body ?? '');
    t.equal(found.digest('hex'), expected.digest('hex'));
  });

  t.test('a reader that takes nothing holds the writer of chunks back', async (t) => {
    let written = 0;
    let outcome: unknown;
    const piece = new Uint8Array(1024 * 1024);
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], undefined);
      while (outcome === undefined) {
        await Promise.resolve(exchange.write(piece)).catch((error: unknown) => {
          outcome = error;
        });
        written += 1;
      }
      exchange.end();
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
    t.equal(edge.active, 0);
  });

  t.test('chunks that break off never look complete', async (t) => {
    const { edge, port, finished } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], undefined);
      await exchange.write(new Uint8Array(100_000));
      if (exchange.path === '/destroy') exchange.destroy();
      else throw new QuasarError('database_unavailable', { op: 'test' });
    });
    t.teardown(() => edge.close());
    for (const path of ['/destroy', '/throw']) {
      const client = await connected(t, port);
      client.send(request('GET', path));
      await client.untilClosed();
      t.not((await client.answer())?.complete, true, path);
    }
    t.equal(finished[1]?.failure?.code, 'database_unavailable');
    t.equal(edge.active, 0);
  });

  t.test('a chunked answer behind an unread body says that it closes, and is whole', async (t) => {
    const { edge, port } = await openEchoEdge(open, async (exchange) => {
      exchange.start(200, [], undefined);
      await exchange.write(Buffer.from('whole'));
      exchange.end();
    });
    t.teardown(() => edge.close());
    const client = await connected(t, port);
    client.send(request('PUT', '/a', 'Transfer-Encoding: chunked\r\n'));
    const answer = await client.answer();
    t.match(answer, { status: 200, complete: true });
    t.equal(answer?.headers.get('connection'), 'close');
    t.equal(answer?.body.toString(), 'whole');
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
