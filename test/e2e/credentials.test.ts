import t from 'tap';
import { routes } from '../../src/http/routes.ts';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const stored = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'bytes' }), 201);
const document = `/v1/documents/${stored.documentId}`;
const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name: 'a folder' } }), 201);
const { uploadId } = expectStatus(await admin.ask('POST', '/v1/documents', { body: { filename: 'a.pdf' } }), 201);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);

/** A path of the route, about things that are there. */
function pathOf(pattern: string): string {
  const facts: Json = { ...stored, folderId, uploadId, orgId, key: (stored.contentRef as Json).key };
  const missing = '00000000-0000-7000-8000-000000000000';
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(facts[name] ?? missing)));
}

/** One body for all routes: who may is asked first, but where the body says what it is about. */
function bodyOf(method: string, pattern: string): { readonly body?: unknown } {
  if (method === 'GET' || method === 'HEAD') return {};
  return { body: pattern === '/v1/folders' ? { name: 'another folder' } : {} };
}

t.test('nobody is handed credentials who has none', async (t) => {
  for (const path of ['/dev/token', '/v1/dev/token', '/token', '/v1/token', '/v1/tokens', '/v1/login', '/v1/session']) {
    const init = { method: 'POST', body: JSON.stringify({ org_id: orgId, sub: 'admin', caps: 0x7fffffff }) };
    t.equal((await product.fetchAs(undefined, path, init)).status, 404, path);
  }
  for (const path of ['/v1/keys', '/v1/principals', '/v1/orgs']) {
    t.equal((await product.fetchAs(undefined, path, { method: 'POST', body: '{"name":"x"}' })).status, 401, path);
  }
});

t.test('somebody without a role or a rule gets nothing from any route but who he is', async (t) => {
  const nobody = await makePerson(product, admin, { name: 'nobody' });
  for (const { method, pattern, access } of routes.filter(({ access }) => access.kind !== 'open' && access.kind !== 'member')) {
    const answer = await nobody.ask(method, pathOf(pattern), bodyOf(method, pattern));
    if (method === 'GET' && (pattern === '/v1/documents' || pattern === '/v1/folders')) {
      t.strictSame(answer.json(), { items: [], nextCursor: null }, pattern);
      continue;
    }
    t.ok(
      answer.status === 403 || answer.status === 404,
      `${method} ${pattern} (${access.kind}): ${answer.status} ${answer.text}`,
    );
  }
  const me = expectStatus(await nobody.ask('GET', '/v1/principals/me'), 200);
  t.match(me, { principalId: nobody.principalId, roles: [], capabilities: [] });
  t.equal((await admin.ask('GET', `${document}/content`)).text, 'bytes', 'and everything is as it was');
});

t.test('a key with one wrong character is refused, wherever it is', async (t) => {
  const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
  const statusOf = async (key: string) => (await personWith(product, { ...reader, key }).ask('GET', document)).status;
  t.equal(await statusOf(reader.key), 200);
  for (let at = 0; at < reader.key.length; at++) {
    const wrong = reader.key[at] === 'b' ? 'c' : 'b';
    t.equal(await statusOf(reader.key.slice(0, at) + wrong + reader.key.slice(at + 1)), 401, `character ${at}`);
  }
  t.equal(await statusOf(`${reader.key}b`), 401);
  t.equal(await statusOf(reader.key.slice(0, -1)), 401);
  t.equal(await statusOf(reader.key), 200, 'and the right one is as good as before');
});

t.test('a key in a URL deletes and stores nothing, nor does one in a form', async (t) => {
  const { key } = product;
  for (const name of ['token', 'access_token', 'key']) {
    for (const [method, path] of [
      ['DELETE', document],
      ['POST', '/v1/documents'],
    ] as const) {
      const answer = await product.fetchAs(undefined, `${path}?${name}=${key}`, { method, body: '{"reason":"x"}' });
      t.match(await answer.json(), { code: 'unauthenticated', details: { reason: 'credentials_missing' } }, `${method} ?${name}`);
    }
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const posted = await product.fetchAs(undefined, '/v1/documents', { method: 'POST', headers, body: `access_token=${key}` });
  t.equal(posted.status, 401);
  t.equal((await admin.ask('GET', '/v1/documents')).json().nextCursor, null);
  t.equal((await admin.ask('GET', `${document}/content`)).text, 'bytes');
  t.notOk(product.output.includes(key), 'nor does the log tell what came in a URL');
});
