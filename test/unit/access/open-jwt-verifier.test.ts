import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openJwtVerifier } from '../../../src/access/open-jwt-verifier.ts';
import type { Config } from '../../../src/config/config.ts';
import { isQuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLog } from '../../../src/core/log.ts';
import { jwksServer } from '../../helpers/jwks-server.ts';
import { claimsAt, issuerKey, jwksOf, signHs256, signJwt } from '../../helpers/jwt-issuer.ts';
import { standingClock } from '../../helpers/standing-clock.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const key = issuerKey('EdDSA');
const clock = standingClock();
const claims = claimsAt(clock.now());
const secret = 'a secret of at least thirty-two bytes';

async function open(t: Test, tokens: Partial<Config['tokens']>) {
  const rules = { issuer: undefined, audience: undefined, audienceOnly: false, orgClaim: 'org_id' };
  const times = { ageMaxMs: limits.tokenAgeMaxMs, withoutScope: 'nothing' } as const;
  const defaults: Config['tokens'] = { keys: undefined, algorithms: ['EdDSA', 'ES256', 'RS256'], ...rules, ...times };
  const opened = await openJwtVerifier({ tokens: { ...defaults, ...tokens } }, { clock, log: silentLog });
  t.teardown(() => opened.close());
  return opened;
}

/** `accepted`, or the reason of the refusal. */
async function fateOf(t: Test, tokens: Partial<Config['tokens']>, token: string): Promise<unknown> {
  const { verifier } = await open(t, tokens);
  try {
    await verifier?.verify(token);
    return 'accepted';
  } catch (error) {
    if (!isQuasarError(error, 'unauthenticated')) throw error;
    return error.details.reason;
  }
}

function secretPlace(t: Test, text: string, mode = 0o600): Config['tokens']['keys'] {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'jwt-secret'), text, { mode });
  return { kind: 'sharedSecret', secret: { directory, name: 'jwt-secret' } };
}

t.test('without a place of keys there is no verifier', async (t) => {
  t.equal((await open(t, {})).verifier, undefined);
});

t.test('a shared secret takes HS256, without the newline of its file, and nothing else', async (t) => {
  const keys = secretPlace(t, `${secret}\n`);
  t.equal(await fateOf(t, { keys }, signHs256(secret, claims)), 'accepted');
  t.equal(await fateOf(t, { keys }, signHs256(`${secret}\n`, claims)), 'signature_invalid');
  t.equal(await fateOf(t, { keys }, signJwt(key, claims)), 'token_refused');
});

t.test('a shared secret that is short, missing or open to others stops the start', async (t) => {
  await t.rejects(open(t, { keys: secretPlace(t, 'short') }), { code: 'config_invalid' });
  await t.rejects(open(t, { keys: secretPlace(t, secret, 0o644) }), { code: 'config_invalid' });
  const nowhere = { directory: temporaryFolder(t), name: 'jwt-secret' };
  await t.rejects(open(t, { keys: { kind: 'sharedSecret', secret: nowhere } }), { code: 'config_invalid' });
});

t.test('a JWK set comes from a file or an address, and never with HS256', async (t) => {
  const path = join(temporaryFolder(t), 'jwks.json');
  writeFileSync(path, jwksOf(key));
  const server = await jwksServer(t, jwksOf(key));
  for (const keys of [{ kind: 'jwksFile', path } as const, { kind: 'jwksUrl', url: server.url } as const]) {
    t.equal(await fateOf(t, { keys }, signJwt(key, claims)), 'accepted');
    t.equal(await fateOf(t, { keys, algorithms: ['RS256'] }, signJwt(key, claims)), 'token_refused');
    t.equal(await fateOf(t, { keys }, signHs256(secret, claims)), 'token_refused');
  }
  t.equal(server.asked.length, 1, 'only once a token needed a key');
});

t.test('the rules of claims are those of the configuration', async (t) => {
  const keys = secretPlace(t, secret);
  const token = (more: object) => signHs256(secret, { ...claims, ...more });
  t.equal(await fateOf(t, { keys, issuer: 'https://id' }, token({ iss: 'https://id/' })), 'issuer_mismatch');
  t.equal(await fateOf(t, { keys, audience: 'q' }, token({ aud: ['q', 'r'] })), 'accepted');
  t.equal(await fateOf(t, { keys, audience: 'q', audienceOnly: true }, token({ aud: ['q', 'r'] })), 'audience_mismatch');
  t.equal(await fateOf(t, { keys, orgClaim: 'https://q/org' }, token({})), 'claim_invalid');
  t.equal(await fateOf(t, { keys, orgClaim: 'https://q/org' }, token({ 'https://q/org': claims.org_id })), 'accepted');
  const old = { iat: (claims.iat as number) - 3600, exp: (claims.exp as number) + 3600 };
  t.equal(await fateOf(t, { keys, ageMaxMs: 1_800_000 }, token(old)), 'token_too_old');
});

t.test('closing ends a request for keys under way', async (t) => {
  const server = await jwksServer(t, jwksOf(key));
  const asked = new Promise<void>((resolve) => {
    server.answer = () => resolve();
  });
  const opened = await open(t, { keys: { kind: 'jwksUrl', url: server.url } });
  const verifying = opened.verifier?.verify(signJwt(key, claims)) as Promise<unknown>;
  const refused = t.rejects(verifying, { code: 'identity_unavailable' });
  await asked;
  await opened.close();
  await refused;
});
