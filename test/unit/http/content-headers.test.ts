import t from 'tap';
import { parseBlobKey, type Sha256 } from '../../../src/core/digest.ts';
import { contentHeaders, contentTypeHeader, etagOf, validatorHeaders } from '../../../src/http/content-headers.ts';
import { isWritableHeaderValue } from '../../../src/http/request-guard.ts';

const key = parseBlobKey(`b3:${'0a'.repeat(32)}`);
const facts = { key, sha256: 'ff'.repeat(32) as Sha256, contentType: 'application/pdf', filename: 'a.pdf' };

function headers(changes: Partial<typeof facts>): Map<string, string> {
  const flat = contentHeaders({ ...facts, ...changes });
  t.ok(flat.every(isWritableHeaderValue));
  const map = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) map.set(flat[at] as string, flat[at + 1] as string);
  return map;
}

t.test('content is named by its digests', async (t) => {
  const pdf = headers({});
  t.equal(pdf.get('ETag'), `"b3-${'0a'.repeat(32)}"`);
  t.equal(pdf.get('ETag'), etagOf(key));
  t.equal(pdf.get('Repr-Digest'), `sha-256=:${Buffer.from('ff'.repeat(32), 'hex').toString('base64')}:`);
  t.equal(pdf.get('Accept-Ranges'), 'bytes');
  t.equal(pdf.get('X-Content-Type-Options'), 'nosniff');
});

t.test('content is kept by its caller alone, and asked for again each time', async (t) => {
  t.equal(headers({}).get('Cache-Control'), 'private, no-cache');
  t.equal(headers({}).get('Vary'), 'Authorization');
  t.same(validatorHeaders({ key }), ['ETag', etagOf(key), 'Cache-Control', 'private, no-cache', 'Vary', 'Authorization']);
});

t.test('nothing a browser could run is shown in place', async (t) => {
  for (const contentType of [
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'application/xml',
    'text/javascript',
    'TEXT/HTML; charset=utf-8',
    'x',
  ]) {
    const map = headers({ contentType });
    t.match(map.get('Content-Disposition'), /^attachment/, contentType);
    t.match(map.get('Content-Security-Policy'), /sandbox/);
  }
  t.match(headers({ contentType: 'image/png' }).get('Content-Disposition'), /^inline/);
  t.match(headers({ contentType: 'text/plain; charset=utf-8' }).get('Content-Security-Policy'), /sandbox/);
});

t.test('a media type that cannot be written is octet-stream', async (t) => {
  t.equal(contentTypeHeader('text/plain'), 'text/plain');
  for (const type of ['', 'text/plain; a="ä"', 'a\r\nb']) t.equal(contentTypeHeader(type), 'application/octet-stream');
});
