import { createHash } from 'node:crypto';
import t from 'tap';
import { type AnnouncedDigest, announcedDigests, verifierOf } from '../../../src/http/body-digests.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

const base64 = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('base64');
const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');
const sha256 = base64('sha256', 'x');

const parse = (headers: Record<string, string>) => announcedDigests(new FakeExchange({ headers }));
const facts = (headers: Record<string, string>) => parse(headers).map(({ algorithm, hex, whole }) => [algorithm, hex, whole]);

/** Each way to say a digest of a text, in the algorithms it knows. */
const spellings: readonly ((text: string) => Record<string, string>)[] = [
  (text) => ({ 'content-digest': `sha-256=:${base64('sha256', text)}:` }),
  (text) => ({ 'content-digest': `sha-512=:${base64('sha512', text)}:;p=1, sha-256=:${base64('sha256', text)}:` }),
  (text) => ({ 'repr-digest': `md5=:${base64('md5', text)}:` }),
  (text) => ({ 'repr-digest': `sha=:${base64('sha1', text)}:` }),
  (text) => ({ digest: `SHA-256=${base64('sha256', text)},MD5=${base64('md5', text)}` }),
  (text) => ({ digest: `sha-512=${base64('sha512', text)}` }),
  (text) => ({ 'content-md5': base64('md5', text) }),
  (text) => ({ 'x-amz-checksum-sha256': base64('sha256', text) }),
  (text) => ({ 'x-amz-checksum-sha1': base64('sha1', text) }),
  (text) => ({ 'x-amz-content-sha256': hex('sha256', text) }),
];

t.test('every way to say a digest is compared with the bytes', async (t) => {
  for (const spell of spellings) {
    for (const [text, right] of [
      ['x', true],
      ['y', false],
    ] as const) {
      const verifier = verifierOf(parse(spell(text)));
      verifier?.observe(Buffer.from('x'));
      if (right) t.doesNotThrow(() => verifier?.verify(), JSON.stringify(spell(text)));
      else t.throws(() => verifier?.verify(), { code: 'digest_mismatch' }, JSON.stringify(spell(text)));
      t.ok(verifier);
    }
  }
});

t.test('of several digests each is compared, also where only one is wrong', async (t) => {
  const wrong: AnnouncedDigest[] = [
    ...parse({ 'content-md5': base64('md5', 'x'), 'repr-digest': `sha-256=:${sha256}:` }),
    ...parse({ 'x-amz-checksum-sha1': base64('sha1', 'y') }),
  ];
  const verifier = verifierOf(wrong);
  for (const byte of Buffer.from('x')) verifier?.observe(Buffer.of(byte));
  t.throws(() => verifier?.verify(), { code: 'digest_mismatch', details: { header: 'x-amz-checksum-sha1' } });
  t.equal(verifierOf([]), undefined);
});

t.test('digests of the file and of the bytes of a request are told apart', async (t) => {
  t.same(parse({}), []);
  t.same(facts({ 'repr-digest': `sha-256=:${sha256}:` }), [['sha256', hex('sha256', 'x'), true]]);
  t.same(facts({ digest: `SHA-256=${sha256}` }), [['sha256', hex('sha256', 'x'), true]]);
  t.same(facts({ 'content-digest': `sha-256=:${sha256}:` }), [['sha256', hex('sha256', 'x'), false]]);
  t.same(facts({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }), []);
});

t.test('what cannot be read or is not computed here is refused, not ignored', async (t) => {
  const fields = [
    '',
    'sha-256',
    `sha-256=${sha256}`,
    'sha-256=:AAAA:',
    'sha-512=:AAAA:',
    `sha-256=:${sha256.slice(0, -1)}:`,
    `sha-256=:${sha256.replace('=', '')}:`,
    `SHA-256=:${sha256}:`,
    `sha-256=:${sha256}:,`,
    `sha-256=:${sha256}:, sha-256=:${base64('sha256', 'y')}:`,
    `sha-256=:${sha256}:, crc32c=:AAAAAA==:`,
    'unixsum=:AAA=:',
    'adler=:AAAAAA==:',
    `blake3=:${sha256}:`,
  ];
  for (const value of fields) {
    for (const [name, parameter] of [
      ['repr-digest', 'Repr-Digest'],
      ['content-digest', 'Content-Digest'],
    ] as const) {
      t.throws(() => parse({ [name]: value }), { code: 'bad_parameter', details: { parameter } }, value);
    }
  }
  for (const value of [
    '',
    'sha-256',
    `sha-256=:${sha256}:`,
    `crc32c=AAAAAA==`,
    'unixsum=30637',
    `id-sha-256=${sha256}`,
    'md5=AAAA',
  ]) {
    t.throws(() => parse({ digest: value }), { code: 'bad_parameter', details: { parameter: 'Digest' } }, value);
  }
  for (const value of ['', hex('sha256', 'x'), `${sha256}-2`, sha256.replace(/=$/, '')]) {
    t.throws(() => parse({ 'x-amz-checksum-sha256': value }), { code: 'bad_parameter' }, value);
    t.throws(() => parse({ 'content-md5': value }), { code: 'bad_parameter' }, value);
  }
  for (const value of ['', sha256, hex('sha256', 'x').toUpperCase(), 'unsigned']) {
    t.throws(() => parse({ 'x-amz-content-sha256': value }), { code: 'bad_parameter' }, value);
  }
});
