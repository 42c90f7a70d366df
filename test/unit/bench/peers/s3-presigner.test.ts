import t from 'tap';
import { S3Presigner } from '../../../../bench/peers/s3-presigner.ts';

/** The example of "Authenticating requests: using query parameters" at docs.aws.amazon.com. */
const credentials = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const options = { host: 'examplebucket.s3.amazonaws.com', now: new Date('2013-05-24T00:00:00.000Z') };

t.test('the published example gets the published signature', async (t) => {
  t.equal(
    new S3Presigner(credentials, options).sign({ method: 'GET', path: '/test.txt' }),
    '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

t.test('method, path, query, host, time and key all count', async (t) => {
  const sign = (change: Partial<typeof options>, secretKey = credentials.secretKey, request = {}) =>
    new S3Presigner({ ...credentials, secretKey }, { ...options, ...change })
      .sign({ method: 'GET', path: '/a', ...request })
      .slice(-64);
  const signatures = [
    sign({}),
    sign({ host: '127.0.0.1:9000' }),
    sign({ now: new Date('2013-05-24T00:00:01.000Z') }),
    sign({}, 'another'),
    sign({}, credentials.secretKey, { method: 'PUT' }),
    sign({}, credentials.secretKey, { path: '/b' }),
    sign({}, credentials.secretKey, { query: { policy: '' } }),
  ];
  t.equal(new Set(signatures).size, signatures.length);
});

t.test('parameters of the request stand in the query, escaped and in order', async (t) => {
  const path = new S3Presigner(credentials, options).sign({ method: 'PUT', path: '/a', query: { tagging: 'a b', acl: '' } });
  t.match(path, /^\/a\?X-Amz-.*&acl=&tagging=a%20b&X-Amz-Signature=[0-9a-f]{64}$/);
});
