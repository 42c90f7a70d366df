import type { Test } from 'tap';
import { type OpenEdge, openEchoEdge } from '../helpers/echo-edge.ts';
import { RawClient } from '../helpers/raw-http.ts';

/**
 * What h1spec (github.com/uNetworking/h1spec) asks of a server, case by case under its names. A fragment is waited on: it
 * gets no answer, and the rest of the request, which h1spec does not send, gets the right one.
 */
export function h1specContract(t: Test, open: OpenEdge): void {
  t.test('h1spec', async (t) => {
    const { edge, port } = await openEchoEdge(open, (exchange) => {
      const parts: Buffer[] = [];
      exchange.readBody({
        chunk: (bytes) => parts.push(Buffer.from(bytes)),
        end: () => exchange.reply(200, [], Buffer.concat(parts)),
        gone: () => undefined,
      });
    });
    t.teardown(() => edge.close());
    await Promise.all([
      ...fragments.map(async ([title, sent]) => {
        const client = await RawClient.connect(port);
        client.send(sent);
        await new Promise((resolve) => setTimeout(resolve, 100));
        t.same([client.unread, client.closed], [0, false], `${title}: waits`);
        client.send(WHOLE.slice(sent.length));
        t.equal((await client.answer())?.status, 200, `${title}: and serves`);
        client.destroy();
      }),
      ...requests.map(async ([title, sent, expected, body]) => {
        const client = await RawClient.connect(port);
        client.send(sent);
        const answer = await client.answer();
        t.match(String(answer?.status), expected, title);
        if (body !== undefined) t.equal(answer?.body.toString(), body, `${title}: its body`);
        client.destroy();
      }),
    ]);
    t.equal(fragments.length + requests.length, 33, 'none is left out');
  });
}

const WHOLE = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n';

const fragments: readonly (readonly [title: string, sent: string])[] = [
  ['Fragmented method', 'G'],
  ['Fragmented URL 1', 'GET '],
  ['Fragmented URL 2', 'GET /hello'],
  ['Fragmented URL 3', 'GET /hello '],
  ['Fragmented HTTP version', 'GET /hello HTTP'],
  ['Fragmented request line', 'GET /hello HTTP/1.1'],
  ['Fragmented request line newline 1', 'GET /hello HTTP/1.1\r'],
  ['Fragmented request line newline 2', 'GET /hello HTTP/1.1\r\n'],
  ['Fragmented field name', 'GET /hello HTTP/1.1\r\nHos'],
  ['Fragmented field value 1', 'GET /hello HTTP/1.1\r\nHost:'],
  ['Fragmented field value 2', 'GET /hello HTTP/1.1\r\nHost: '],
  ['Fragmented field value 3', 'GET /hello HTTP/1.1\r\nHost: localhost'],
  ['Fragmented field value 4', 'GET /hello HTTP/1.1\r\nHost: localhost\r'],
  ['Fragmented request', 'GET /hello HTTP/1.1\r\nHost: localhost\r\n'],
  ['Fragmented request termination', 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r'],
];

const HOST = 'Host: example.com\r\n';
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const CHUNKS = 'c\r\nHellO world1\r\n0\r\n\r\n';
const get = (headers: string) => `GET / HTTP/1.1\r\n${headers}\r\n`;

const requests: readonly (readonly [title: string, sent: string, status: RegExp, body?: string])[] = [
  ['Request without HTTP version', 'GET / \r\n\r\n', /^[45]/],
  ['Request with Expect header', get(`${HOST}Expect: 100-continue\r\n`), /^(100|2..)$/],
  ['Valid GET request', get(HOST), /^2/],
  ['Valid GET request with edge cases', get('hoSt:\texample.com\r\nempty:\r\n'), /^2/],
  ['Invalid header characters', get(`${HOST}X-Invalid[]: test\r\n`), /^4/],
  ['Missing Host header', get('Content-Length: 5\r\n'), /^4/],
  ['Multiple Host headers', get(`${HOST}Host: example.org\r\n`), /^4/],
  ['Overflowing negative Content-Length header', get(`${HOST}Content-Length: -123456789123456789123456789\r\n`), /^4/],
  ['Negative Content-Length header', get(`${HOST}Content-Length: -1234\r\n`), /^4/],
  ['Non-numeric Content-Length header', get(`${HOST}Content-Length: abc\r\n`), /^4/],
  ['Empty header value', get(`${HOST}X-Empty-Header: \r\n`), /^2/],
  ['Header containing invalid control character', get(`${HOST}X-Bad-Control-Char: test\x07\r\n`), /^4/],
  ['Invalid HTTP version', `GET / HTTP/9.9\r\n${HOST}\r\n`, /^[45]/],
  ['Invalid prefix of request', `Extra line${get(HOST)}`, /^[45]/],
  ['Invalid line ending', get(`${HOST}\rSome-Header: Test\r\n`), /^4/],
  ['Valid POST request with body', `${POST}Content-Length: 5\r\n\r\nhello`, /^2/, 'hello'],
  ['Chunked Transfer-Encoding', `${POST}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`, /^2/, 'HellO world1'],
  // h1spec takes 200 too; here two sizes of one body are none.
  [
    'Conflicting Transfer-Encoding and Content-Length in varying case',
    `${POST}content-LengtH: 5\r\nTransFer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    /^4/,
  ],
];
