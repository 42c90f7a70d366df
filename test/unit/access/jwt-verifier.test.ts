import t, { type Test } from 'tap';
import { JoseJwtVerifier, type JwtKeys } from '../../../src/access/jose-jwt-verifier.ts';
import { JwksSource, jwksFromUrl } from '../../../src/access/jwks-source.ts';
import { jwksAlgorithms } from '../../../src/access/jwt-header.ts';
import type { ClaimRules } from '../../../src/access/token-claims.ts';
import { Secret } from '../../../src/config/secret.ts';
import { capabilitySet } from '../../../src/core/capability.ts';
import { isQuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLog } from '../../../src/core/log.ts';
import { jwksServer } from '../../helpers/jwks-server.ts';
import { claimsAt, encode, type IssuerKey, issuerKey, jwksOf, publicJwk, signHs256, signJwt } from '../../helpers/jwt-issuer.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const issuer: Readonly<Record<(typeof jwksAlgorithms)[number], IssuerKey>> = {
  EdDSA: issuerKey('EdDSA'),
  ES256: issuerKey('ES256'),
  RS256: issuerKey('RS256'),
};
const all = Object.values(issuer);
const stranger = issuerKey('EdDSA', issuer.EdDSA.kid);
const secret = 'a secret of at least thirty-two bytes';
const clock = standingClock();
const claims = claimsAt(clock.now());
const rules: ClaimRules = {
  orgClaim: 'org_id',
  issuer: undefined,
  audience: undefined,
  audienceOnly: false,
  ageMaxMs: limits.tokenAgeMaxMs,
  withoutScope: 'nothing',
};

const verifierOf = (keys: JwtKeys): JoseJwtVerifier => new JoseJwtVerifier({ keys, rules, clock });

/** A verifier whose keys come from a server on loopback. */
async function fixture(
  t: Test,
  algorithms = jwksAlgorithms as readonly (typeof jwksAlgorithms)[number][],
  text = jwksOf(...all),
) {
  const server = await jwksServer(t, text);
  const time = standingClock();
  const source = new JwksSource({ load: jwksFromUrl(server.url), clock: time, log: silentLog });
  t.teardown(() => source.close());
  return { server, time, verifier: verifierOf({ kind: 'jwks', source, algorithms }) };
}

async function fateOf(verifier: JoseJwtVerifier, token: string): Promise<unknown> {
  try {
    await verifier.verify(token);
    return 'accepted';
  } catch (error) {
    if (!isQuasarError(error, 'unauthenticated')) throw error;
    return error.details.reason;
  }
}

/** Another last character that changes bits of the signature, spelled canonically. */
function forge(token: string): string {
  const at = token.lastIndexOf('.') + 3;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

t.test('a token signed with a published key says who and what for', async (t) => {
  const { verifier, server } = await fixture(t);
  for (const key of all) {
    const token = await verifier.verify(signJwt(key, { ...claims, scope: 'doc.read' }));
    t.match(token, { subject: 'alice', orgId: claims.org_id, jti: 'token-1', scope: capabilitySet('doc.read') }, key.algorithm);
    t.equal(token.expiresAtMs, Number(claims.exp) * 1000);
  }
  t.equal(server.asked.length, 1);
});

t.test('a changed signature, payload or header is refused', async (t) => {
  const { verifier } = await fixture(t);
  for (const key of all) {
    const token = signJwt(key, claims);
    const [header, , signature] = token.split('.');
    t.equal(await fateOf(verifier, forge(token)), 'signature_invalid', key.algorithm);
    const other = encode({ ...claims, sub: 'root' });
    t.equal(await fateOf(verifier, `${header}.${other}.${signature}`), 'signature_invalid', key.algorithm);
    t.equal(await fateOf(verifier, token.replace(/\.[^.]*$/, '.')), 'signature_invalid', 'no signature');
  }
  t.equal(await fateOf(verifier, signJwt(stranger, claims)), 'signature_invalid', 'the right name, another key');
});

t.test('a token with any one character changed is refused', async (t) => {
  const { verifier } = await fixture(t);
  for (const key of all) {
    const token = signJwt(key, { ...claims, scope: 'doc.read' });
    for (let at = 0; at < token.length; at++) {
      const changed = `${token.slice(0, at)}${token[at] === 'B' ? 'C' : 'B'}${token.slice(at + 1)}`;
      if ((await fateOf(verifier, changed)) === 'accepted') t.fail(`${key.algorithm}: accepted with another character at ${at}`);
    }
  }
  t.pass('all of them');
});

t.test('alg none is refused, in any case, with and without a signature', async (t) => {
  const { verifier } = await fixture(t);
  const byHs256 = verifierOf({ kind: 'secret', secret: new Secret(secret) });
  const signature = signJwt(issuer.EdDSA, claims).split('.')[2];
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['EdDSA'], { alg: 'EdDSA' }]) {
    const unsigned = `${encode({ alg, kid: issuer.EdDSA.kid })}.${encode(claims)}.`;
    for (const token of [unsigned, `${unsigned}${signature}`]) {
      t.equal(await fateOf(verifier, token), 'token_refused', JSON.stringify(alg));
      t.equal(await fateOf(byHs256, token), 'token_refused', JSON.stringify(alg));
    }
  }
});

t.test('a public key is never a secret: HS256 signed with it is refused, in each of its spellings', async (t) => {
  const { verifier, server } = await fixture(t);
  const { publicKey, kid } = issuer.RS256;
  const spellings = [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'pem', type: 'pkcs1' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    JSON.stringify(publicJwk(issuer.RS256)),
    String(publicJwk(issuer.RS256).n),
    String(publicJwk(issuer.EdDSA).x),
  ];
  for (const spelling of spellings) {
    t.equal(await fateOf(verifier, signHs256(spelling, claims, { kid })), 'token_refused');
  }
  t.same(server.asked, [], 'no key was even looked for');
});

t.test('a symmetric key in a published set checks nothing', async (t) => {
  const k = Buffer.from(secret).toString('base64url');
  const { verifier } = await fixture(t, jwksAlgorithms, JSON.stringify({ keys: [{ kty: 'oct', k, kid: 'oct', alg: 'RS256' }] }));
  t.equal(await fateOf(verifier, signHs256(secret, claims, { kid: 'oct' })), 'token_refused');
  t.equal(await fateOf(verifier, signHs256(secret, claims, { kid: 'oct', alg: 'RS256' })), 'signing_key_unknown');
});

t.test('a key checks tokens of its own algorithm only, and of configured algorithms only', async (t) => {
  const { verifier } = await fixture(t);
  const { kid } = issuer.RS256;
  t.equal(await fateOf(verifier, signJwt(issuer.RS256, claims, { alg: 'ES256' })), 'signing_key_unknown');
  t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, { alg: 'RS256', kid })), 'signature_invalid');
  for (const alg of ['RS384', 'RS512', 'PS256', 'ES384', 'ES256K', 'HS384', 'Ed448', 'eddsa', 'RS256 ']) {
    t.equal(await fateOf(verifier, signJwt(issuer.RS256, claims, { alg })), 'token_refused', alg);
  }
  const narrow = await fixture(t, ['EdDSA']);
  t.equal(await fateOf(narrow.verifier, signJwt(issuer.EdDSA, claims)), 'accepted');
  t.equal(await fateOf(narrow.verifier, signJwt(issuer.ES256, claims)), 'token_refused');
});

t.test('a storm of tokens with unknown kids makes one request to the issuer', async (t) => {
  const { verifier, server, time } = await fixture(t);
  t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims)), 'accepted');
  time.advance(limits.jwksCoolDownMs);
  const token = (kid: string): string => signJwt(stranger, claims, { kid });
  const storm = Array.from({ length: 200 }, (_, index) => fateOf(verifier, token(`invented ${index}`)));
  t.ok((await Promise.all(storm)).every((fate) => fate === 'signing_key_unknown'));
  t.equal(server.asked.length, 2);
});

t.test('kid is a name of bounded length: a path, an address or a statement in it is looked up and nothing else', async (t) => {
  const { verifier, server } = await fixture(t);
  for (const kid of ['../../../../dev/null', '/etc/passwd', "x' UNION SELECT 'key", `${server.url}?x`, '__proto__', 'a\u0000b']) {
    t.equal(await fateOf(verifier, signJwt(stranger, claims, { kid })), 'signing_key_unknown', JSON.stringify(kid));
  }
  for (const kid of ['', 'k'.repeat(limits.tokenNameMax + 1), 7, null, ['EdDSA-1'], {}]) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, { kid })), 'token_malformed', JSON.stringify(kid));
  }
  t.same(server.asked, ['/jwks.json']);
});

t.test('keys that a token brings along or points to are never read', async (t) => {
  const { verifier, server } = await fixture(t);
  const evil = await jwksServer(t, jwksOf(stranger));
  const bringing = [
    { jwk: publicJwk(stranger) },
    { jku: evil.url },
    { x5u: evil.url },
    { x5c: [Buffer.from('certificate').toString('base64')] },
    { x5t: 'AAAA', 'x5t#S256': 'AAAA' },
    { jwk: publicJwk(stranger), jku: evil.url, kid: 'unknown' },
  ];
  for (const header of bringing) {
    const fate = await fateOf(verifier, signJwt(stranger, claims, header));
    t.equal(fate, 'kid' in header ? 'signing_key_unknown' : 'signature_invalid', JSON.stringify(header));
    if (!('kid' in header)) t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, header)), 'accepted', 'by its real key');
  }
  t.same(evil.asked, []);
  t.equal(server.asked.length, 1);
});

t.test('critical header members are refused, known to others or not', async (t) => {
  const { verifier } = await fixture(t);
  for (const header of [
    { crit: ['b64'], b64: false },
    { crit: ['exp'] },
    { crit: ['http://x'], 'http://x': 1 },
    { crit: [] },
    { crit: 1 },
  ]) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, header)), 'token_refused', JSON.stringify(header));
  }
  t.equal(
    await fateOf(verifier, signJwt(issuer.EdDSA, claims, { unknown: 1 })),
    'accepted',
    'an unknown one that is not critical',
  );
});

t.test('tokens that are made for something else are refused by their type', async (t) => {
  const { verifier } = await fixture(t);
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined]) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, { typ })), 'accepted', String(typ));
  }
  for (const typ of ['logout+jwt', 'dpop+jwt', 'JOSE', 'xjwt', '', 7, ['JWT']]) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, claims, { typ })), 'token_refused', JSON.stringify(typ));
  }
});

t.test('a claim or header member that stands twice is refused, though it is signed', async (t) => {
  const { verifier } = await fixture(t);
  const payload = JSON.stringify(claims);
  for (const extra of ['"sub":"root"', '"s\\u0075b":"root"', `"exp":${claims.exp}`, '"x":{"y":1,"y":2}']) {
    const token = signJwt(issuer.EdDSA, `${payload.slice(0, -1)},${extra}}`);
    t.equal(await fateOf(verifier, token), 'token_malformed', extra);
  }
  for (const header of ['{"alg":"none","alg":"EdDSA"}', '{"alg":"EdDSA","kid":"EdDSA-1","kid":"EdDSA-1"}']) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, payload, header)), 'token_malformed', header);
  }
});

t.test('claims that are signed and wrong are refused', async (t) => {
  const { verifier } = await fixture(t);
  const payload = JSON.stringify(claims);
  const changed = (claim: string, value: string): string =>
    payload.replace(new RegExp(`"${claim}":[^,}]+`), `"${claim}":${value}`);
  for (const exp of ['1e400', '9007199254740993', '-1', '"1900000000"', 'null', '1.5', '1e15']) {
    t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, changed('exp', exp))), 'claim_invalid', exp);
  }
  t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, changed('exp', 'NaN'))), 'token_malformed');
  t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, { ...claims, nbf: Number(claims.iat) + 3600 })), 'token_not_yet_valid');
  t.equal(await fateOf(verifier, signJwt(issuer.EdDSA, { ...claims, caps: -1 })), 'claim_invalid');
});

t.test('a token that expired stays expired when the clock goes back an hour', async (t) => {
  let nowMs = clock.now();
  const time = { ...clock, now: () => nowMs };
  const verifier = new JoseJwtVerifier({ keys: { kind: 'secret', secret: new Secret(secret) }, rules, clock: time });
  const token = signHs256(secret, { ...claims, iat: Number(claims.iat) - 7200 });
  t.equal(await fateOf(verifier, token), 'accepted');
  nowMs += 3_600_000;
  t.equal(await fateOf(verifier, token), 'token_expired');
  nowMs -= 3_600_000;
  t.equal(await fateOf(verifier, token), 'token_expired');
});

t.test('with a shared secret HS256 is taken, and nothing else', async (t) => {
  const verifier = verifierOf({ kind: 'secret', secret: new Secret(secret) });
  t.equal(await fateOf(verifier, signHs256(secret, claims)), 'accepted');
  t.equal(await fateOf(verifier, signHs256(`${secret}.`, claims)), 'signature_invalid');
  for (const key of all) t.equal(await fateOf(verifier, signJwt(key, claims)), 'token_refused', key.algorithm);
  for (const alg of ['HS384', 'HS512', 'hs256'])
    t.equal(await fateOf(verifier, signHs256(secret, claims, { alg })), 'token_refused');
});

t.test('a short secret, no algorithm, an unknown one or HS256 beside published keys is refused at start', async (t) => {
  const refuses = (keys: JwtKeys, message: string): void => {
    t.throws(() => verifierOf(keys), { code: 'config_invalid' }, message);
  };
  refuses({ kind: 'secret', secret: new Secret('x'.repeat(limits.tokenSecretSizeMin - 1)) }, 'short');
  t.ok(verifierOf({ kind: 'secret', secret: new Secret('x'.repeat(limits.tokenSecretSizeMin)) }));
  const source = { find: async () => undefined };
  for (const algorithms of [[], ['HS256'], ['RS256', 'HS256'], ['none'], ['RS256', 'RS512']]) {
    refuses({ kind: 'jwks', source, algorithms: algorithms as never }, algorithms.join());
  }
});

t.test('when keys cannot be had the answer is that, not that the token is bad', async (t) => {
  const { verifier, server } = await fixture(t);
  server.answer = (_, response) => response.writeHead(503).end();
  await t.rejects(verifier.verify(signJwt(issuer.EdDSA, claims)), { code: 'identity_unavailable', kind: 'unavailable' });
});

t.test('no refusal repeats the token, its signature or the secret', async (t) => {
  const verifier = verifierOf({ kind: 'secret', secret: new Secret(secret) });
  const good = signHs256(secret, { ...claims, exp: Number(claims.iat) - 1 });
  const odd = encode('{"sub":"confidential"');
  for (const token of [good, forge(good), `${good.split('.')[0]}.${odd}.${'A'.repeat(43)}`, signJwt(stranger, claims)]) {
    const error = await verifier.verify(token).then(
      () => t.fail('accepted'),
      (refusal: Error) => refusal,
    );
    const told: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      told.push(JSON.stringify([cause.message, cause]));
    for (const part of ['confidential', ...token.split('.').slice(1), secret]) t.notOk(told.join().includes(part), part);
  }
});
