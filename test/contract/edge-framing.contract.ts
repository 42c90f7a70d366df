import type { Test } from 'tap';
import { type EchoEdge, type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

export type AdapterName = 'net' | 'node:http';

/**
 * What goes over the wire for each odd request: statuses of the answers, then whether the connection is `closed` or stays
 * `open`. `silent`: the server waits for more, hands nothing to a handler, and closes when the connection has idled.
 */
interface Row {
  readonly title: string;
  readonly send: string;
  /** One for both servers, or what each does where they parse differently (docs/adr/0011-http-edge-of-our-own.md). */
  readonly answers: string | Readonly<Record<AdapterName, string>>;
  /** How many requests reached a handler; none when absent. */
  readonly handled?: number | Readonly<Record<AdapterName, number>>;
}

export function framingContract(t: Test, name: AdapterName, open: OpenEdge): void {
  t.test('requests as odd as they come', async (t) => {
    const echo = await openEchoEdge(open);
    t.teardown(() => echo.edge.close());
    for (const row of rows) {
      const expected = typeof row.answers === 'string' ? row.answers : row.answers[name];
      echo.handled.length = 0;
      t.equal(await observe(echo, row.send, expected), expected, row.title);
      const handled = typeof row.handled === 'object' ? row.handled[name] : (row.handled ?? 0);
      t.equal(echo.handled.filter(({ path }) => path !== PROBE).length, handled, `${row.title}: requests handled`);
    }
  });
}

/** Says what happened in the words of `Row.answers`; `expected` only tells how many answers to wait for. */
async function observe(echo: EchoEdge, request: string, expected: string): Promise<string> {
  const client = await RawClient.connect(echo.port);
  const seen: string[] = [];
  client.send(request);
  if (expected === 'silent') {
    await roundTrip(echo);
    if (client.unread === 0 && !client.closed) seen.push('silent');
  } else {
    for (const word of expected.split(' ')) {
      if (word === 'open') continue;
      const answer = await client.answer();
      if (answer === undefined) break;
      seen.push(String(answer.status));
    }
    if (expected.endsWith('closed')) await client.untilClosed();
    else await roundTrip(echo);
    seen.push(client.closed ? 'closed' : 'open');
  }
  client.destroy();
  return seen.join(' ');
}

/** Two requests on another connection: whatever was sent before has been read by then. */
async function roundTrip(echo: EchoEdge): Promise<void> {
  const client = await RawClient.connect(echo.port);
  for (let count = 0; count < 2; count++) {
    client.send(`GET ${PROBE} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.answer();
  }
  client.destroy();
}

const PROBE = '/probe';
const HOST = 'Host: x\r\n';
const CHUNKED = '5\r\nhello\r\n0\r\n\r\n';
const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`;
const post = (headers: string, body = 'hello') => `POST /a HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const chunked = (headers: string, body = CHUNKED) => post(headers, body);
const each = <T>(net: T, node: T) => ({ net, 'node:http': node });

const rows: readonly Row[] = [
  // request line
  { title: 'a plain request is served', send: get('/a'), answers: '200 open', handled: 1 },
  { title: 'HTTP/1.0 is served once', send: `GET /a HTTP/1.0\r\n${HOST}\r\n`, answers: '200 closed', handled: 1 },
  { title: 'HTTP/1.0 needs no Host', send: 'GET /a HTTP/1.0\r\n\r\n', answers: '200 closed', handled: 1 },
  {
    title: 'HTTP/1.0 has bodies with a length',
    send: 'POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello',
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'HTTP/1.0 is not kept alive',
    send: 'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n',
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'HTTP/1.0 has no chunks',
    send: `POST /a HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
    answers: '400 closed',
  },
  { title: 'HTTP/2.0 in a request line is refused', send: `GET /a HTTP/2.0\r\n${HOST}\r\n`, answers: '505 closed' },
  { title: 'HTTP/9.9 is refused', send: `GET /a HTTP/9.9\r\n${HOST}\r\n`, answers: each('505 closed', '400 closed') },
  { title: 'absolute form is served', send: get('http://y/a'), answers: '200 open', handled: 1 },
  { title: 'absolute form needs Host too', send: 'GET http://y/a HTTP/1.1\r\n\r\n', answers: '400 closed' },
  { title: 'absolute form names a host', send: get('http:///a'), answers: '400 closed' },
  { title: 'absolute form names no user', send: get('http://u:p@y/a'), answers: '400 closed' },
  { title: 'a scheme that is not HTTP is refused', send: get('ftp://y/a'), answers: '400 closed' },
  {
    title: 'OPTIONS takes an asterisk',
    send: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    answers: '200 open',
    handled: 1,
  },
  { title: 'other methods take no asterisk', send: get('*'), answers: '400 closed' },
  { title: 'CONNECT is refused', send: `CONNECT y:1 HTTP/1.1\r\n${HOST}\r\n`, answers: '501 closed' },
  { title: 'an unknown method is refused', send: `FOO /a HTTP/1.1\r\n${HOST}\r\n`, answers: each('501 closed', '400 closed') },
  { title: 'methods are case-sensitive', send: `get /a HTTP/1.1\r\n${HOST}\r\n`, answers: each('501 closed', '400 closed') },
  {
    title: 'lines that end in LF alone are refused',
    send: 'GET /a HTTP/1.1\nHost: x\n\n',
    answers: '400 closed',
  },
  {
    title: 'TLS on this port is refused',
    send: '\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n',
    answers: '400 closed',
  },
  // Host
  { title: 'a request without any header is refused', send: 'GET /a HTTP/1.1\r\n\r\n', answers: '400 closed' },
  { title: 'a request without Host is refused', send: 'GET /a HTTP/1.1\r\nA: b\r\n\r\n', answers: '400 closed' },
  { title: 'two Hosts are refused', send: get('/a', HOST), answers: '400 closed' },
  { title: 'a Host with a path is refused', send: 'GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n', answers: '400 closed' },
  // Content-Length
  {
    title: 'two different Content-Lengths are refused',
    send: post('Content-Length: 5\r\nContent-Length: 6\r\n'),
    answers: '400 closed',
  },
  {
    title: 'two equal Content-Lengths are refused',
    send: post('Content-Length: 5\r\nContent-Length: 5\r\n'),
    answers: '400 closed',
  },
  { title: 'a list of Content-Lengths is refused', send: post('Content-Length: 5, 5\r\n'), answers: '400 closed' },
  { title: 'a negative Content-Length is refused', send: post('Content-Length: -5\r\n'), answers: '400 closed' },
  { title: 'a signed Content-Length is refused', send: post('Content-Length: +5\r\n'), answers: '400 closed' },
  { title: 'a hexadecimal Content-Length is refused', send: post('Content-Length: 0x5\r\n'), answers: '400 closed' },
  { title: 'a Content-Length with letters is refused', send: post('Content-Length: 5a\r\n'), answers: '400 closed' },
  { title: 'an empty Content-Length is refused', send: post('Content-Length:\r\n', ''), answers: '400 closed' },
  {
    title: 'a Content-Length beyond 64 bits is refused',
    send: post('Content-Length: 18446744073709551621\r\n'),
    answers: '400 closed',
  },
  { title: 'a Content-Length beyond 2^53 is refused', send: post('Content-Length: 9007199254740993\r\n'), answers: '400 closed' },
  {
    title: 'what follows two Content-Lengths is not served',
    send: post('Content-Length: 5\r\nContent-Length: 6\r\n') + get('/smuggled'),
    answers: '400 closed',
  },
  // Transfer-Encoding
  {
    title: 'a chunked body is read, and the connection closed',
    send: chunked('Transfer-Encoding: chunked\r\n'),
    answers: '200 closed',
    handled: 1,
  },
  { title: 'CHUNKED is chunked', send: chunked('Transfer-Encoding: CHUNKED\r\n'), answers: '200 closed', handled: 1 },
  {
    title: 'a tab before chunked is white space',
    send: chunked('Transfer-Encoding:\tchunked\r\n'),
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'Content-Length with Transfer-Encoding is refused',
    send: chunked('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
    answers: '400 closed',
  },
  {
    title: 'Transfer-Encoding with Content-Length is refused',
    send: chunked('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
    answers: '400 closed',
  },
  { title: 'gzip, chunked is refused', send: chunked('Transfer-Encoding: gzip, chunked\r\n'), answers: '400 closed' },
  { title: 'identity is refused', send: chunked('Transfer-Encoding: identity\r\n'), answers: '400 closed' },
  { title: 'xchunked is refused', send: chunked('Transfer-Encoding: xchunked\r\n'), answers: '400 closed' },
  {
    title: 'chunked, then identity is refused',
    send: chunked('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'),
    answers: '400 closed',
  },
  {
    title: 'identity, then chunked is refused',
    send: chunked('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n'),
    answers: '400 closed',
  },
  {
    title: 'a vertical tab before chunked is refused',
    send: chunked('Transfer-Encoding: \x0bchunked\r\n'),
    answers: '400 closed',
  },
  {
    title: 'a space before the colon is refused',
    send: chunked('Transfer-Encoding : chunked\r\n'),
    answers: '400 closed',
  },
  {
    title: 'GET takes no chunked body',
    send: `GET /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    answers: '400 closed',
  },
  {
    title: 'a chunk size that is no number ends the connection',
    send: chunked('Transfer-Encoding: chunked\r\n', 'zz\r\nhello\r\n0\r\n\r\n'),
    answers: '400 closed',
    handled: 1,
  },
  {
    title: 'a negative chunk size ends the connection',
    send: chunked('Transfer-Encoding: chunked\r\n', '-5\r\nhello\r\n0\r\n\r\n'),
    answers: '400 closed',
    handled: 1,
  },
  {
    title: 'a huge chunk size ends the connection',
    send: chunked('Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
    answers: '400 closed',
    handled: 1,
  },
  {
    title: 'a chunk without its CRLF is refused',
    send: chunked('Transfer-Encoding: chunked\r\n', '5\r\nhello0\r\n\r\n'),
    answers: '400 closed',
    handled: 1,
  },
  {
    title: 'chunks that end in LF alone are refused or the last thing read',
    send: chunked('Transfer-Encoding: chunked\r\n', '5\nhello\n0\n\n'),
    answers: '400 closed',
    handled: 1,
  },
  {
    title: 'trailers are dropped',
    send: chunked('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n'),
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'a chunk extension is dropped',
    send: chunked('Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n'),
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'what follows a chunked body is not served',
    send: chunked('Transfer-Encoding: chunked\r\n') + get('/smuggled'),
    answers: '200 closed',
    handled: 1,
  },
  {
    title: 'what follows trailers is not served',
    send: chunked('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nAuthorization: x\r\n\r\n') + get('/smuggled'),
    answers: '200 closed',
    handled: 1,
  },
  // headers
  { title: 'obs-fold is refused', send: get('/a', 'A: b\r\n c\r\n'), answers: '400 closed' },
  { title: 'a bare CR in a value is refused', send: get('/a', 'A: b\rc\r\n'), answers: '400 closed' },
  { title: 'a bare LF in a value is refused', send: get('/a', 'A: b\nB: c\r\n'), answers: '400 closed' },
  { title: 'NUL in a value is refused', send: get('/a', 'A: b\0c\r\n'), answers: '400 closed' },
  { title: 'NUL in a name is refused', send: get('/a', 'A\0: b\r\n'), answers: '400 closed' },
  { title: 'a space in a name is refused', send: get('/a', 'A b: c\r\n'), answers: '400 closed' },
  { title: 'a header without a colon is refused', send: get('/a', 'Ab\r\n'), answers: '400 closed' },
  { title: 'a name beyond ASCII is refused', send: get('/a', '\xe4: c\r\n'), answers: '400 closed' },
  {
    title: 'an empty name is refused',
    send: get('/a', ': c\r\n'),
    answers: '400 closed',
    handled: 0,
  },
  { title: 'an empty name before Host is refused', send: 'GET /a HTTP/1.1\r\n: c\r\nHost: x\r\n\r\n', answers: '400 closed' },
  { title: '90 headers are served', send: get('/a', 'A: b\r\n'.repeat(90)), answers: '200 open', handled: 1 },
  { title: '120 headers are refused', send: get('/a', 'A: b\r\n'.repeat(120)), answers: '431 closed' },
  { title: 'a header of 5 KiB is served', send: get('/a', `A: ${'b'.repeat(5000)}\r\n`), answers: '200 open', handled: 1 },
  { title: 'a header of 17 KiB is refused', send: get('/a', `A: ${'b'.repeat(17_000)}\r\n`), answers: '431 closed' },
  {
    title: 'a line break in x-request-id is refused',
    send: get('/a', 'X-Request-Id: a\r\n b\r\n'),
    answers: '400 closed',
  },
  // path
  { title: 'NUL in a path is refused', send: get('/a\0b'), answers: '400 closed' },
  { title: 'a path beyond ASCII is refused', send: get('/a\xff'), answers: '400 closed' },
  { title: 'a space in a path is refused', send: get('/a b'), answers: '400 closed' },
  { title: 'a query beyond ASCII is refused', send: get('/a?\xff'), answers: '400 closed' },
  { title: 'dot segments are refused', send: get('/a/../b'), answers: '400 closed' },
  { title: 'a single-dot segment is refused', send: get('/a/./b'), answers: '400 closed' },
  { title: 'encoded dot segments are refused', send: get('/a/%2e%2E/b'), answers: '400 closed' },
  { title: 'half-encoded dot segments are refused', send: get('/a/.%2e/b'), answers: '400 closed' },
  { title: 'an encoded slash that leads out of its segment is refused', send: get('/a%2f..%2fb'), answers: '400 closed' },
  { title: 'a backslash is refused', send: get('/a\\b'), answers: '400 closed' },
  { title: 'an encoded backslash is refused', send: get('/a%5cb'), answers: '400 closed' },
  { title: '%00 is refused', send: get('/a%00b'), answers: '400 closed' },
  { title: 'a broken percent-encoding is refused', send: get('/a%zz'), answers: '400 closed' },
  { title: 'a cut percent-encoding is refused', send: get('/a%2'), answers: '400 closed' },
  { title: 'overlong UTF-8 is refused', send: get('/a%c0%ae'), answers: '400 closed' },
  { title: 'a fragment is refused', send: get('/a#b'), answers: '400 closed' },
  { title: 'a path of 3 KiB is refused', send: get(`/${'a'.repeat(3000)}`), answers: '414 closed' },
  { title: 'a path of 8 KiB is refused', send: get(`/${'a'.repeat(8000)}`), answers: '414 closed' },
  { title: 'a query of 3 KiB is refused', send: get(`/a?${'a'.repeat(3000)}`), answers: '414 closed' },
  // what is odd, but right
  {
    title: 'GET with a body is served',
    send: `GET /a HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    answers: '200 open',
    handled: 1,
  },
  {
    title: 'an unknown expectation is ignored',
    send: post('Content-Length: 5\r\nExpect: bogus\r\n'),
    answers: '200 open',
    handled: 1,
  },
  {
    title: 'an upgrade nobody offers is ignored',
    send: get('/a', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
    answers: '200 open',
    handled: 1,
  },
  {
    title: 'pipelined requests are answered in order',
    send: get('/a') + get('/b') + get('/c'),
    answers: '200 200 200 open',
    handled: 3,
  },
  {
    title: 'a request behind a body in the same packet is served',
    send: post('Content-Length: 5\r\n') + get('/b'),
    answers: '200 200 open',
    handled: 2,
  },
];
