import t from 'tap';
import { s3Requests } from '../../../../bench/peers/s3.ts';
import { tusUpload } from '../../../../bench/peers/tus.ts';

const place = { home: '/home', data: '/home/data', port: 9000, otherPorts: [] };
const credentials = { accessKey: 'key', secretKey: 'secret', region: 'us-east-1' };

t.test('a public bucket is written by number and read by a list', async (t) => {
  const { writes, reads } = s3Requests({ credentials, signed: false });
  t.same(writes(place, { batch: 2, count: 3, size: 1 }), { method: 'PUT', paths: '/bench/2/%d', headers: {} });
  t.same(reads(place, { batch: 2, count: 3 }).paths, ['/bench/2/0', '/bench/2/1', '/bench/2/2']);
});

t.test('every signed request has a path of its own, for its method', async (t) => {
  const { writes, reads } = s3Requests({ credentials, signed: true });
  const [puts, gets] = [writes(place, { batch: 1, count: 3, size: 1 }), reads(place, { batch: 1, count: 3 })];
  t.match([puts.method, gets.method], ['PUT', 'GET']);
  const paths = [...puts.paths, ...gets.paths];
  t.match(paths, [/^\/bench\/1\/0\?/, /^\/bench\/1\/1\?/, /^\/bench\/1\/2\?/, /^\/bench\/1\/0\?/, /1\/1\?/, /1\/2\?/]);
  t.equal(new Set(paths.map((path) => path.slice(-64))).size, 6);
});

t.test('a tus upload says what tus servers need to store a body at once', async (t) => {
  t.same(tusUpload('/files', 100), {
    method: 'POST',
    paths: '/files',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '100', 'Content-Type': 'application/offset+octet-stream' },
  });
});
