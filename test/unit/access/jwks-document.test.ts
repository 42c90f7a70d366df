import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { findKey, parseJwks } from '../../../src/access/jwks-document.ts';
import { limits } from '../../../src/core/limits.ts';
import { issuerKey, jwksOf, publicJwk } from '../../helpers/jwt-issuer.ts';

const ed = issuerKey('EdDSA');
const ec = issuerKey('ES256');
const rsa = issuerKey('RS256');
const setOf = (...keys: unknown[]): string => JSON.stringify({ keys });

t.test('each key of a set is bound to the one algorithm of its kind', async (t) => {
  const { keys, skipped } = parseJwks(jwksOf(ed, ec, rsa));
  t.equal(skipped, 0);
  t.same(
    keys.map(({ kid, algorithm }) => [kid, algorithm]),
    [ed, ec, rsa].map(({ kid, algorithm }) => [kid, algorithm]),
  );
  for (const { kid, publicKey } of [ed, ec, rsa]) {
    const algorithm = keys.find((key) => key.kid === kid)?.algorithm ?? 'EdDSA';
    t.ok(findKey(keys, { kid, algorithm })?.equals(publicKey));
  }
  t.equal(findKey(keys, { kid: rsa.kid, algorithm: 'ES256' }), undefined, 'a name alone is not enough');
});

t.test('keys for other purposes, symmetric, private, weak or broken ones are skipped, and the rest is taken', async (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const odd = [
    { ...publicJwk(rsa), use: 'enc' },
    { ...publicJwk(rsa), alg: 'RSA-OAEP' },
    { ...publicJwk(rsa), alg: 'HS256' },
    { ...publicJwk(rsa), alg: 'none' },
    { ...publicJwk(ed), key_ops: ['sign'] },
    { ...publicJwk(ed), kid: 7 },
    { ...publicJwk(ed), kid: '' },
    { ...publicJwk(ed), kid: 'k'.repeat(limits.tokenNameMax + 1) },
    { ...publicJwk(ed), x: 'AAAA' },
    { ...publicJwk(ec), crv: 'P-384' },
    { ...publicJwk(ec), y: publicJwk(ec).x },
    { kty: 'oct', k: 'c2VjcmV0', kid: 'secret', alg: 'HS256' },
    { ...ed.privateKey.export({ format: 'jwk' }), kid: 'private' },
    { ...weak, kid: 'weak' },
    { kty: 'RSA' },
    'key',
    null,
    [],
  ];
  const { keys, skipped } = parseJwks(setOf(...odd, publicJwk(ed)));
  t.equal(skipped, odd.length);
  t.same(
    keys.map(({ kid }) => kid),
    [ed.kid],
  );
});

t.test('of two keys with one name the first counts', async (t) => {
  const { keys, skipped } = parseJwks(jwksOf(issuerKey('EdDSA', 'same'), issuerKey('EdDSA', 'same'), issuerKey('ES256', 'same')));
  t.equal(keys.length, 2);
  t.equal(skipped, 1);
});

t.test('a token without kid gets the only key of its algorithm, and none when there are two', async (t) => {
  const { kid: _, ...unnamed } = publicJwk(issuerKey('EdDSA'));
  const one = parseJwks(setOf(publicJwk(rsa), unnamed)).keys;
  t.ok(findKey(one, { kid: undefined, algorithm: 'EdDSA' }));
  const two = parseJwks(setOf(publicJwk(ed), unnamed)).keys;
  t.equal(two.length, 2);
  t.equal(findKey(two, { kid: undefined, algorithm: 'EdDSA' }), undefined);
});

t.test('what is no set of a bounded number of keys is refused', async (t) => {
  for (const text of ['', 'null', '[]', '{}', '{"keys":{}}', '{"keys":"x"}', '<html>']) t.throws(() => parseJwks(text), text);
  t.throws(() => parseJwks(setOf(...Array.from({ length: limits.jwksKeysMax + 1 }, () => ({})))), /more than/);
  t.same(parseJwks('{"keys":[]}').keys, [], 'an issuer may have no keys');
});
