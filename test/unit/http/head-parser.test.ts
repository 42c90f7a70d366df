import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { HeadParser } from '../../../src/http/head-parser.ts';
import { inspectHead } from '../../../src/http/request-guard.ts';

const HEAD = 'POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-One: two, three\r\nContent-Length: 0\r\nEmpty:\r\n\r\n';

t.test('a parser that begins anew reads as a new one', async (t) => {
  const parser = new HeadParser();
  for (const [text, path] of [
    ['GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n', '/a'],
    ['\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n', '/b'],
  ] as const) {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut < bytes.byteLength; cut++) {
      t.equal(parser.feed(bytes.subarray(0, cut), 0), 'more');
      t.equal(parser.feed(bytes.subarray(cut), 0), 'head');
      t.same([parser.head.path, parser.head.headers.length], [path, path === '/a' ? 4 : 2]);
      parser.reset();
      t.notOk(parser.began);
    }
  }
});

t.test('a head is read the same way however it is cut', async (t) => {
  const whole = read([Buffer.from(HEAD)]);
  t.match(whole, { head: { method: 'POST', path: '/a/b', query: 'c=d', version: '1.1' }, at: HEAD.length });
  for (let cut = 1; cut < HEAD.length; cut++) {
    const parts = [HEAD.slice(0, cut), HEAD.slice(cut)].map((text) => Buffer.from(text));
    t.same(read(parts).head, whole.head, `cut at ${cut}`);
  }
  t.same(read([...Buffer.from(HEAD)].map((byte) => Buffer.of(byte))).head, whole.head, 'byte by byte');
});

t.test('any bytes give one outcome, however they are cut', async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom('\r\n', '\r', '\n', ' ', ':', 'GET /a HTTP/1.1\r\n', 'Host: x\r\n', 'a: b', '\t', '\0'),
      fc.string(),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(200), { maxLength: 5 }), (words, cuts) => {
      const bytes = Buffer.from(words.join(''), 'latin1');
      const sorted = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((left, right) => left - right);
      const parts = [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
      const one = read([bytes]);
      const many = read(parts.filter((part) => part.length > 0));
      return (one.fault === undefined) === (many.fault === undefined) && JSON.stringify(one.head) === JSON.stringify(many.head);
    }),
    { numRuns: 2000 },
  );
});

t.test('a fault is told with the byte that makes it', async (t) => {
  for (const [text, code] of [
    ['GET /a HTTP/1.1\n', 'bad_request'],
    ['GET /a HTTP/1.1\rX', 'bad_request'],
    ['GET  /a HTTP/1.1\r\n', 'bad_request'],
    ['GET /a b HTTP/1.1\r\n', 'bad_request'],
    ['GET /a\r\n', 'bad_request'],
    ['GET /a http/1.1\r\n', 'bad_request'],
    ['GET /a HTTP/1.10\r\n', 'bad_request'],
    ['GET /a HTTP/1.1 \r\n', 'bad_request'],
    ['\x16\x03\x01', 'bad_request'],
    ['GET /a HTTP/1.1\r\nHost : x\r\n', 'bad_request'],
    ['GET /a HTTP/1.1\r\n: x\r\n', 'bad_request'],
    ['GET /a HTTP/1.1\r\nHost x\r\n', 'bad_request'],
    ['GET /a HTTP/1.1\r\nHost: x\r\n y\r\n', 'bad_request'],
    ['GET /a HTTP/1.1\r\n Host: x\r\n', 'bad_request'],
    ['GET /a HTTP/1.1\r\nA: b\0', 'bad_request'],
    ['GET /a HTTP/1.1\r\nA: b\x7f', 'bad_request'],
    [`GET /${'a'.repeat(limits.httpHeadMax)}`, 'uri_too_long'],
    [`GET /a HTTP/1.1\r\nA: ${'b'.repeat(limits.httpHeadMax)}`, 'headers_too_large'],
  ] as const)
    t.equal(read([Buffer.from(text, 'latin1')]).fault?.code, code, JSON.stringify(text.slice(0, 40)));
});

t.test('every byte of a head, changed to any other, is refused or read as node:http reads it', async (t) => {
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false }, (request, response) => {
    const { method, url, rawHeaders } = request;
    const headers = rawHeaders.map((text, at) =>
      at % 2 === 0 ? text.toLowerCase() : Buffer.from(text, 'latin1').toString('utf8'),
    );
    response.writeHead(200, { connection: 'close' }).end(JSON.stringify([method, url, headers]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const taken = mutants(Buffer.from(HEAD)).filter((mutant) => ours(mutant) !== undefined);
  t.ok(taken.length > 100, 'many are still heads');
  const differing: string[] = [];
  for (let from = 0; from < taken.length; from += 50) {
    await Promise.all(
      taken.slice(from, from + 50).map(async (mutant) => {
        const found = await theirs(port, mutant);
        if (found !== ours(mutant)) differing.push(`${found} ${ours(mutant)}`);
      }),
    );
  }
  t.same(differing, []);
});

function mutants(bytes: Buffer): Buffer[] {
  const others = [0, 9, 10, 13, 32, 34, 44, 47, 58, 59, 63, 64, 65, 97, 48, 57, 127, 128, 255];
  const changed = [...bytes.keys()].flatMap((at) =>
    others.map((other) => Buffer.concat([bytes.subarray(0, at), Buffer.of(other), bytes.subarray(at + 1)])),
  );
  const shorter = [...bytes.keys()].map((at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]));
  return [...changed, ...shorter];
}

/** What a handler of ours would see; undefined when parser or guard refuse. */
function ours(bytes: Buffer): string | undefined {
  const { head } = read([bytes]);
  if (head === undefined || inspectHead(head).fault !== undefined) return undefined;
  const { method, path, query, headers } = head;
  return JSON.stringify([method, bytes.includes('?') && query !== '' ? `${path}?${query}` : path, headers]);
}

async function theirs(port: number, bytes: Buffer): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes);
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('utf8');
  });
  await once(socket, 'close');
  return /^HTTP\/1\.1 200 .*?(\[".*\])/s.exec(text)?.[1];
}

function read(parts: readonly Buffer[]) {
  const parser = new HeadParser();
  for (const part of parts) {
    const outcome = parser.feed(part, 0);
    if (outcome === 'head') return { head: parser.head, at: parser.at, fault: undefined };
    if (outcome === 'fault') return { head: undefined, at: 0, fault: parser.fault };
  }
  return { head: undefined, at: 0, fault: undefined };
}
