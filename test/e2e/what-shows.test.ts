import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { newId } from '../../src/core/ids.ts';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** What is hidden within an org, and what of it can be seen from beside it. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const clerk = await makePerson(product, admin, { name: 'clerk', roles: ['clerk'] });
const delegate = await makePerson(product, admin, { name: 'delegate', roles: ['clerk'] });

const setRules = async (path: string, rules: readonly Json[], version = 0) =>
  expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': `"a-${version}"` } }), 200);
const rule = (effect: string, actions: readonly string[], ...principals: string[]) => ({ effect, actions, principals });
const make = async (path: string, body: unknown) => expectStatus(await admin.ask('POST', path, { body }), 201);

const hidden = await make('/v1/documents', 'hidden');
await setRules(`/v1/documents/${hidden.documentId}`, [rule('deny', ['doc.read'], clerk.principalId)]);
const gone = await make('/v1/documents', 'hidden and disposed of');
await setRules(`/v1/documents/${gone.documentId}`, [rule('deny', ['doc.read'], clerk.principalId)]);
await admin.ask('DELETE', `/v1/documents/${gone.documentId}`, { body: { reason: 'x' } });
const outer = await make('/v1/folders', { name: 'outer' });
const inner = await make('/v1/folders', { name: 'inner', parentId: outer.folderId });
const group = await make('/v1/groups', { name: 'a group' });

t.test('an id that is taken is refused alike, whatever has it', async (t) => {
  const upload = expectStatus(await admin.ask('POST', '/v1/documents', { body: {} }), 201);
  const taken = [
    hidden.documentId,
    gone.documentId,
    outer.folderId,
    group.groupId,
    admin.principalId,
    clerk.keyId,
    orgId,
    upload.uploadId,
  ];
  const answers = [];
  for (const documentId of taken) {
    const { status, headers, text } = await clerk.ask('POST', '/v1/documents', { body: { documentId } });
    const names = Object.keys(headers as object)
      .sort()
      .join();
    answers.push(`${status} ${names} ${text.replace(/"requestId":"[^"]*"/, '')}`);
  }
  t.strictSame(new Set(answers).size, 1, answers.join('\n'));
  t.match(answers[0], /^409 .*id_not_available/);
  t.equal((await clerk.ask('POST', '/v1/documents', { body: { documentId: newId(systemClock) } })).status, 201);
});

t.test('an id that somebody else took first, and hid, is refused at the end in the same way', async (t) => {
  const documentId = newId(systemClock);
  const session = expectStatus(await clerk.ask('POST', '/v1/documents', { body: { documentId } }), 201);
  const other = expectStatus(await admin.ask('POST', '/v1/documents', { body: { documentId } }), 201);
  expectStatus(await admin.ask('POST', `/v1/uploads/${other.uploadId}/finalize`, { body: {} }), 201);
  await setRules(`/v1/documents/${documentId}`, [rule('deny', ['doc.read'], clerk.principalId)]);
  const ended = await clerk.ask('POST', `/v1/uploads/${session.uploadId}/finalize`, { body: {} });
  t.match({ status: ended.status, code: ended.json().code }, { status: 409, code: 'id_not_available' });
});

t.test("a folder's delegate learns what somebody may do there, not the org's rules nor others' roles", async (t) => {
  const manage = rule('allow', ['doc.read', 'acl.admin'], delegate.principalId);
  await setRules(`/v1/orgs/${orgId}`, [
    rule('deny', ['blob.read'], clerk.principalId),
    rule('allow', ['audit.read'], clerk.principalId),
  ]);
  await setRules(`/v1/folders/${outer.folderId}`, [rule('deny', ['doc.delete'], clerk.principalId)]);
  const [, own] = (await setRules(`/v1/folders/${inner.folderId}`, [manage, rule('deny', ['doc.write'], clerk.principalId)]))
    .rules as Json[];
  const ask = async (person: typeof admin, action: string, about = clerk.principalId) =>
    (await person.ask('GET', `/v1/folders/${inner.folderId}/access?principal=${about}&action=${action}`)).json();

  const secrets = (JSON.stringify(await ask(admin, 'blob.read')).match(/[0-9a-f-]{36}/g) ?? []) as string[];
  t.ok(secrets.includes(outer.folderId as string), 'an administrator sees all');
  for (const [action, allowed] of Object.entries({
    'doc.read': true,
    'blob.read': false,
    'doc.delete': false,
    'audit.read': true,
  })) {
    const told = await ask(delegate, action);
    t.match(told, { allowed, reason: 'decided_outside', decidedBy: 'outside' }, action);
    const places = (told.considered as { place: Json }[]).map(({ place }) => place);
    t.strictSame(new Set(places.map(({ folderId }) => folderId)), new Set([inner.folderId]), action);
    t.notMatch(JSON.stringify(told), new RegExp(`${outer.folderId}|at the org|include|suspended`), action);
  }
  t.match(
    await ask(delegate, 'doc.write'),
    { allowed: false, reason: 'rule_denies', decidedBy: own?.id },
    'his own rules he sees',
  );
  t.match(await ask(delegate, 'doc.read', delegate.principalId), { allowed: true, reason: 'role_allows' }, 'and his own roles');

  const suspended = await makePerson(product, admin, { name: 'suspended', roles: ['reader'] });
  const nobody = await makePerson(product, admin, { name: 'nobody' });
  const before = await ask(delegate, 'doc.delete', suspended.principalId);
  await admin.ask('DELETE', `/v1/principals/${suspended.principalId}`);
  t.match(await ask(delegate, 'doc.delete', suspended.principalId), { allowed: before.allowed, reason: before.reason });
  t.match(await ask(delegate, 'doc.delete', nobody.principalId), { allowed: false, reason: 'decided_outside' });
});
