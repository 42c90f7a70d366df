import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { capabilities } from '../../src/core/capability.ts';
import { ask, type Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const clerk = await makePerson(product, admin, { name: 'clerk', roles: ['clerk'] });
const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
const stranger = await makePerson(product, admin, { name: 'stranger' });
const absent = '00000000-0000-7000-8000-000000000000';

async function storeDocument(by: Person, text: string): Promise<string> {
  return expectStatus(await by.ask('POST', '/v1/documents', { body: text }), 201).documentId as string;
}

/** Over whatever rules hold. */
async function setRules(path: string, rules: readonly object[]): Promise<Json> {
  const current = await admin.ask('GET', `${path}/acl`);
  const headers = { 'if-match': current.headers.get('etag') as string };
  return expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers }), 200);
}

function rule(effect: string, actions: readonly string[], ...principals: readonly string[]): object {
  return { effect, actions, principals };
}

/** Until it holds, for ten seconds at most: other processes learn of a change within one. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}

/** All of a problem but what names the request. */
function problemBut(answer: { json(): Json }, id: string): Json {
  const { requestId: _, instance, ...rest } = answer.json();
  return { ...rest, instance: String(instance).replace(id, '{id}') };
}

t.test('roles hold in the whole org', async (t) => {
  const documentId = await storeDocument(clerk, 'by the clerk');
  const path = `/v1/documents/${documentId}/content`;
  t.equal((await reader.ask('GET', path)).text, 'by the clerk');
  const refused = await reader.ask('PUT', path, { body: 'by the reader' });
  t.equal(refused.status, 403);
  t.equal(refused.json().code, 'forbidden');
  t.equal((await stranger.ask('GET', path)).status, 404);
  for (const route of ['/v1/principals', '/v1/groups', '/v1/keys']) t.equal((await clerk.ask('GET', route)).status, 403, route);
});

t.test('whoever asks learns who he is and what his key is good for', async (t) => {
  const me = expectStatus(await reader.ask('GET', '/v1/principals/me'), 200);
  t.match(me, { principalId: reader.principalId, name: 'reader', roles: ['reader'], groups: [], suspendedAt: null });
  t.strictSame(me.capabilities, ['blob.read', 'doc.read']);
  t.equal((await ask(product, 'GET', '/v1/principals/me', { headers: { authorization: 'Bearer x' } })).status, 401);
});

t.test('a rule that denies outweighs a role, and a hidden document answers like an absent one', async (t) => {
  const documentId = await storeDocument(clerk, 'sealed');
  const path = `/v1/documents/${documentId}`;
  const { rules, version } = await setRules(path, [rule('deny', ['doc.read'], reader.principalId)]);
  t.equal(version, 1);
  t.match(rules, [{ effect: 'deny', actions: ['doc.read'], principals: [reader.principalId] }]);
  for (const below of ['', '/content', '/versions', '/metadata', '/acl']) {
    const hidden = await reader.ask('GET', `${path}${below}`);
    const missing = await reader.ask('GET', `/v1/documents/${absent}${below}`);
    t.equal(hidden.status, 404, below);
    t.strictSame(problemBut(hidden, documentId), problemBut(missing, absent), below);
  }
  t.equal((await clerk.ask('GET', path)).status, 200);
  await setRules(path, []);
  t.equal((await reader.ask('GET', path)).status, 200);
});

t.test('a rule allows what no role gives, on one document alone', async (t) => {
  const documentId = await storeDocument(clerk, 'for the stranger');
  const path = `/v1/documents/${documentId}`;
  await setRules(path, [rule('allow', ['doc.read', 'blob.read'], stranger.principalId)]);
  t.equal((await stranger.ask('GET', `${path}/content`)).text, 'for the stranger');
  t.equal((await stranger.ask('PUT', `${path}/content`, { body: 'x' })).status, 403);
  t.equal((await stranger.ask('GET', `/v1/documents/${await storeDocument(clerk, 'another')}`)).status, 404);
});

t.test('rules are replaced over the version that was read, and every version is kept', async (t) => {
  const path = `/v1/documents/${await storeDocument(clerk, 'rules')}`;
  const first = await admin.ask('GET', `${path}/acl`);
  t.strictSame(first.json(), { version: 0, rules: [] });
  t.equal(first.headers.get('etag'), '"a-0"');
  const body = { rules: [rule('deny', ['doc.write'], clerk.principalId)] };

  t.equal((await admin.ask('PUT', `${path}/acl`, { body })).status, 428);
  t.equal((await admin.ask('PUT', `${path}/acl`, { body, headers: { 'if-match': '*' } })).status, 428);
  const set = await admin.ask('PUT', `${path}/acl`, { body, headers: { 'if-match': '"a-0"' } });
  t.equal(set.status, 200);
  t.equal(set.headers.get('etag'), '"a-1"');
  const stale = await admin.ask('PUT', `${path}/acl`, { body, headers: { 'if-match': '"a-0"' } });
  t.equal(stale.status, 412);
  t.match(stale.json(), { code: 'rules_changed', details: { version: 1 } });

  const [kept] = set.json().rules as { id: string }[];
  const second = { rules: [{ ...kept, actions: ['doc.read'] }] };
  const again = await admin.ask('PUT', `${path}/acl`, { body: second, headers: { 'if-match': '"a-1"' } });
  t.match(again.json(), { version: 2, rules: [{ id: kept?.id, actions: ['doc.read'] }] });

  const page = expectStatus(await admin.ask('GET', `${path}/acl/changes?limit=1`), 200);
  t.match(page.items, [{ version: 2, changedBy: admin.principalId }]);
  const next = expectStatus(await admin.ask('GET', `${path}/acl/changes?cursor=${page.nextCursor}`), 200);
  t.match(next, { items: [{ version: 1, rules: [{ actions: ['doc.write'] }] }], nextCursor: null });
});

t.test('an explanation says which rule decided', async (t) => {
  const path = `/v1/documents/${await storeDocument(clerk, 'explained')}`;
  const { rules } = await setRules(path, [
    rule('deny', ['doc.write'], reader.principalId),
    rule('deny', ['doc.read'], clerk.principalId),
  ]);
  const [other, deciding] = rules as { id: string }[];
  const denied = expectStatus(await admin.ask('GET', `${path}/access?principal=${clerk.principalId}&action=doc.read`), 200);
  t.match(denied, { allowed: false, hidden: true, reason: 'rule_denies', decidedBy: deciding?.id, action: 'doc.read' });
  t.match(denied.considered, [
    { rule: { id: other?.id }, outcome: 'other_principal', matched: [], place: { kind: 'document', folderId: null } },
    { rule: { id: deciding?.id }, outcome: 'decides', matched: [clerk.principalId] },
  ]);
  t.match((denied.lines as string[]).join('\n'), deciding?.id as string);

  const own = expectStatus(await admin.ask('GET', `${path}/access?action=doc.read`), 200);
  t.match(own, { principalId: admin.principalId, allowed: true, reason: 'role_allows', decidedBy: 'role' });
  const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  const org = expectStatus(
    await admin.ask('GET', `/v1/orgs/${orgId}/access?principal=${stranger.principalId}&action=doc.write`),
    200,
  );
  t.match(org, { allowed: false, reason: 'nothing_allows', decidedBy: 'default' });

  t.equal((await admin.ask('GET', `${path}/access?principal=${absent}&action=doc.read`)).json().code, 'principal_not_found');
  t.equal((await admin.ask('GET', `${path}/access?action=doc.raed`)).json().code, 'capability_unknown');
  t.match((await admin.ask('GET', `${path}/access`)).json(), { code: 'bad_parameter', details: { parameter: 'action' } });
  t.equal((await reader.ask('GET', `${path}/access?action=doc.read`)).status, 403);
});

t.test('groups within groups count, and cannot belong to themselves', async (t) => {
  const made = async (name: string) => expectStatus(await admin.ask('POST', '/v1/groups', { body: { name } }), 201).groupId;
  const [outer, inner] = [await made('court'), await made('chamber')];
  const path = `/v1/documents/${await storeDocument(clerk, 'for the court')}`;
  await setRules(path, [rule('allow', ['doc.read'], outer as string)]);
  t.equal((await stranger.ask('GET', path)).status, 404);

  const join = (group: unknown, member: unknown, kind: string) =>
    admin.ask('PUT', `/v1/groups/${group}/members/${member}`, { body: { kind } });
  t.match((await join(outer, inner, 'group')).json(), { groupId: outer, kind: 'group', id: inner, added: true });
  t.match((await join(inner, stranger.principalId, 'principal')).json(), { added: true });
  t.match((await admin.ask('PUT', `/v1/groups/${inner}/members/${stranger.principalId}`)).json(), { added: false });
  t.equal((await stranger.ask('GET', path)).status, 200);
  const me = expectStatus(await stranger.ask('GET', '/v1/principals/me'), 200);
  t.strictSame(new Set(me.groups as string[]), new Set([outer, inner]));

  t.equal((await join(inner, outer, 'group')).json().code, 'nested_in_itself');
  t.equal((await join(inner, inner, 'group')).json().code, 'nested_in_itself');
  t.equal((await join(inner, absent, 'group')).json().code, 'group_not_found');
  t.equal((await join(inner, absent, 'principal')).json().code, 'principal_not_found');
  t.equal((await join(absent, inner, 'group')).json().code, 'group_not_found');
  const { items } = expectStatus(await admin.ask('GET', `/v1/groups/${outer}/members`), 200);
  t.strictSame(items, [{ kind: 'group', id: inner }]);

  t.equal((await admin.ask('DELETE', `/v1/groups/${inner}/members/${stranger.principalId}`)).status, 204);
  t.equal((await stranger.ask('GET', path)).status, 404);
  t.equal((await admin.ask('DELETE', `/v1/groups/${outer}`)).status, 204);
  t.equal((await admin.ask('GET', `/v1/groups/${outer}/members`)).json().code, 'group_not_found');
});

t.test('rules of a folder hold for the documents and folders within it', async (t) => {
  const make = async (name: string, parentId: unknown = null) =>
    expectStatus(await admin.ask('POST', '/v1/folders', { body: { name, parentId, caseNumber: '4 K 12/26' } }), 201);
  const outer = await make('sealed cases');
  const inner = await make('4 K 12/26', outer.folderId);
  const documentId = await storeDocument(clerk, 'in the folder');
  const path = `/v1/documents/${documentId}`;
  const place = (folderId: unknown) => admin.ask('PUT', `${path}/folder`, { body: { folderId } });
  t.strictSame((await place(inner.folderId)).json(), { documentId, folderId: inner.folderId, moved: true });
  t.match((await place(inner.folderId)).json(), { moved: false });
  t.equal((await reader.ask('GET', path)).status, 200);

  await setRules(`/v1/folders/${outer.folderId}`, [rule('deny', ['doc.read'], reader.principalId)]);
  t.equal((await reader.ask('GET', path)).status, 404);
  t.equal((await reader.ask('GET', `/v1/folders/${inner.folderId}`)).status, 404);
  t.equal((await reader.ask('GET', `/v1/folders?parent=${outer.folderId}`)).json().code, 'folder_not_found');
  const listed = expectStatus(await reader.ask('GET', '/v1/folders'), 200);
  t.notMatch(JSON.stringify(listed), outer.folderId as string);
  t.equal(listed.nextCursor, null);
  t.equal((await clerk.ask('GET', `/v1/folders?parent=${outer.folderId}`)).status, 200);

  t.equal((await clerk.ask('PUT', `${path}/folder`, { body: { folderId: null } })).status, 403);
  t.equal((await place(null)).status, 200);
  t.equal((await reader.ask('GET', path)).status, 200);
  t.equal((await place(absent)).json().code, 'folder_not_found');
});

t.test('a list of folders is filled up past those that are hidden', async (t) => {
  const parent = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name: 'many' } }), 201).folderId;
  const ids: string[] = [];
  for (let n = 0; n < 12; n++) {
    const body = { name: `case ${n}`, parentId: parent };
    ids.push(expectStatus(await admin.ask('POST', '/v1/folders', { body }), 201).folderId as string);
  }
  const shown = ids.filter((_, n) => n % 4 === 1);
  for (const id of ids.filter((id) => !shown.includes(id))) {
    await setRules(`/v1/folders/${id}`, [rule('deny', ['doc.read'], reader.principalId)]);
  }
  const seen: string[] = [];
  let cursor: unknown = null;
  let pages = 0;
  do {
    const query = cursor === null ? '' : `&cursor=${cursor}`;
    const page = expectStatus(await reader.ask('GET', `/v1/folders?parent=${parent}&limit=2${query}`), 200);
    seen.push(...(page.items as { folderId: string }[]).map(({ folderId }) => folderId));
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== null);
  t.strictSame(seen, shown);
  t.equal(pages, 2, 'the last page says it is the last');
});

t.test('folders move where they may, and go when they are empty', async (t) => {
  const make = async (body: object) => expectStatus(await clerk.ask('POST', '/v1/folders', { body }), 201).folderId as string;
  const outer = await make({ name: 'outer' });
  const inner = await make({ name: 'inner', parentId: outer });
  const move = (by: Person, folder: string, parentId: string | null) =>
    by.ask('PUT', `/v1/folders/${folder}`, { body: { parentId } });
  t.equal((await move(clerk, inner, null)).status, 403);
  t.equal((await move(admin, outer, inner)).json().code, 'nested_in_itself');
  t.equal((await move(admin, outer, absent)).json().code, 'folder_not_found');
  t.equal((await clerk.ask('DELETE', `/v1/folders/${outer}`)).json().code, 'folder_not_empty');
  t.match((await move(admin, inner, null)).json(), { folderId: inner, parentId: null });
  t.equal((await reader.ask('DELETE', `/v1/folders/${outer}`)).status, 403);
  t.equal((await clerk.ask('DELETE', `/v1/folders/${outer}`)).status, 204);
  t.equal((await clerk.ask('GET', `/v1/folders/${outer}`)).json().code, 'folder_not_found');
  t.equal((await reader.ask('POST', '/v1/folders', { body: { name: 'x' } })).status, 403);
});

t.test('who has all there is by a rule, and not by the role, makes no administrator and acts as none', async (t) => {
  const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  const delegate = await makePerson(product, admin, { name: 'all by a rule' });
  const suspended = await makePerson(product, admin, { name: 'suspended administrator', roles: ['admin'] });
  await admin.ask('DELETE', `/v1/principals/${suspended.principalId}`);
  const everything = rule('allow', capabilities, delegate.principalId);
  await setRules(`/v1/orgs/${orgId}`, [everything]);
  const above = async (method: string, path: string, body: object) =>
    t.match((await delegate.ask(method, path, { body })).json(), { status: 403, code: 'stands_above' }, `${method} ${path}`);
  await above('POST', '/v1/principals', { kind: 'user', name: 'raised', roles: ['reader', 'admin'] });
  await above('PUT', `/v1/principals/${clerk.principalId}`, { roles: ['admin'] });
  await above('PUT', `/v1/principals/${suspended.principalId}`, { suspended: false });
  await above('POST', '/v1/keys', { name: 'as another', principalId: admin.principalId });
  const etag = (await delegate.ask('GET', `/v1/orgs/${orgId}/acl`)).headers.get('etag') as string;
  const denial = { rules: [everything, rule('deny', ['acl.admin'], admin.principalId)] };
  const denied = await delegate.ask('PUT', `/v1/orgs/${orgId}/acl`, { body: denial, headers: { 'if-match': etag } });
  t.match(denied.json(), { status: 403, code: 'stands_above', details: { subjectId: admin.principalId } });
  await setRules(`/v1/orgs/${orgId}`, [rule('deny', ['blob.read'], clerk.principalId)]);
  const own = { rules: [rule('deny', ['acl.admin'], admin.principalId)] };
  const last = await admin.ask('PUT', `/v1/orgs/${orgId}/acl`, {
    body: own,
    headers: { 'if-match': (await admin.ask('GET', `/v1/orgs/${orgId}/acl`)).headers.get('etag') as string },
  });
  t.match(last.json(), { status: 409, code: 'last_administrator' }, 'nor does the last one shut himself out');
  await setRules(`/v1/orgs/${orgId}`, []);
});

t.test('nobody hands on more than he has', async (t) => {
  const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  const deputy = await makePerson(product, admin, { name: 'deputy', roles: ['reader'] });
  await setRules(`/v1/orgs/${orgId}`, [rule('allow', ['acl.admin', 'key.admin'], deputy.principalId)]);
  t.equal((await deputy.ask('GET', '/v1/principals')).status, 200);

  const role = await deputy.ask('POST', '/v1/principals', { body: { kind: 'user', name: 'friend', roles: ['clerk'] } });
  t.equal(role.status, 403);
  t.match(role.json(), { code: 'forbidden', details: { missing: ['blob.write', 'doc.write', 'doc.export', 'workflow.run'] } });
  const noted = async () => {
    const query = `principal=${deputy.principalId}&action=blob.write`;
    return (await admin.ask('GET', `/v1/audit/events?${query}`)).text.includes('"outcome":"denied"');
  };
  t.ok(await eventually(noted), 'and the refusal is noted');
  const key = await deputy.ask('POST', '/v1/keys', { body: { name: 'wide', scope: ['doc.read', 'audit.read'] } });
  t.match(key.json(), { code: 'forbidden', details: { missing: ['audit.read'] } });
  const made = expectStatus(await deputy.ask('POST', '/v1/keys', { body: { name: 'all' } }), 201);
  t.strictSame(made.scope, ['blob.read', 'doc.read', 'acl.admin', 'key.admin']);

  const keeper = await makePerson(product, admin, { name: 'keeper', roles: ['reader'] });
  await setRules(`/v1/orgs/${orgId}`, [
    rule('allow', ['acl.admin', 'key.admin'], deputy.principalId),
    rule('allow', ['key.admin'], keeper.principalId),
  ]);
  t.equal((await keeper.ask('POST', '/v1/keys', { body: { name: 'own' } })).status, 201);
  const acting = await keeper.ask('POST', '/v1/keys', { body: { name: 'acting', principalId: clerk.principalId } });
  t.match(acting.json(), { code: 'forbidden', details: { capability: 'acl.admin' } }, 'nor acts as another');

  const change = (body: object, who: Person) => deputy.ask('PUT', `/v1/principals/${who.principalId}`, { body });
  t.equal((await change({ roles: [] }, admin)).json().code, 'forbidden', 'nor takes from those who have more');
  t.equal((await deputy.ask('DELETE', `/v1/principals/${admin.principalId}`)).json().code, 'forbidden');
  t.equal((await change({ roles: ['admin'] }, deputy)).json().code, 'own_principal');
  t.equal((await admin.ask('DELETE', `/v1/principals/${admin.principalId}`)).json().code, 'own_principal');
  await setRules(`/v1/orgs/${orgId}`, []);
});

t.test('a key is good for its scope at most, and for nothing once it is revoked', async (t) => {
  const narrow = await makePerson(product, admin, { name: 'narrow', roles: ['clerk'], scope: ['doc.read', 'blob.read'] });
  const path = `/v1/documents/${await storeDocument(clerk, 'narrow')}`;
  t.equal((await narrow.ask('GET', `${path}/content`)).status, 200);
  t.equal((await narrow.ask('PUT', `${path}/content`, { body: 'x' })).status, 403);
  const listed = expectStatus(await admin.ask('GET', `/v1/keys?principal=${narrow.principalId}`), 200);
  t.match(listed.items, [{ keyId: narrow.keyId, scope: ['blob.read', 'doc.read'], revokedAt: null }]);
  t.notMatch(JSON.stringify(listed), narrow.key, 'the key itself is never listed');

  t.equal((await admin.ask('DELETE', `/v1/keys/${narrow.keyId}`)).status, 204);
  t.ok(await eventually(async () => (await narrow.ask('GET', path)).status === 401));
  t.equal((await admin.ask('DELETE', `/v1/keys/${narrow.keyId}`)).status, 204, 'twice is the same');
  t.equal((await admin.ask('DELETE', `/v1/keys/${absent}`)).json().code, 'key_not_found');
  const body = { name: 'x', principalId: absent };
  t.match((await admin.ask('POST', '/v1/keys', { body })).json(), { code: 'subject_not_found', details: { subjectId: absent } });
});

t.test('a suspended principal may do nothing until it is let in again', async (t) => {
  const guest = await makePerson(product, admin, { name: 'guest', roles: ['reader'] });
  const path = `/v1/principals/${guest.principalId}`;
  t.equal((await admin.ask('DELETE', path)).status, 204);
  t.ok(await eventually(async () => (await guest.ask('GET', '/v1/principals/me')).status === 401));
  const back = expectStatus(await admin.ask('PUT', path, { body: { suspended: false, roles: ['clerk'] } }), 200);
  t.match(back, { roles: ['clerk'], suspendedAt: null });
  t.ok(await eventually(async () => (await guest.ask('GET', '/v1/principals/me')).status === 200));
  t.equal((await admin.ask('PUT', `/v1/principals/${absent}`, { body: { roles: [] } })).json().code, 'principal_not_found');
});
