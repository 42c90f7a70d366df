import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { inspectHead, isWritableHeaderValue, type RequestHead } from '../../../src/http/request-guard.ts';

function head(changes: Partial<RequestHead> = {}, ...headers: string[]): RequestHead {
  return { version: '1.1', method: 'GET', path: '/v1/health', query: '', headers: ['host', 'x', ...headers], ...changes };
}

t.test('a clean head passes and says how long the body is', async (t) => {
  t.same(inspectHead(head()), { fault: undefined, closes: false, bodySize: 0 });
  t.same(inspectHead(head({ method: 'PUT' }, 'content-length', '5')), { fault: undefined, closes: false, bodySize: 5 });
  t.same(inspectHead(head({ method: 'PUT' }, 'content-length', '0')), { fault: undefined, closes: false, bodySize: 0 });
  t.same(inspectHead(head({ method: 'PUT' }, 'content-length', '1099511627776')), {
    fault: undefined,
    closes: false,
    bodySize: 2 ** 40,
  });
  t.same(inspectHead(head({ method: 'PUT' }, 'transfer-encoding', 'Chunked')), {
    fault: undefined,
    closes: true,
    bodySize: undefined,
  });
});

t.test('a head says whether its connection serves on', async (t) => {
  for (const [value, closes] of [
    ['close', true],
    ['Close', true],
    ['upgrade, close', true],
    ['close,keep-alive', true],
    ['keep-alive', false],
    ['enclose', false],
    ['close-notify', false],
  ] as const)
    t.equal(inspectHead(head({}, 'connection', value)).closes, closes, value);
  t.equal(inspectHead(head({ version: '1.0' }, 'connection', 'keep-alive')).closes, true, 'HTTP/1.0');
});

t.test('HTTP/1.0 need not name a host, and its bodies have a length', async (t) => {
  t.same(inspectHead(head({ version: '1.0', headers: [] })), { fault: undefined, closes: true, bodySize: 0 });
  t.match(inspectHead(head({ version: '1.0', method: 'PUT' }, 'transfer-encoding', 'chunked')).fault, { code: 'bad_request' });
});

t.test('an absolute target names a host', async (t) => {
  for (const authority of ['', 'u@y', 'y/z', 'y z'])
    t.match(inspectHead(head({ authority })).fault, { code: 'bad_request' }, authority);
  t.equal(inspectHead(head({ authority: '[::1]:8080' })).fault, undefined);
});

t.test('only OPTIONS asks about the server as a whole', async (t) => {
  t.equal(inspectHead(head({ method: 'OPTIONS', path: '*' })).fault, undefined);
  t.match(inspectHead(head({ path: '*' })).fault, { code: 'bad_request' });
  t.match(inspectHead(head({ method: 'OPTIONS', path: '*', query: 'a' })).fault, { code: 'bad_request' });
});

t.test('each fault has its code', async (t) => {
  const table: [string, RequestHead, string][] = [
    ['version', head({ version: '2.0' }), 'http_version_unsupported'],
    ['method', head({ method: 'BREW' }), 'method_unknown'],
    ['no host', head({ headers: [] }), 'bad_request'],
    ['two hosts', head({}, 'host', 'x'), 'bad_request'],
    ['host with user', head({ headers: ['host', 'a@b'] }), 'bad_request'],
    ['two lengths', head({}, 'content-length', '1', 'content-length', '1'), 'bad_request'],
    ['length and coding', head({ method: 'PUT' }, 'content-length', '1', 'transfer-encoding', 'chunked'), 'bad_request'],
    ['two codings', head({ method: 'PUT' }, 'transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'), 'bad_request'],
    ['odd coding', head({ method: 'PUT' }, 'transfer-encoding', 'chunked, chunked'), 'bad_request'],
    ['chunked HEAD', head({ method: 'HEAD' }, 'transfer-encoding', 'chunked'), 'bad_request'],
    ['empty name', head({}, '', 'b'), 'bad_request'],
    ['name with space', head({}, 'a b', 'c'), 'bad_request'],
    ['value with DEL', head({}, 'a', 'b\x7f'), 'bad_request'],
    ['long path', head({ path: `/${'a'.repeat(limits.pathMax)}` }), 'uri_too_long'],
    ['long query', head({ query: 'a'.repeat(limits.pathMax) }), 'uri_too_long'],
    ['many headers', head({}, ...Array.from({ length: limits.httpHeadersMax * 2 }, () => 'a')), 'headers_too_large'],
    ['large head', head({}, 'a', 'b'.repeat(limits.httpHeadMax)), 'headers_too_large'],
  ];
  for (const [title, request, code] of table) t.match(inspectHead(request).fault, { code }, title);
});

t.test('a Content-Length is decimal digits and nothing else', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), (text) => {
      const verdict = inspectHead(head({ method: 'PUT' }, 'content-length', text));
      return /^\d+$/.test(text) || text === '' ? true : verdict.fault !== undefined;
    }),
  );
});

t.test('paths with more than one reading are refused', async (t) => {
  const bad = [
    '',
    'a',
    '*',
    'http://x/',
    '/a\\b',
    '/%',
    '/%4',
    '/%zz',
    '/%00',
    '/%0a',
    '/%1f',
    '/%7f',
    '/%c2%80',
    '/%c0%ae',
    '/%ff',
    '/..',
    '/a/..',
    '/../a',
    '/.',
    '/a/./b',
    '/%2e%2e',
    '/%2E.',
    '/a%2f..%2fb',
    '/%2e%2e%2fb',
    '/a%2f.',
    '/a%5Cb',
    '/a b',
    '/a\0',
    '/a<b',
    '/a"b',
    '/a^b',
    '/a`b',
    '/a{b}',
    '/a|b',
    '/ä',
    '/a#b',
    '/a?b',
  ];
  for (const path of bad) t.match(inspectHead(head({ path })).fault, { code: 'bad_request' }, path);
  const good = [
    '/',
    '//',
    '/a',
    '/a/',
    '/v1/blobs/b3:0a',
    '/v1/blobs/b3%3A0a',
    '/%C3%A4',
    '/a.b',
    '/...',
    '/.well-known/x',
    "/a!$&'()*+,;=@~-_",
  ];
  for (const path of good) t.equal(inspectHead(head({ path })).fault, undefined, path);
});

t.test('only printable ASCII is written into a header', async (t) => {
  for (const value of ['a\r\nb', 'a\n', 'a\0', 'ä', 'a\tb', '\x7f'])
    t.equal(isWritableHeaderValue(value), false, JSON.stringify(value));
  t.equal(isWritableHeaderValue(`form-data; a="b" ~!`), true);
});
