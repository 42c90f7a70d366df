import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { administratorOf, expectStatus, makePerson, type Person, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const operator = await administratorOf(product);
const home = expectStatus(await operator.ask('GET', '/v1/principals/me'), 200).orgId as string;

async function makeOrg(name: string): Promise<{ readonly orgId: string; readonly admin: Person }> {
  const made = expectStatus(await operator.ask('POST', '/v1/orgs', { body: { name } }), 201);
  const { orgId, ...person } = made as { orgId: string; principalId: string; keyId: string; key: string };
  return { orgId, admin: personWith(product, person) };
}

const north = await makeOrg('north');
const south = await makeOrg('south');

t.test('a new org has an administrator whose key is shown once', async (t) => {
  const me = expectStatus(await north.admin.ask('GET', '/v1/principals/me'), 200);
  t.notOk((me.capabilities as string[]).includes('cluster.admin'), 'which nobody has outside the org of the operator');
  t.match(me, { orgId: north.orgId, principalId: north.admin.principalId, name: 'admin', kind: 'service', roles: ['admin'] });
  const keys = expectStatus(await north.admin.ask('GET', '/v1/keys'), 200);
  t.match(keys.items, [{ keyId: north.admin.keyId, principalId: north.admin.principalId }]);
  t.notMatch(JSON.stringify(keys), north.admin.key);
  const clerk = await makePerson(product, north.admin, { name: 'clerk', roles: ['clerk'] });
  t.equal((await clerk.ask('POST', '/v1/documents', { body: 'bytes' })).status, 201);
  const deputy = await makePerson(product, north.admin, { name: 'deputy', roles: ['admin'] });
  t.equal((await deputy.ask('GET', '/v1/principals')).status, 200, 'an administrator makes another one');
});

t.test('orgs are made, listed and suspended from where the server is operated, and nowhere else', async (t) => {
  const listed = expectStatus(await operator.ask('GET', '/v1/orgs'), 200).items as { orgId: string; name: string }[];
  t.strictSame(new Set(listed.map(({ orgId }) => orgId)), new Set([home, north.orgId, south.orgId]));
  const own = expectStatus(await north.admin.ask('GET', '/v1/orgs'), 200);
  t.match(own, { items: [{ orgId: north.orgId, name: 'north', suspendedAt: null }], nextCursor: null });
  t.equal((own.items as unknown[]).length, 1);
  t.equal((await north.admin.ask('POST', '/v1/orgs', { body: { name: 'west' } })).status, 403);
  t.equal((await north.admin.ask('DELETE', `/v1/orgs/${south.orgId}`)).status, 403);
  t.equal((await north.admin.ask('DELETE', `/v1/orgs/${north.orgId}`)).status, 403);
  t.equal((await operator.ask('POST', '/v1/orgs', { body: { name: 'north' } })).json().code, 'name_taken');
  t.equal((await operator.ask('DELETE', `/v1/orgs/${home}`)).json().code, 'operator_org');
  t.equal((await operator.ask('DELETE', '/v1/orgs/00000000-0000-7000-8000-000000000000')).json().code, 'org_not_found');
  const clerk = await makePerson(product, operator, { name: 'clerk', roles: ['clerk'] });
  t.equal((await clerk.ask('POST', '/v1/orgs', { body: { name: 'west' } })).status, 403);
  t.match(expectStatus(await clerk.ask('GET', '/v1/orgs'), 200), { items: [{ orgId: home }], nextCursor: null });
});

t.test('figures of the whole server are for its operator: they would tell what others have stored', async (t) => {
  for (const person of [north.admin, await makePerson(product, north.admin, { name: 'auditor', roles: ['auditor'] })]) {
    t.equal((await person.ask('GET', '/metrics')).status, 403);
    t.strictSame((await person.ask('GET', '/v1/ready')).json(), { status: 'ready' });
  }
  const rules = [{ effect: 'allow', actions: ['observability.read'], principals: [north.admin.principalId] }];
  const headers = { 'if-match': '"a-0"' };
  expectStatus(await north.admin.ask('PUT', `/v1/orgs/${north.orgId}/acl`, { body: { rules }, headers }), 200);
  t.equal((await north.admin.ask('GET', '/metrics')).status, 403, 'whatever its rules say');
  expectStatus(
    await north.admin.ask('PUT', `/v1/orgs/${north.orgId}/acl`, { body: { rules: [] }, headers: { 'if-match': '"a-1"' } }),
    200,
  );
  t.match((await operator.ask('GET', '/metrics')).text, /^quasar_writer_bytes_total/m);
});

t.test('names are free in every org, and rules of one org name nobody of another', async (t) => {
  for (const { admin } of [north, south]) {
    t.equal((await admin.ask('POST', '/v1/groups', { body: { name: 'chamber' } })).status, 201);
    const body = { kind: 'user', name: 'same', subject: 'same' };
    t.equal((await admin.ask('POST', '/v1/principals', { body })).status, 201);
  }
  const rules = [{ effect: 'allow', actions: ['doc.read'], principals: [south.admin.principalId] }];
  const headers = { 'if-match': '"a-2"' };
  const answer = await north.admin.ask('PUT', `/v1/orgs/${north.orgId}/acl`, { body: { rules }, headers });
  t.match(answer.json(), { code: 'subject_not_found', details: { subjectId: south.admin.principalId } });
  t.equal((await north.admin.ask('GET', `/v1/orgs/${south.orgId}/acl`)).json().code, 'org_not_found');
  t.equal((await operator.ask('GET', `/v1/orgs/${south.orgId}/acl`)).json().code, 'org_not_found', 'nor does the operator');
});

t.test('nobody in a suspended org may do anything until it is let in again', async (t) => {
  const gone = await makeOrg('gone');
  t.equal((await gone.admin.ask('GET', '/v1/documents')).status, 200);
  t.equal((await operator.ask('DELETE', `/v1/orgs/${gone.orgId}`)).status, 204);
  t.ok(await eventually(gone.admin, 401));
  const listed = expectStatus(await operator.ask('GET', '/v1/orgs'), 200).items as { orgId: string; suspendedAt: unknown }[];
  t.type(listed.find(({ orgId }) => orgId === gone.orgId)?.suspendedAt, 'string');
  t.equal((await operator.ask('PUT', `/v1/orgs/${gone.orgId}`, { body: { suspended: false } })).status, 204);
  t.ok(await eventually(gone.admin, 200));
});

/** Until the list of documents answers so, for ten seconds at most: other processes learn of a change within one. */
async function eventually(person: Person, status: number): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if ((await person.ask('GET', '/v1/documents')).status === status) return true;
    await sleep(50);
  }
  return false;
}
