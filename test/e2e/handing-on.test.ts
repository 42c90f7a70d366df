import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { administratorOf, expectStatus, makePerson, type Person, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const keeper = await makePerson(product, admin, { name: 'keeper' });
const guest = await makePerson(product, admin, { name: 'guest' });
const KEEPING = ['doc.read', 'doc.write', 'blob.write', 'acl.admin'];

function rule(effect: string, actions: readonly string[], ...people: readonly Person[]): object {
  return { effect, actions, principals: people.map(({ principalId }) => principalId) };
}

/** In place of those that hang there. */
async function setRules(by: Person, path: string, rules: readonly object[]) {
  const etag = (await by.ask('GET', `${path}/acl`)).headers.get('etag') as string;
  return by.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': etag } });
}

async function makeFolder(name: string, rules: readonly object[], parentId?: string): Promise<string> {
  const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name, parentId } }), 201);
  expectStatus(await setRules(admin, `/v1/folders/${folderId}`, rules), 200);
  return folderId as string;
}

t.test('whoever administers rules allows to others, and to himself, what he may do there and no more', async (t) => {
  const held = [rule('allow', KEEPING, keeper), rule('allow', ['doc.dispose'], admin)];
  const folder = `/v1/folders/${await makeFolder('kept', held)}`;
  for (const whom of [keeper, guest]) {
    const refused = await setRules(keeper, folder, [...held, rule('allow', ['doc.read', 'doc.dispose'], whom)]);
    t.match(refused.json(), { status: 403, code: 'forbidden', details: { missing: ['doc.dispose'] } });
  }
  const denial = rule('deny', ['doc.write'], guest);
  t.equal((await setRules(keeper, folder, [...held, rule('allow', ['doc.read'], guest), denial])).status, 200);
  t.equal((await setRules(keeper, folder, held)).status, 200, 'and takes back, also what denies');
  const [ofKeeper] = held as [object];
  t.equal((await setRules(keeper, folder, [ofKeeper])).status, 200, 'and takes what he could not give');
});

t.test('first rules of a document are bound by the same', async (t) => {
  const folderId = await makeFolder('first', [rule('allow', KEEPING, keeper)]);
  const body = (actions: readonly string[]) => ({ folderId, initialPermissions: { rules: [rule('allow', actions, guest)] } });
  const refused = await keeper.ask('POST', '/v1/documents', { body: body(['doc.read', 'legal_hold.write']) });
  t.match(refused.json(), { code: 'forbidden', details: { missing: ['legal_hold.write'] } });
  t.equal((await keeper.ask('POST', '/v1/documents', { body: body(['doc.read']) })).status, 201);
});

t.test('a key of an administrator hands on no more than its scope', async (t) => {
  const folder = `/v1/folders/${await makeFolder('by a key', [])}`;
  const scope = ['doc.read', 'acl.admin'];
  const made = expectStatus(await admin.ask('POST', '/v1/keys', { body: { name: 'rules only', scope } }), 201);
  const narrow = personWith(product, { ...admin, key: made.key as string });
  const refused = await setRules(narrow, folder, [rule('allow', ['blob.read'], guest)]);
  t.match(refused.json(), { code: 'forbidden', details: { missing: ['blob.read'] } });
  t.equal((await setRules(narrow, folder, [rule('allow', ['doc.read'], guest)])).status, 200);
});

t.test('what lies in a folder leaves it by whoever may change its rules', async (t) => {
  const strict = await makeFolder('strict', [rule('deny', ['blob.read'], guest), rule('allow', KEEPING.slice(0, 3), keeper)]);
  const free = await makeFolder('free', [rule('allow', KEEPING, keeper)]);
  const inner = await makeFolder('inner', [rule('allow', KEEPING, keeper)], strict);
  const { documentId } = expectStatus(await admin.ask('POST', `/v1/documents?folder=${strict}`, { body: 'strict' }), 201);
  const document = `/v1/documents/${documentId}`;
  expectStatus(await setRules(admin, document, [rule('allow', KEEPING, keeper)]), 200);

  const leaving = { code: 'forbidden', details: { capability: 'acl.admin' } };
  t.match((await keeper.ask('PUT', `${document}/folder`, { body: { folderId: free } })).json(), leaving);
  t.equal((await keeper.ask('PUT', `${document}/folder`, { body: { folderId: null } })).status, 403);
  t.match((await keeper.ask('PUT', `/v1/folders/${inner}`, { body: { parentId: free } })).json(), leaving);
  t.match((await keeper.ask('PUT', `${document}/folder`, { body: { folderId: strict } })).json(), { moved: false });

  expectStatus(await setRules(admin, `/v1/folders/${strict}`, [rule('allow', KEEPING, keeper)]), 200);
  t.match((await keeper.ask('PUT', `${document}/folder`, { body: { folderId: free } })).json(), { moved: true });
  t.equal((await keeper.ask('PUT', `/v1/folders/${inner}`, { body: { parentId: free } })).status, 200);
});

t.test('lists of folders and of orgs are noted, each as what it is', async (t) => {
  const folderId = await makeFolder('listed', []);
  for (const path of ['/v1/folders', `/v1/folders?parent=${folderId}`, '/v1/orgs', '/v1/documents']) {
    t.equal((await admin.ask('GET', path)).status, 200);
  }
  const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  for (const [list, id] of [
    ['folders', orgId],
    ['folders', folderId],
    ['orgs', orgId],
    ['documents', orgId],
  ]) {
    t.ok(await eventually(async () => (await listings(id as string)).includes(list)), `${list}`);
  }
});

t.test('an explanation knows that nobody outside the operator’s org operates the server', async (t) => {
  const made = expectStatus(await admin.ask('POST', '/v1/orgs', { body: { name: 'tenant' } }), 201);
  const tenant = personWith(product, made as { principalId: string; keyId: string; key: string });
  const path = (orgId: unknown) => `/v1/orgs/${orgId}/access?action=cluster.admin`;
  t.match((await tenant.ask('GET', path(made.orgId))).json(), { allowed: false, reason: 'outside_scope' });
  const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
  t.match((await admin.ask('GET', path(orgId))).json(), { allowed: true });
});

/** The lists that events about it name. */
async function listings(resourceId: string): Promise<unknown[]> {
  const { items } = expectStatus(await admin.ask('GET', `/v1/audit/events?document=${resourceId}&limit=1000`), 200);
  return (items as { event: { detail: { list?: unknown } } }[]).map(({ event }) => event.detail.list);
}

/** Until it holds, for ten seconds at most: events are numbered every few. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}
