import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Json } from '../helpers/ask.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { jwksServer } from '../helpers/jwks-server.ts';
import { claimsAt, encode, issuerKey, jwksOf, signHs256, signJwt } from '../helpers/jwt-issuer.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const secret = 'a secret of at least thirty-two bytes';
const key = issuerKey('ES256');
const stranger = issuerKey('ES256', 'nobody-knows-it');
const keys = await jwksServer(t, jwksOf(key));

const pilot = await start(['tokens.sharedSecret = true', 'tokens.audience = quasar'], { 'jwt-secret': secret });
const published = await start([`tokens.jwksUrl = "${keys.url}"`, 'tokens.algorithms = ES256']);

async function start(lines: readonly string[], secrets: Readonly<Record<string, string>> = {}): Promise<Product> {
  const config = writeConfig(temporaryFolder(t), { 'quasar.conf': lines });
  mkdirSync(join(config, 'secrets'), { mode: 0o700 });
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(config, 'secrets', name), text, { mode: 0o600 });
  const product = await Product.start({ config });
  t.teardown(() => product.destroy());
  return product;
}

/** As the administrator, who may. */
async function done(product: Product, method: string, path: string, body?: unknown): Promise<Json> {
  const init = body === undefined ? { method } : { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const headers = typeof body === 'object' ? { 'content-type': 'application/json' } : {};
  const answer = await product.fetch(path, { ...init, headers });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

/** The status, and the reason of a 401. */
async function fateOf(product: Product, token: string | undefined, path = '/v1/principals/me', init: RequestInit = {}) {
  const answer = await product.fetchAs(token, path, init);
  const text = await answer.text();
  if (answer.status !== 401) return answer.status;
  const { code, details } = JSON.parse(text) as { code: string; details: { reason: string } };
  return code === 'unauthenticated' ? details.reason : code;
}

/** Somebody the issuer knows as `subject`, and what their tokens say. */
async function newcomer(product: Product, subject: string, role: string) {
  const { orgId } = await done(product, 'GET', '/v1/principals/me');
  const wish = { kind: 'user', name: subject, subject, roles: [role] };
  const { principalId } = await done(product, 'POST', '/v1/principals', wish);
  const claims: Json = { ...claimsAt(Date.now()), org_id: orgId, sub: subject, aud: 'quasar', scope: 'doc.read blob.read' };
  return { principalId: principalId as string, claims };
}

const now = Math.floor(Date.now() / 1000);
const stored = await done(pilot, 'POST', '/v1/documents', 'the content');
const document = `/v1/documents/${stored.documentId}`;

t.test('a token of a known subject reads, as the principal with that subject', async (t) => {
  const { principalId, claims } = await newcomer(pilot, 'reader', 'reader');
  const token = signHs256(secret, claims);
  const me = await pilot.fetchAs(token, '/v1/principals/me');
  t.match(await me.json(), { principalId, roles: ['reader'], capabilities: ['blob.read', 'doc.read'] });
  const content = await pilot.fetchAs(token, `${document}/content`);
  t.equal(await content.text(), 'the content');
});

t.test('a token that does not hold is refused, with the reason', async (t) => {
  const { claims } = await newcomer(pilot, 'somebody', 'reader');
  const hs256 = (more: object) => signHs256(secret, { ...claims, ...more });
  const { orgId: other } = await done(pilot, 'POST', '/v1/orgs', { name: 'Another court' });
  const unsigned = `${encode({ alg: 'none' })}.${encode(claims)}.`;
  const refusals: readonly [token: string, reason: string][] = [
    [hs256({ iat: now - 3600, exp: now - 120 }), 'token_expired'],
    [hs256({ iat: now - 2 * 86_400, exp: now + 3600 }), 'token_too_old'],
    [hs256({ nbf: now + 3600 }), 'token_not_yet_valid'],
    [hs256({ aud: 'another' }), 'audience_mismatch'],
    [hs256({ org_id: undefined }), 'claim_invalid'],
    [hs256({ org_id: other }), 'token_refused'],
    [hs256({ sub: 'nobody' }), 'token_refused'],
    [signHs256(`${secret}!`, claims), 'signature_invalid'],
    [signJwt(key, claims), 'token_refused'],
    [unsigned, 'token_refused'],
    [hs256({}).slice(0, -3), 'signature_invalid'],
    ['a.b.c', 'token_malformed'],
  ];
  for (const [token, reason] of refusals) t.equal(await fateOf(pilot, token, document), reason, reason);
  t.equal(await fateOf(pilot, hs256({}), document), 200, 'the claims alone made the difference');
});

t.test('a published key counts for what it signed, and no other key does', async (t) => {
  const { claims } = await newcomer(published, 'somebody', 'reader');
  t.equal(await fateOf(published, signJwt(key, claims)), 200);
  t.equal(await fateOf(published, signJwt(stranger, claims)), 'signing_key_unknown');
  t.equal(await fateOf(published, signJwt(stranger, claims, { kid: key.kid })), 'signature_invalid');
  t.equal(await fateOf(published, signJwt(issuerKey('EdDSA'), claims)), 'token_refused');
  const publicText = key.publicKey.export({ type: 'spki', format: 'pem' });
  t.equal(await fateOf(published, signHs256(publicText, claims, { kid: key.kid })), 'token_refused');
  t.same(new Set(keys.asked), new Set(['/jwks.json']));
});

t.test('a revoked token is refused at once, and other tokens of its principal are not', async (t) => {
  const { claims } = await newcomer(published, 'careless', 'reader');
  const lost = signJwt(key, { ...claims, jti: 'lost' });
  t.equal(await fateOf(published, lost), 200);
  const expiresAt = new Date((claims.exp as number) * 1000).toISOString();
  await done(published, 'POST', '/v1/tokens/revoke', { jti: 'lost', expiresAt });
  t.equal(await fateOf(published, lost), 'token_revoked');
  t.equal(await fateOf(published, signJwt(key, { ...claims, jti: 'other' })), 200);
});

t.test('a token stays revoked although its expiry was told wrongly, as of a time that has passed', async (t) => {
  const { claims } = await newcomer(published, 'hasty', 'reader');
  for (const [jti, expiresAt] of Object.entries({ long: '2001-01-01T00:00:00Z', soon: new Date(Date.now() + 1).toISOString() })) {
    const token = signJwt(key, { ...claims, jti });
    t.equal(await fateOf(published, token), 200);
    await done(published, 'POST', '/v1/tokens/revoke', { jti, expiresAt });
    // The next one clears what has run out.
    await done(published, 'POST', '/v1/tokens/revoke', { jti: `after ${jti}`, expiresAt });
    t.equal(await fateOf(published, token), 'token_revoked');
  }
});

t.test('no token of a suspended principal is taken, until it is back', async (t) => {
  const { principalId, claims } = await newcomer(published, 'on leave', 'reader');
  const token = signJwt(key, claims);
  t.equal(await fateOf(published, token), 200);
  await done(published, 'DELETE', `/v1/principals/${principalId}`);
  t.equal(await fateOf(published, token), 'token_revoked');
  t.equal(await fateOf(published, signJwt(key, { ...claims, jti: 'new' })), 'token_revoked');
  await done(published, 'PUT', `/v1/principals/${principalId}`, { suspended: false });
  t.equal(await fateOf(published, token), 200);
});

t.test('no token of a suspended org is taken, until it is let in again', async (t) => {
  const org = await done(pilot, 'POST', '/v1/orgs', { name: 'A closed court' });
  const wish = { kind: 'user', name: 'judge', subject: 'judge', roles: ['reader'] };
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) };
  t.equal((await pilot.fetchAs(org.key as string, '/v1/principals', init)).status, 201);
  const more = { org_id: org.orgId, sub: 'judge', aud: 'quasar', scope: 'doc.read' };
  const token = signHs256(secret, { ...claimsAt(Date.now()), ...more });
  t.equal(await fateOf(pilot, token), 200);
  await done(pilot, 'DELETE', `/v1/orgs/${org.orgId}`);
  t.equal(await fateOf(pilot, token), 'token_revoked');
  t.equal(await fateOf(pilot, signHs256(secret, { ...claimsAt(Date.now()), ...more, jti: 'new' })), 'token_revoked');
  await done(pilot, 'PUT', `/v1/orgs/${org.orgId}`, { suspended: false });
  t.equal(await fateOf(pilot, token), 200);
});

t.test('the scope of a token narrows what its principal may, and gives nothing', async (t) => {
  const admin = await newcomer(pilot, 'chief', 'admin');
  const store = { method: 'POST', body: 'more' };
  const token = (scope: string | undefined) => signHs256(secret, { ...admin.claims, scope });
  t.equal(await fateOf(pilot, token('doc.read blob.read doc.write blob.write'), '/v1/documents', store), 201);
  t.equal(await fateOf(pilot, token('doc.read blob.read'), '/v1/documents', store), 403);
  t.equal(await fateOf(pilot, token('doc.read'), document), 200);
  t.equal(await fateOf(pilot, token('openid profile'), document), 404, 'what may not be read is hidden');
  t.equal(await fateOf(pilot, token(undefined), document), 404);
  const reader = await newcomer(pilot, 'eager', 'reader');
  const eager = signHs256(secret, { ...reader.claims, scope: 'doc.read blob.read doc.write blob.write acl.admin' });
  t.equal(await fateOf(pilot, eager, '/v1/documents', store), 403);
  t.equal(await fateOf(pilot, eager, '/v1/principals'), 403);
});

t.test('a token in a URL is ignored, beside a header too', async (t) => {
  const { claims } = await newcomer(pilot, 'urls', 'reader');
  const token = signHs256(secret, claims);
  const path = `${document}?access_token=${token}`;
  t.equal(await fateOf(pilot, undefined, path), 'credentials_missing');
  t.equal(await fateOf(pilot, signHs256(secret, { ...claims, scope: '' }), path), 404);
});

t.test('neither log nor screen ever tells a token or the secret', async (t) => {
  for (const { output } of [pilot, published]) {
    t.notMatch(output, secret);
    t.notMatch(output, /eyJ[\w-]{20}/);
  }
});
