import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type AuditEvent, decodeEvent } from '../../src/audit/event.ts';
import type { DocumentId, OrgId, PrincipalId } from '../../src/core/ids.ts';
import { routes } from '../../src/http/routes.ts';
import { accessStores, newRule } from '../helpers/access-rows.ts';
import { actorIn } from '../helpers/actor.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { openProductDatabase } from '../helpers/product-database.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

// Every credential here comes from one address, and most of them are no good.
const data = writeConfig(join(temporaryFolder(t), 'data'), { 'quasar.conf': ['rates.refusalsPerAddress = 0'] });
const product = await Product.start({ data, config: data });
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const orgId = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200).orgId as OrgId;

/** What somebody who holds the database does to it, behind the server's back. */
async function withDatabase<T>(work: (pool: Awaited<ReturnType<typeof openProductDatabase>>) => Promise<T>): Promise<T> {
  const pool = await openProductDatabase(product);
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

/** Of the org, in the order of the log. */
async function eventsOf(principalId: string): Promise<AuditEvent[]> {
  return (await allEvents()).filter(({ principal }) => principal.id === principalId);
}

function allEvents(): Promise<AuditEvent[]> {
  return withDatabase(async (pool) => {
    const text = 'SELECT bytes FROM audit.event WHERE org_id = $1 ORDER BY xid, seq';
    const { rows } = await pool.query<{ bytes: Buffer }>(text, [orgId]);
    return rows.map(({ bytes }) => decodeEvent(bytes) as AuditEvent);
  });
}

async function storeDocument(text: string): Promise<string> {
  return expectStatus(await admin.ask('POST', '/v1/documents', { body: text }), 201).documentId as string;
}

/** Until it holds, for ten seconds at most. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}

const SOME_ID = '018f0000-0000-7000-8000-000000000001';

function pathOf(pattern: string): string {
  return pattern.replaceAll('{key}', `b3:${'0'.repeat(64)}`).replaceAll(/\{\w+\}/g, SOME_ID);
}

/** The status, and the reason when it is 401. */
async function fateOf(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const answer = await product.fetchAs(undefined, path, { method, headers });
  const text = await answer.text();
  if (answer.status !== 401) return String(answer.status);
  if (text === '') return '401';
  const { code, details } = JSON.parse(text) as { code: string; details: { reason: string } };
  return `401 ${code} ${details.reason} ${answer.headers.get('www-authenticate')?.split(' ', 1)[0]}`;
}

/** As `fateOf` tells it. Whoever asks for a head gets no more. */
function refusal(method: string, reason: string): string {
  return method === 'HEAD' ? '401' : `401 unauthenticated ${reason} Bearer`;
}

t.test('every route but three is closed without a key that is good', async (t) => {
  const gone = await makePerson(product, admin, { name: 'gone', roles: ['admin'] });
  expectStatus(await gone.ask('GET', '/v1/documents'), 200);
  t.equal((await admin.ask('DELETE', `/v1/keys/${gone.keyId}`)).status, 204);
  const { key } = product;
  const wrong: [string, string, Readonly<Record<string, string>>][] = [
    ['no key', 'credentials_missing', {}],
    ['an empty field', 'credentials_missing', { authorization: '' }],
    ['a key that is cut', 'api_key_malformed', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['a key that is longer', 'api_key_malformed', { authorization: `Bearer ${key}0` }],
    ['a key without its scheme', 'credentials_malformed', { authorization: key }],
    ['a key of another scheme', 'credentials_malformed', { authorization: `Basic ${key}` }],
    ['a revoked key', 'token_revoked', { authorization: `Bearer ${gone.key}` }],
    ['a key in a cookie', 'credentials_missing', { cookie: `authorization=Bearer ${key}; key=${key}` }],
    ['a key in another field', 'credentials_missing', { 'x-api-key': key, 'proxy-authorization': `Bearer ${key}` }],
  ];
  const open: string[] = [];
  for (const { method, pattern, access } of routes) {
    if (access.kind === 'open') {
      open.push(pattern);
      continue;
    }
    for (const [what, reason, headers] of wrong) {
      t.equal(await fateOf(method, pathOf(pattern), headers), refusal(method, reason), `${method} ${pattern}: ${what}`);
    }
    const inQuery = `${pathOf(pattern)}?key=${key}&access_token=${key}&authorization=Bearer%20${key}`;
    const fate = await fateOf(method, inQuery, {});
    t.equal(fate, refusal(method, 'credentials_missing'), `${method} ${pattern}: a key in the query`);
  }
  t.strictSame(open.sort(), ['/v1/health', '/v1/openapi.json', '/v1/ready']);
  for (const path of open) t.equal((await product.fetchAs(undefined, path)).status, 200, path);
});

t.test('a revoked key is noted where it belongs, once for many tries', async (t) => {
  const [key] = (await allEvents()).filter(({ action }) => action === 'key.revoke');
  const refused = (await allEvents()).filter(({ action }) => action === 'session.authenticate');
  t.match(refused, [
    { reason: 'api_key_malformed', principal: { kind: 'anonymous', id: 'api-key' }, resource: { kind: 'org', id: orgId } },
    { reason: 'credentials_malformed', principal: { kind: 'anonymous', id: 'malformed' }, resource: { kind: 'org', id: orgId } },
    {
      ...{ outcome: 'denied', reason: 'revoked', principal: { kind: 'anonymous', id: 'api-key' } },
      resource: { kind: 'key', id: key?.resource.id },
    },
  ]);
  t.equal(refused.length, 3, 'one for each address and reason, however many requests');
});

t.test('how the server is, in detail, is for those who may observe it', async (t) => {
  const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
  const auditor = await makePerson(product, admin, { name: 'auditor', roles: ['auditor'] });
  const bare = { status: 'ready' };
  const asNobody = await product.fetchAs(undefined, '/v1/ready');
  t.strictSame(await asNobody.json(), bare);
  t.strictSame((await reader.ask('GET', '/v1/ready')).json(), bare);
  for (const person of [admin, auditor])
    t.match((await person.ask('GET', '/v1/ready')).json(), { ...bare, dependencies: { db: { ok: true } } });
  t.equal((await product.fetchAs('nonsense', '/v1/ready')).status, 401);
  t.equal((await product.fetchAs(undefined, '/metrics')).status, 401);
  t.equal((await reader.ask('GET', '/metrics')).status, 403);
  for (const person of [admin, auditor]) t.equal((await person.ask('GET', '/metrics')).status, 200);
});

t.test('what another process changes takes effect here', async (t) => {
  const documentId = await storeDocument('to be sealed');
  const path = `/v1/documents/${documentId}/content`;
  const [suspended, keyless, denied] = [
    await makePerson(product, admin, { name: 'suspended', roles: ['reader'] }),
    await makePerson(product, admin, { name: 'keyless', roles: ['reader'] }),
    await makePerson(product, admin, { name: 'denied', roles: ['reader'] }),
  ];
  const answers = (person: Person, status: number) => async () => (await person.ask('GET', path)).status === status;
  for (const person of [suspended, keyless, denied]) for (let time = 0; time < 2; time++) t.ok(await answers(person, 200)());
  await withDatabase(async (pool) => {
    await pool.query('UPDATE core.principal SET suspended_at = now() WHERE id = $1', [suspended.principalId]);
    await pool.query('UPDATE core.api_key SET revoked_at = now(), revoked_by = principal_id WHERE id = $1', [keyless.keyId]);
    const rules = [newRule('deny', ['doc.read'], denied.principalId as PrincipalId)];
    const by = actorIn({ orgId, principalId: admin.principalId as PrincipalId });
    const thing = { kind: 'document', documentId: documentId as DocumentId } as const;
    await accessStores(pool).rules.replaceRules(by, thing, { rules, expectedVersion: 0, atMs: Date.now() });
  });
  t.ok(await eventually(answers(suspended, 401)), 'a suspended principal');
  t.ok(await eventually(answers(keyless, 401)), 'a revoked key');
  t.ok(await eventually(answers(denied, 404)), 'a rule that denies');
  await withDatabase((pool) =>
    pool.query('UPDATE core.principal SET suspended_at = NULL WHERE id = $1', [suspended.principalId]),
  );
  t.ok(await eventually(answers(suspended, 200)), 'a principal that is let in again');
});

t.test('changes are heard of when the connection that hears them was cut', async (t) => {
  const person = await makePerson(product, admin, { name: 'cut off', roles: ['reader'] });
  expectStatus(await person.ask('GET', '/v1/documents'), 200);
  await withDatabase(async (pool) => {
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'quasar listener'");
    await pool.query('UPDATE core.api_key SET revoked_at = now(), revoked_by = principal_id WHERE id = $1', [person.keyId]);
  });
  t.ok(await eventually(async () => (await person.ask('GET', '/v1/documents')).status === 401));
});

t.test('an allowed and a denied read are both in the audit log', async (t) => {
  const documentId = await storeDocument('smoke');
  const path = `/v1/documents/${documentId}`;
  const friend = await makePerson(product, admin, { name: 'friend', roles: ['reader'] });
  const foe = await makePerson(product, admin, { name: 'foe', roles: ['reader'] });
  const rules = [{ effect: 'deny', actions: ['doc.read'], principals: [foe.principalId] }];
  expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': '"a-0"' } }), 200);
  t.equal((await friend.ask('GET', path)).status, 200);
  t.equal((await foe.ask('GET', path)).status, 404);
  const about = { action: 'doc.read', resource: { kind: 'document', id: documentId } };
  t.match(await eventsOf(friend.principalId), [{ ...about, outcome: 'allowed', reason: 'role_allows' }]);
  t.match(await eventsOf(foe.principalId), [{ ...about, outcome: 'denied', reason: 'rule_denies' }]);
  t.equal((await friend.ask('GET', `${path}/acl`)).status, 403);
  t.match((await eventsOf(friend.principalId)).at(-1), { action: 'acl.admin', outcome: 'denied', reason: 'nothing_allows' });
  expectStatus(await admin.ask('GET', `${path}/acl`), 200);
  t.ok(
    (await eventsOf(admin.principalId)).some(
      ({ action, outcome, resource }) => action === 'acl.admin' && outcome === 'allowed' && resource.id === documentId,
    ),
    'a look at the rules is noted too',
  );
});

t.test('however many ranges are read, one event says so at once, and another counts them when the server stops', async (t) => {
  const text = 'a page of a file'.repeat(64);
  const documentId = await storeDocument(text);
  const path = `/v1/documents/${documentId}/content`;
  const [one, other] = [
    await makePerson(product, admin, { name: 'one', roles: ['reader'] }),
    await makePerson(product, admin, { name: 'other', roles: ['reader'] }),
  ];
  const ranges = 16;
  const size = text.length / ranges;
  for (let index = 0; index < ranges; index++) {
    const answer = await one.ask('GET', path, { headers: { range: `bytes=${index * size}-${(index + 1) * size - 1}` } });
    t.equal(answer.status, 206);
    t.equal(answer.text.length, size);
  }
  t.equal((await one.ask('GET', path, { headers: { 'if-none-match': '*' } })).status, 304);
  t.equal((await other.ask('GET', path)).text, text);
  const about = { action: 'blob.read', outcome: 'allowed', resource: { kind: 'document', id: documentId } };
  const before = await eventsOf(one.principalId);
  t.match(before, [{ ...about, detail: { bytes: size } }]);
  t.equal(before.length, 1);
  t.type(before[0]?.resource.version, 'string');
  t.equal((await eventsOf(other.principalId)).length, 1);

  await product.stop();
  const again = await Product.start({ data: product.data });
  t.teardown(() => again.destroy());
  const after = await eventsOf(one.principalId);
  t.equal(after.length, 2);
  t.match(after[1], { ...about, resource: before[0]?.resource, reads: { count: ranges + 1, bytes: text.length } });
  t.equal((await eventsOf(other.principalId)).length, 1, 'a single read needs no counters');
});
