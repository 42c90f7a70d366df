import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { AuditEvent } from '../../src/audit/event.ts';
import type { Answered, Json } from '../helpers/ask.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { claimsAt, signHs256 } from '../helpers/jwt-issuer.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const secret = 'a secret of at least thirty-two bytes';
const BURST = 20;
const lines = [
  'tokens.sharedSecret = true',
  'http.trusted-proxies = "127.0.0.1"',
  'rates.refusalsPerAddress = 1',
  'rates.burst = 20s',
];
const config = writeConfig(temporaryFolder(t), { 'quasar.conf': lines });
mkdirSync(join(config, 'secrets'), { mode: 0o700 });
writeFileSync(join(config, 'secrets', 'jwt-secret'), secret, { mode: 0o600 });
const product = await Product.start({ config });
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200) as { orgId: string };
const adminKey = String(((await admin.ask('GET', '/v1/keys')).json().items as Json[])[0]?.keyId);
const stored = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'bytes' }), 201);
const document = `/v1/documents/${stored.documentId}`;

const from = (address: string, id: string) => ({ 'x-request-id': id, 'x-forwarded-for': `203.0.113.99, ${address}` });

/** All events of a request, once they have their numbers: those of the last second may be missing. */
async function eventsOf(requestId: string, count = 1): Promise<readonly AuditEvent[]> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    const page = expectStatus(await admin.ask('GET', '/v1/audit/events?limit=1000'), 200);
    const found = (page.items as { event: AuditEvent }[])
      .map(({ event }) => event)
      .filter((event) => event.requestId === requestId);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no ${count} events of ${requestId} in the log`);
}

function send(person: Person, id: string, method: string, path: string, body?: unknown, more = {}): Promise<Answered> {
  const headers = { ...from('198.51.100.7', id), ...more };
  return person.ask(method, path, { headers, ...(body === undefined ? {} : { body }) });
}

t.test('changes, reads and lists say with what, from where and by which role', async (t) => {
  const how = { roles: ['admin'], rules: [] };
  const expected = { v: 2, address: '198.51.100.7', credential: { kind: 'api_key', id: adminKey }, outcome: 'allowed' };
  await send(admin, 'o-change', 'PUT', `${document}/refs/dms/1`, {});
  await send(admin, 'o-read', 'GET', `${document}/content`);
  await send(admin, 'o-facts', 'GET', document);
  await send(admin, 'o-list', 'GET', '/v1/audit/key');
  for (const id of ['o-change', 'o-read', 'o-facts', 'o-list']) {
    for (const event of await eventsOf(id)) t.match(event, { ...expected, decision: { reason: 'role_allows', ...how } }, id);
  }
  t.match(await eventsOf('o-list'), [{ decision: { capability: 'audit.read' } }]);
});

t.test('a rule that decided is named with its place and the version it was read from, and so is a denial', async (t) => {
  const clerk = await makePerson(product, admin, { name: 'clerk by rule' });
  const allow = { effect: 'allow', actions: ['doc.read', 'blob.read'], principals: [clerk.principalId] };
  const deny = { effect: 'deny', actions: ['blob.read'], principals: [clerk.principalId] };
  const etag = (await admin.ask('GET', `${document}/acl`)).headers.get('etag') as string;
  const first = await send(admin, 'o-rules', 'PUT', `${document}/acl`, { rules: [allow] }, { 'if-match': etag });
  const [allowing] = expectStatus(first, 200).rules as Json[];
  t.equal((await send(clerk, 'o-allowed', 'GET', `${document}/content`)).status, 200);
  const place = { kind: 'document', id: stored.documentId };
  const [read] = await eventsOf('o-allowed');
  t.match(read, {
    credential: { id: clerk.keyId },
    decision: { capability: 'blob.read', rule: { id: allowing?.id, effect: 'allow', place }, rules: [{ ...place, version: 1 }] },
  });
  const [change] = (await eventsOf('o-rules')).filter(({ action }) => action === 'acl.set');
  t.match(change, { resource: place, detail: { version: 1 } }, 'place and version name the event that set the rules');

  const second = await send(
    admin,
    'o-rules-2',
    'PUT',
    `${document}/acl`,
    { rules: [allow, deny] },
    { 'if-match': first.headers.get('etag') },
  );
  const denying = (expectStatus(second, 200).rules as Json[])[1];
  t.equal((await send(clerk, 'o-denied', 'GET', `${document}/content`)).status, 403);
  t.match(await eventsOf('o-denied'), [
    {
      ...{ outcome: 'denied', reason: 'rule_denies', address: '198.51.100.7', credential: { id: clerk.keyId } },
      decision: { reason: 'rule_denies', rule: { id: denying?.id, effect: 'deny', place }, rules: [{ ...place, version: 2 }] },
    },
  ]);
});

t.test('a hidden thing is refused for what may not be read, and a narrow key for its scope', async (t) => {
  const nobody = await makePerson(product, admin, { name: 'nobody at all' });
  t.equal((await send(nobody, 'o-hidden', 'DELETE', document, { reason: 'x' })).status, 404);
  t.match(await eventsOf('o-hidden'), [{ outcome: 'denied', reason: 'nothing_allows', decision: { reason: 'nothing_allows' } }]);
  const narrow = await makePerson(product, admin, { name: 'narrow', roles: ['clerk'], scope: ['doc.read'] });
  t.equal((await send(narrow, 'o-scope', 'PUT', `${document}/refs/dms/2`, {})).status, 403);
  t.match(await eventsOf('o-scope'), [
    { reason: 'outside_scope', credential: { id: narrow.keyId }, decision: { capability: 'doc.write' } },
  ]);
});

t.test('an explanation takes the credential, and agrees with what the log says of it', async (t) => {
  const clerk = await makePerson(product, admin, { name: 'explained', roles: ['clerk'], scope: ['doc.read'] });
  t.equal((await send(clerk, 'e-refused', 'PUT', `${document}/refs/dms/2`, {})).status, 403);
  const why = async (query: string, who: Person = admin) =>
    expectStatus(await who.ask('GET', `${document}/access?action=doc.write&${query}`), 200);
  t.match(await why(`key=${clerk.keyId}`), {
    ...{
      principalId: clerk.principalId,
      credential: { kind: 'api_key', id: clerk.keyId },
      allowed: false,
      reason: 'outside_scope',
    },
  });
  const [event] = await eventsOf('e-refused');
  t.match(event, { reason: 'outside_scope' }, 'as the log has it');
  const alone = await why(`principal=${clerk.principalId}`);
  t.match(alone, { credential: null, allowed: true });
  t.match(
    (alone.lines as string[]).join('\n'),
    /without a credential: a key or token whose scope leaves doc\.write out is refused/,
  );
  t.match(await why(`principal=${clerk.principalId}&scope=doc.read,blob.read`), {
    credential: { kind: 'scope' },
    reason: 'outside_scope',
  });
  t.match(await why(`principal=${clerk.principalId}&scope=doc.read,doc.write`), { allowed: true });
  t.match(await why(''), { credential: { kind: 'api_key', id: adminKey }, allowed: true });

  const narrow = await makePerson(product, admin, { name: 'narrow admin', roles: ['admin'], scope: ['doc.read', 'acl.admin'] });
  t.match(await why('', narrow), { allowed: false, reason: 'outside_scope', credential: { id: narrow.keyId } }, 'his own key');
  t.match(await why(`key=${narrow.keyId}`, narrow), { reason: 'outside_scope' });
  const codeOf = async (query: string, who: Person = admin) =>
    (await who.ask('GET', `${document}/access?action=doc.write&${query}`)).json().code;
  t.equal(await codeOf(`key=${clerk.keyId}`, narrow), 'key_not_found', 'what keys of others may is for who administers keys');
  t.equal(await codeOf('key=018f0000-0000-7000-8000-000000000001'), 'key_not_found');
  t.equal(await codeOf(`key=${clerk.keyId}&principal=${narrow.principalId}`), 'bad_parameter');
  t.equal(await codeOf(`key=${clerk.keyId}&scope=doc.read`), 'bad_parameter');
  t.equal(await codeOf('scope=doc.raed'), 'capability_unknown');
  t.equal((await admin.ask('DELETE', `/v1/keys/${clerk.keyId}`)).status, 204);
  t.match(await why(`key=${clerk.keyId}`), { allowed: false, reason: 'credential_refused', decidedBy: 'credential' });
});

t.test('a past decision is told as it fell then, whatever would be decided now', async (t) => {
  const reader = await makePerson(product, admin, { name: 'once denied' });
  const made = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'once' }), 201);
  const path = `/v1/documents/${made.documentId}`;
  const rule = (effect: string, ...actions: string[]) => ({ effect, actions, principals: [reader.principalId] });
  const setRules = async (rules: readonly object[]) => {
    const etag = (await admin.ask('GET', `${path}/acl`)).headers.get('etag') as string;
    return expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': etag } }), 200);
  };
  const { rules } = await setRules([rule('allow', 'doc.read'), rule('deny', 'blob.read')]);
  t.equal((await send(reader, 'p-denied', 'GET', `${path}/content`)).status, 403);
  await setRules([rule('allow', 'doc.read', 'blob.read')]);
  t.equal((await send(reader, 'p-allowed', 'GET', `${path}/content`)).status, 200);

  const [denied] = await eventsOf('p-denied');
  const told = expectStatus(await admin.ask('GET', `/v1/audit/decisions/${denied?.eventId}`), 200);
  const deciding = (rules as Json[])[1]?.id;
  t.match(told, { event: { ...denied }, rules: { version: 1, changedBy: admin.principalId } });
  t.match((told.rules as { rules: Json[] }).rules[1], { id: deciding, effect: 'deny', actions: ['blob.read'] });
  const words = (told.lines as string[]).join('\n');
  for (const part of [
    'was denied blob.read',
    `API key ${reader.keyId}, from 198.51.100.7`,
    `Rule ${deciding} denied blob.read`,
  ]) {
    t.match(words, part);
  }
  t.match(words, `document ${made.documentId} version 1`);
  t.strictSame(expectStatus(await admin.ask('GET', `/v1/audit/decisions/${told.leaf}`), 200), told, 'by its number');
  const [allowed] = await eventsOf('p-allowed');
  const later = expectStatus(await admin.ask('GET', `/v1/audit/decisions/${allowed?.eventId}`), 200);
  t.match(later, { rules: { version: 2 } });
  t.match((later.lines as string[]).join('\n'), /allowed blob\.read, and no rule denied it/);

  for (const [event, status] of [
    ['018f0000-0000-7000-8000-000000000001', 404],
    ['999999999', 404],
    ['x', 400],
  ] as const) {
    t.equal((await admin.ask('GET', `/v1/audit/decisions/${event}`)).status, status, event);
  }
  t.equal((await reader.ask('GET', `/v1/audit/decisions/${denied?.eventId}`)).status, 403, 'for those who may read the log');
});

t.test('a change that was allowed to be tried and failed leaves an event, and its repetitions are counted', async (t) => {
  const version = { versionId: stored.versionId, expected: '018f0000-0000-7000-8000-000000000001' };
  const tries: readonly [string, string, string, unknown, number, Readonly<Record<string, string>>?][] = [
    ['f-label', 'PUT', `${document}/labels/sealed`, version, 409],
    ['f-body', 'PUT', `${document}/labels/sealed`, { nonsense: 1 }, 400],
    ['f-urn', 'POST', `${document}/metadata`, { mode: 'canonical', bundle: { 'urn:x': 1 } }, 422],
    ['f-rules', 'PUT', `${document}/acl`, { rules: [] }, 428],
    ['f-stale', 'PUT', `${document}/acl`, { rules: [] }, 412, { 'if-match': '"0-0"' }],
    [
      'f-digest',
      'PUT',
      `${document}/content`,
      'bytes',
      422,
      { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` },
    ],
    ['f-name', 'POST', '/v1/principals', { kind: 'user', name: 'narrow', roles: [] }, 409],
  ];
  for (const [id, method, path, body, status, more] of tries) {
    const answer = await send(admin, id, method, path, body, more);
    const [event] = await eventsOf(id);
    t.match(
      event,
      {
        ...{ outcome: 'failed', reason: answer.json().code, credential: { id: adminKey }, address: '198.51.100.7' },
        decision: { reason: 'role_allows', roles: ['admin'] },
        detail: { status: answer.status },
      },
      id,
    );
    t.ok([status, 400].includes(answer.status), `${id}: ${answer.status}`);
    t.ok(String(event?.detail.request).startsWith(`${method} /v1/`), id);
  }
  for (let time = 0; time < 5; time++) await send(admin, `f-again-${time}`, 'PUT', `${document}/labels/sealed`, version);
  await send(admin, 'f-done', 'PUT', `${document}/refs/dms/3`, {});
  await eventsOf('f-done');
  const { items } = expectStatus(await admin.ask('GET', `/v1/audit/events?limit=1000&document=${stored.documentId}`), 200);
  const retries = (items as { event: AuditEvent }[]).filter(({ event }) => event.requestId.startsWith('f-again'));
  t.same(retries, [], 'the first one has the window');
});

t.test('a piece of an upload, or its end, that is refused leaves an event too', async (t) => {
  const upload = expectStatus(await admin.ask('POST', '/v1/documents', { body: { size: 3 } }), 201).uploadId;
  const bytes = `/v1/uploads/${upload}/bytes`;
  const wrong = { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
  const tries: readonly [string, string, string, number, string, Readonly<Record<string, string>>?][] = [
    ['u-offset', 'PUT', bytes, 409, 'upload_offset_mismatch', { 'upload-offset': '2' }],
    ['u-digest', 'PUT', bytes, 422, 'digest_mismatch', wrong],
    ['u-large', 'PUT', bytes, 413, 'upload_too_large'],
    ['u-nobodys', 'DELETE', `/v1/uploads/${orgId}`, 404, 'upload_not_found'],
  ];
  for (const [id, method, path, status, reason, more] of tries) {
    const body = id === 'u-nobodys' ? undefined : id === 'u-large' ? 'abcd' : 'abc';
    const answer = await send(admin, id, method, path, body, { 'content-type': 'application/octet-stream', ...more });
    t.match(answer.json(), { status, code: reason }, id);
    const origin = { credential: { id: adminKey }, address: '198.51.100.7' };
    t.match((await eventsOf(id))[0], { outcome: 'failed', reason, ...origin, detail: { status } }, id);
  }
});

t.test("credentials of nobody leave one event for each address and reason in the operator's log", async (t) => {
  const claims = { ...claimsAt(Date.now()), org_id: orgId };
  const past = Math.floor(Date.now() / 1000) - 3600;
  const tokens = {
    token_expired: signHs256(secret, { ...claims, iat: past - 600, exp: past, jti: 'old' }),
    signature_invalid: signHs256('another secret of thirty-two bytes!', claims),
    token_refused: signHs256(secret, { ...claims, sub: 'nobody' }),
    credentials_malformed: '!',
  };
  for (const [reason, token] of Object.entries(tokens)) {
    for (const time of [1, 2]) {
      const headers = from('198.51.100.20', `u-${reason}-${time}`);
      const answer = await product.fetchAs(token, '/v1/documents', { headers });
      t.match(await answer.json(), { status: 401, details: { reason } });
    }
    const [event] = await eventsOf(`u-${reason}-1`);
    t.match(event, { outcome: 'denied', reason, address: '198.51.100.20', resource: { kind: 'org', id: orgId } });
    t.equal(event?.credential, undefined);
  }
  t.match((await eventsOf('u-token_expired-1'))[0]?.detail, { first: { jti: 'old', orgId, subject: 'alice' } });
  const { items } = expectStatus(await admin.ask('GET', '/v1/audit/events?action=session.authenticate&limit=1000'), 200);
  const second = (items as { event: AuditEvent }[]).filter(({ event }) => event.requestId.endsWith('-2'));
  t.same(second, [], 'the second of a kind is counted');
});

t.test('an address is limited before its credentials are looked at; others, and whoever is known there, are not', async (t) => {
  const at = (address: string, key: string) => product.fetchAs(key, '/v1/documents', { headers: from(address, `l-${address}`) });
  const known = await makePerson(product, admin, { name: 'known' });
  t.equal((await at('198.51.100.30', known.key)).status, 200);
  const statuses: number[] = [];
  for (let tried = 0; tried < BURST + 5; tried++) statuses.push((await at('198.51.100.30', '!')).status);
  t.ok(statuses.slice(0, BURST).every((status) => status === 401));
  const refused = await at('198.51.100.30', '!');
  t.match(await refused.json(), { code: 'rate_limited', details: { limit: 'refused_credentials_per_address' } });
  t.ok(Number(refused.headers.get('retry-after')) >= 1);
  t.equal((await at('198.51.100.30', known.key)).status, 200);
  t.equal((await at('198.51.100.31', '!')).status, 401);
});

t.test('lines of the log say who, with what and from where, and never more of a credential than its id', async (t) => {
  await send(admin, 'line-ok', 'GET', document);
  await send(admin, 'line-failed', 'GET', '/v1/documents/018f0000-0000-7000-8000-000000000001');
  await product.fetchAs('!', '/v1/documents', { headers: from('198.51.100.41', 'line-nobody') });
  await product.fetchAs(undefined, '/v1/health', { headers: from('198.51.100.42', 'line-open') });
  const { principalId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  const lineOf = async (id: string) => {
    for (let waited = 0; waited < 10_000; waited += 50) {
      const found = product.log.find(({ requestId }) => requestId === id);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no line of ${id}`);
  };
  const who = { principalId, credentialId: adminKey, address: '198.51.100.7' };
  t.match(await lineOf('line-ok'), { status: 200, ...who });
  t.match(await lineOf('line-failed'), { status: 404, ...who });
  const nobody = await lineOf('line-nobody');
  t.match(nobody, { status: 401, address: '198.51.100.41' });
  t.equal(nobody.principalId, undefined);
  t.match(await lineOf('line-open'), { status: 200, address: '198.51.100.42' });
  t.notOk(product.output.includes(product.key));
});

t.test('an export ends at the last signed head, and has what is behind it when that is asked for', async (t) => {
  await send(admin, 'x-last', 'PUT', `${document}/refs/dms/9`, {});
  await eventsOf('x-last');
  const linesOf = async (query: string) => (await (await product.fetch(`/v1/audit/export${query}`)).text()).trimEnd().split('\n');
  const kinds = (lines: readonly string[]) => lines.map((line) => Object.keys(JSON.parse(line) as Json)[0]);
  t.equal(kinds(await linesOf('')).at(-1), 'checkpoint');
  t.ok((await linesOf('?unsigned=true')).some((line) => line.includes('x-last')));
  t.equal((await product.fetch('/v1/audit/export?unsigned=perhaps')).status, 400);
});
