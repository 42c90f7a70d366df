import t from 'tap';
import { signedHeaders } from '../../../../bench/load/drivers/aws4-signature.ts';
import { chooseDriver } from '../../../../bench/load/drivers/choose-driver.ts';
import type { UploadSessions } from '../../../../bench/load/drivers/driver.ts';
import { WireHead } from '../../../../bench/load/http/wire-head.ts';

const answer = (text: string, headers: Record<string, string> = {}) => ({
  status: 200,
  headers: new Map(Object.entries(headers)),
  text,
});

t.test('Quasar is asked below the path in its address', async (t) => {
  const driver = chooseDriver('quasar', '/court');
  t.equal(driver.upload('a.bin', 5).path, '/court/v1/documents?filename=a.bin');
  const accepted = driver.accepted('a.bin', answer('{"documentId":"d1","digests":{"sha256":"ab"}}'));
  t.strictSame(accepted, { path: '/court/v1/documents/d1/content', sha256: 'ab' });
  t.equal(driver.metadata('/court/v1/documents/d1/content').path, '/court/v1/documents/d1');
  t.strictSame(driver.read('/x', { start: 10, end: 20 }).headers, { range: 'bytes=10-19' });
});

t.test('an answer that Quasar would not give is not understood', async (t) => {
  const driver = chooseDriver('quasar', '');
  const sessions = driver.sessions as UploadSessions;
  for (const text of ['', 'null', '[]', '{}', '{"documentId":5}', 'nonsense']) {
    t.equal(driver.accepted('a', answer(text)), undefined, text);
    t.equal(sessions.opened(answer(text)), undefined, text);
  }
  t.equal(sessions.offset(answer('')), undefined);
  t.equal(sessions.offset(answer('', { 'upload-offset': '12' })), 12);
  t.equal(sessions.offset(answer('', { 'upload-offset': '-1' })), undefined);
});

t.test('S3 lists its bucket, below the prefix', async (t) => {
  t.equal(chooseDriver('s3', '/bucket').list?.().path, '/bucket?list-type=2&max-keys=100');
  t.equal(chooseDriver('s3', '/bucket/a/b').list?.().path, '/bucket?list-type=2&max-keys=100&prefix=a%2Fb%2F');
  t.equal(chooseDriver('s3', '/bucket/a').upload('x', 1).path, '/bucket/a/x');
  t.equal(chooseDriver('http', '/a').list, undefined);
});

t.test('heads carry the host, the headers of the installation and the length', async (t) => {
  const wire = new WireHead({ host: 'h:1', always: [['Authorization', 'Bearer x']], credentials: undefined });
  t.equal(
    wire.write({ method: 'PUT', path: '/a', headers: { etag: '1' } }, 7),
    'PUT /a HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer x\r\netag: 1\r\nContent-Length: 7\r\n\r\n',
  );
  t.equal(
    wire.write({ method: 'GET', path: '/a' }, undefined),
    'GET /a HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer x\r\n\r\n',
  );
});

t.test('signatures name key, region and service, leave the body out, and depend on the secret', async (t) => {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 's1', sessionToken: undefined, region: 'eu-west-1' };
  const request = { method: 'GET', path: '/bucket/key', headers: { range: 'bytes=0-9' } } as const;
  const signed = signedHeaders(request, 'h:1', credentials);
  t.match(signed.Authorization, /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/s3\/aws4_request, SignedHeaders=host;/);
  t.equal(signed['X-Amz-Content-Sha256'], 'UNSIGNED-PAYLOAD');
  t.equal(signed.range, 'bytes=0-9');
  t.equal(signed.Host, undefined, 'it is written apart');
  const date = { 'X-Amz-Date': '20260101T000000Z' };
  const fixed = (secretAccessKey: string) =>
    signedHeaders({ ...request, headers: date }, 'h:1', { ...credentials, secretAccessKey }).Authorization;
  t.equal(fixed('s1'), fixed('s1'));
  t.not(fixed('s1'), fixed('s2'));
});
