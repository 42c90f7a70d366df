import { createHash } from 'node:crypto';
import t from 'tap';
import { parseDigestHeaders } from '../../../src/http/digest-fields.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

const digest = createHash('sha256').update('x').digest();
const other = createHash('sha256').update('y').digest('base64');
const hex = digest.toString('hex');
const base64 = digest.toString('base64');

const parse = (headers: Record<string, string>) => parseDigestHeaders(new FakeExchange({ headers }));

t.test('digests are read from each header', async (t) => {
  t.same(parse({}), { repr: undefined, content: undefined });
  t.same(parse({ 'repr-digest': `sha-256=:${base64}:` }), { repr: hex, content: undefined });
  t.same(parse({ 'content-digest': `sha-512=:AAAA:, sha-256=:${base64}:;p=1` }), { repr: undefined, content: hex });
  t.same(parse({ 'x-amz-checksum-sha256': base64 }), { repr: undefined, content: hex });
  t.same(parse({ 'content-digest': 'sha-512=:AAAA:' }), { repr: undefined, content: undefined });
  t.same(parse({ 'content-digest': `sha-256=:${base64}:`, 'x-amz-checksum-sha256': base64 }).content, hex);
});

t.test('what cannot be read is refused, not ignored', async (t) => {
  const bad = [
    '',
    'sha-256',
    `sha-256=${base64}`,
    'sha-256=:AAAA:',
    `sha-256=:${base64.slice(0, -1)}:`,
    `sha-256=:${base64.replace('=', '')}:`,
    `SHA-256=:${base64}:`,
    `sha-256=:${base64}:,`,
    `sha-256=:${base64}:, sha-256=:${other}:`,
  ];
  for (const value of bad) {
    t.throws(() => parse({ 'repr-digest': value }), { code: 'bad_parameter', details: { parameter: 'Repr-Digest' } }, value);
  }
  for (const value of ['', hex, `${base64}-2`, base64.replace(/=$/, '')])
    t.throws(() => parse({ 'x-amz-checksum-sha256': value }), { code: 'bad_parameter' }, value);
  t.throws(() => parse({ 'content-digest': `sha-256=:${base64}:`, 'x-amz-checksum-sha256': other }), { code: 'bad_parameter' });
});
