import t from 'tap';
import { isQuasarError } from '../../../src/core/errors.ts';
import { admitBody, type RouteBody } from '../../../src/http/body-rules.ts';
import type { Route } from '../../../src/http/router.ts';
import { routes } from '../../../src/http/routes.ts';
import { outcomeOf } from '../../helpers/dispatched.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

const kinds: readonly RouteBody[] = ['json', 'record', 'piece'];
const md5 = 'nU7nZgkBfn3eyhTBcfNmdQ==';

function codeOf(body: RouteBody, headers: Record<string, string>, bodySize: number | undefined = 5): string {
  try {
    admitBody(new FakeExchange({ method: 'POST', headers, bodySize }), body);
    return 'admitted';
  } catch (error) {
    return isQuasarError(error) ? error.code : 'none of ours';
  }
}

/** Headers that make a body something else than its bytes, whatever the route. */
const refused: readonly (readonly [string, string, string])[] = [
  ...['gzip', 'x-gzip', 'br', 'zstd', 'deflate', 'compress', 'aws-chunked', 'identity, gzip', 'GZIP', 'unknown'].map(
    (value) => ['content-encoding', value, 'unsupported_media_type'] as const,
  ),
  ['content-transfer-encoding', 'base64', 'unsupported_media_type'],
  ['content-range', 'bytes 0-4/10', 'bad_parameter'],
  ['content-range', 'bytes */10', 'bad_parameter'],
  ['content-range', '', 'bad_parameter'],
  ['x-content-range', 'bytes 0-4/10', 'bad_parameter'],
  ['tus-resumable', '1.0.0', 'bad_parameter'],
  ['upload-length', '10', 'bad_parameter'],
  ['upload-defer-length', '1', 'bad_parameter'],
  ['upload-concat', 'partial', 'bad_parameter'],
  ['upload-metadata', 'filename YQ==', 'bad_parameter'],
  ['upload-checksum', 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=', 'bad_parameter'],
  ['upload-incomplete', '?1', 'bad_parameter'],
  ['x-goog-resumable', 'start', 'bad_parameter'],
  ['x-goog-upload-command', 'start', 'bad_parameter'],
  ['x-goog-hash', 'crc32c=AAAAAA==', 'bad_parameter'],
  ['x-amz-decoded-content-length', '5', 'unsupported_media_type'],
  ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'unsupported_media_type'],
  ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'unsupported_media_type'],
  ['x-amz-trailer', 'x-amz-checksum-crc32c', 'unsupported_media_type'],
  ['x-amz-checksum-crc32', 'AAAAAA==', 'bad_parameter'],
  ['x-amz-checksum-crc64nvme', 'AAAAAAAAAAA=', 'bad_parameter'],
  ['x-amz-copy-source', '/bucket/key', 'bad_parameter'],
  ['x-ms-blob-type', 'AppendBlob', 'bad_parameter'],
  ['x-ms-range', 'bytes=0-4', 'bad_parameter'],
  ['x-amz-write-offset-bytes', '5', 'bad_parameter'],
  ['x-ms-blob-condition-appendpos', '5', 'bad_parameter'],
  ...[
    'x-checksum-sha1',
    'x-checksum',
    'x-ms-content-crc64',
    'x-ms-blob-content-md5',
    'x-amz-checksum-crc32c',
    'upload-checksum',
  ].map((name) => [name, 'aa', 'bad_parameter'] as const),
  ...['x-amz-checksum-sha512', 'x-amz-checksum-md5', 'x-amz-checksum-xxhash64', 'x-amz-checksum-xxhash3'].map(
    (name) => [name, 'aa', 'bad_parameter'] as const,
  ),
  ...['unencoded-digest', 'x-content-digest', 'content-sha256', 'x-goog-content-sha256', 'x-bz-content-sha1', 'x-sha-256'].map(
    (name) => [name, 'aa', 'bad_parameter'] as const,
  ),
  ...['x-oss-hash-crc64ecma', 'content-crc32', 'x-content-md5', 'content-checksum', 'x-blake3'].map(
    (name) => [name, 'aa', 'bad_parameter'] as const,
  ),
  ['trailer', 'x-amz-checksum-sha512', 'bad_parameter'],
  ['oc-checksum', 'SHA1:aa', 'bad_parameter'],
  ['content-digest', 'crc32c=:AAAAAA==:', 'bad_parameter'],
  ['content-digest', 'sha-256=:AAAA:', 'bad_parameter'],
  ['digest', 'crc32c=AAAAAA==', 'bad_parameter'],
  ['content-md5', 'AAAA', 'bad_parameter'],
  ['trailer', 'Content-Digest', 'bad_parameter'],
  ['trailer', 'Expires, content-md5', 'bad_parameter'],
  ['x-http-method-override', 'DELETE', 'bad_parameter'],
];

t.test('a body that is something else than its bytes is refused by every route before its handler runs', async (t) => {
  const changing = routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  for (const route of changing) {
    for (const [name, value, code] of refused) {
      const outcome = await outcomeOf(route as unknown as Route<never>, { [name]: value });
      t.equal(outcome, code, `${route.method} ${route.pattern} ${name}: ${value}`);
    }
  }
});

t.test('what says nothing else about the bytes is admitted', async (t) => {
  for (const body of kinds) {
    for (const headers of [
      { 'content-encoding': 'identity' },
      { 'content-encoding': 'Identity' },
      { 'content-transfer-encoding': 'binary' },
      { te: 'trailers' },
      { trailer: 'Expires' },
      { range: 'bytes=0-4' },
      { 'content-md5': md5 },
      { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      { 'x-ms-blob-type': 'BlockBlob' },
      { 'content-language': 'de' },
      { 'want-repr-digest': 'sha-256=1' },
      { 'x-ssl-client-sha1': 'aa' },
      { 'x-client-cert-sha256': 'aa' },
      { 'x-amz-sdk-checksum-algorithm': 'SHA256' },
    ]) {
      t.equal(codeOf(body, headers as unknown as Record<string, string>), 'admitted', `${body} ${JSON.stringify(headers)}`);
    }
  }
});

t.test('an offset belongs to a piece, a digest of the whole file to a record', async (t) => {
  t.equal(codeOf('piece', { 'upload-offset': '5' }), 'admitted');
  t.equal(codeOf('piece', { 'upload-complete': '?0' }), 'admitted');
  t.equal(codeOf('piece', { 'upload-complete': '?1' }), 'bad_parameter');
  t.equal(codeOf('record', { 'upload-complete': '?1' }), 'admitted');
  for (const body of ['record', 'json'] as const) {
    for (const offset of ['0', '5']) t.equal(codeOf(body, { 'upload-offset': offset }), 'bad_parameter');
    t.equal(codeOf(body, { 'upload-complete': '?0' }), 'bad_parameter');
    t.equal(codeOf(body, { 'repr-digest': `md5=:${md5}:` }), 'admitted');
  }
  t.equal(codeOf('piece', { 'repr-digest': `md5=:${md5}:` }), 'bad_parameter');
  t.equal(codeOf('piece', { digest: `MD5=${md5}` }), 'bad_parameter');
  t.equal(codeOf('piece', { 'content-digest': `md5=:${md5}:` }), 'admitted');
});

t.test('forms and parts are not taken for the bytes in them', async (t) => {
  for (const type of ['multipart/form-data; boundary=x', 'Multipart/Form-Data', 'multipart/byteranges; boundary=x']) {
    for (const body of ['record', 'piece'] as const)
      t.equal(codeOf(body, { 'content-type': type }), 'unsupported_media_type', type);
  }
  for (const type of ['application/offset+octet-stream', 'application/partial-upload']) {
    t.equal(codeOf('record', { 'content-type': type }), 'unsupported_media_type');
    t.equal(codeOf('piece', { 'content-type': type }), 'admitted');
  }
  for (const type of ['multipart/related; boundary=x', 'message/rfc822', 'application/json', 'application/gzip'])
    t.equal(codeOf('record', { 'content-type': type }), 'admitted', type);
});

t.test('an empty record is one that says so', async (t) => {
  t.equal(codeOf('record', {}, 0), 'length_required');
  t.equal(codeOf('record', { 'content-length': '0' }, 0), 'admitted');
  t.equal(codeOf('record', {}, undefined), 'admitted');
  for (const body of ['json', 'piece'] as const) t.equal(codeOf(body, {}, 0), 'admitted');
});

t.test('a coding that is not taken is answered with the one that is', async (t) => {
  const exchange = new FakeExchange({ headers: { 'content-encoding': 'gzip' } });
  t.throws(() => admitBody(exchange, 'record'), { code: 'unsupported_media_type', details: { acceptEncoding: 'identity' } });
});
