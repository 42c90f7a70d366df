import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { limits } from '../../src/core/limits.ts';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { runCommand } from '../unit/cli/run-command.ts';

const folder = temporaryFolder(t);
const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const clerk = await makePerson(product, admin, { name: 'clerk', roles: ['clerk'] });
const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
const outsider = await makePerson(product, admin, { name: 'outsider' });
const absent = '00000000-0000-7000-8000-000000000000';

const ofCase = await makeFolder('4 K 12/26', [
  { effect: 'allow', actions: ['doc.read', 'doc.write', 'blob.read', 'blob.write'], principals: [outsider.principalId] },
]);
const closed = await makeFolder('closed', [{ effect: 'deny', actions: ['doc.read'], principals: [clerk.principalId] }]);

async function makeFolder(name: string, rules: readonly object[]): Promise<string> {
  const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name } }), 201);
  const headers = { 'if-match': '"a-0"' };
  expectStatus(await admin.ask('PUT', `/v1/folders/${folderId}/acl`, { body: { rules }, headers }), 200);
  return folderId as string;
}

/** A session with its bytes in and its version made; returns the document. */
async function upload(by: Person, body: Json): Promise<string> {
  const { uploadId, documentId } = expectStatus(await by.ask('POST', '/v1/documents', { body }), 201);
  await by.ask('PUT', `/v1/uploads/${uploadId}/bytes`, { body: 'by a session' });
  expectStatus(await by.ask('POST', `/v1/uploads/${uploadId}/finalize`, { body: {} }), 201);
  return documentId as string;
}

t.test('a document is made in a folder, by whoever may write there', async (t) => {
  const { documentId } = expectStatus(await outsider.ask('POST', `/v1/documents?folder=${ofCase}`, { body: 'one shot' }), 201);
  const other = await upload(outsider, { folderId: ofCase });
  for (const id of [documentId, other]) {
    t.equal(expectStatus(await outsider.ask('GET', `/v1/documents/${id}`), 200).folderId, ofCase);
  }
  t.equal((await outsider.ask('POST', '/v1/documents', { body: 'nowhere' })).status, 403);
  t.equal((await outsider.ask('POST', '/v1/documents', { body: { filename: 'nowhere' } })).status, 403);
  t.equal((await reader.ask('POST', `/v1/documents?folder=${ofCase}`, { body: 'by a reader' })).status, 403);
});

t.test('a hidden folder answers like an absent one', async (t) => {
  for (const folderId of [closed, absent]) {
    const answers = [
      await clerk.ask('POST', `/v1/documents?folder=${folderId}`, { body: 'bytes' }),
      await clerk.ask('POST', '/v1/documents', { body: { folderId } }),
    ];
    for (const answer of answers) {
      t.equal(answer.status, 404);
      t.equal(answer.json().code, 'folder_not_found');
    }
  }
  t.equal((await admin.ask('POST', '/v1/documents?folder=x', { body: 'bytes' })).status, 400);
});

t.test('a document is under its first rules from its first moment on', async (t) => {
  const rules = [{ effect: 'deny', actions: ['doc.read'], principals: [reader.principalId] }];
  const documentId = await upload(admin, { initialPermissions: { rules } });
  const path = `/v1/documents/${documentId}`;
  t.equal((await reader.ask('GET', path)).status, 404);
  t.equal((await clerk.ask('GET', path)).status, 200);
  t.match((await admin.ask('GET', `${path}/acl`)).json(), { version: 1, rules });
  const refused = await clerk.ask('POST', '/v1/documents', { body: { initialPermissions: { rules } } });
  t.equal(refused.status, 403);
});

t.test('first rules that cannot be are refused before a byte is sent', async (t) => {
  const rule = { effect: 'deny', actions: ['doc.read'], principals: [absent] };
  const cases: readonly (readonly [unknown, number, string])[] = [
    [{ rules: [rule] }, 422, 'subject_not_found'],
    [{ rules: [{ ...rule, effect: 'maybe' }] }, 422, 'access_rules_invalid'],
    [{ rules: [{ ...rule, actions: ['doc.burn'] }] }, 422, 'capability_unknown'],
    [{}, 400, 'bad_parameter'],
    [[], 400, 'bad_body'],
  ];
  for (const [initialPermissions, status, code] of cases) {
    const answer = await admin.ask('POST', '/v1/documents', { body: { initialPermissions } });
    t.strictSame([answer.status, answer.json().code], [status, code], JSON.stringify(initialPermissions));
  }
});

t.test('the same request with the same key finds its session, rules and all', async (t) => {
  const body = { folderId: ofCase, initialPermissions: { rules: [] } };
  const headers = { 'idempotency-key': 'once' };
  const first = expectStatus(await admin.ask('POST', '/v1/documents', { body, headers }), 201);
  t.equal(expectStatus(await admin.ask('POST', '/v1/documents', { body, headers }), 200).uploadId, first.uploadId);
  const other = { ...body, folderId: closed };
  t.equal((await admin.ask('POST', '/v1/documents', { body: other, headers })).json().code, 'idempotency_mismatch');
});

t.test('a folder and first rules are for new documents', async (t) => {
  const { documentId } = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'there already' }), 201);
  for (const more of [{ folderId: ofCase }, { initialPermissions: { rules: [] } }]) {
    const answer = await admin.ask('POST', '/v1/documents', { body: { documentId, ...more } });
    t.equal(answer.status, 409);
    t.equal(answer.json().code, 'version_conflict');
  }
});

t.test('a document that was disposed of is told of to those alone who might see it', async (t) => {
  const { documentId } = expectStatus(await outsider.ask('POST', `/v1/documents?folder=${ofCase}`, { body: 'short-lived' }), 201);
  const path = `/v1/documents/${documentId}`;
  const body = { reason: 'Its time is over' };
  t.equal((await outsider.ask('DELETE', path, { body })).status, 403);
  t.equal((await outsider.ask('PUT', `${path}/hold`, { body })).status, 403);
  const stranger = await makePerson(product, admin, { name: 'stranger' });
  t.equal((await stranger.ask('DELETE', path, { body })).status, 404);
  t.equal((await admin.ask('DELETE', path, { body })).status, 204);
  t.equal((await outsider.ask('GET', path)).status, 410);
  t.equal((await reader.ask('GET', `${path}/content`)).status, 410);
  t.equal((await stranger.ask('GET', path)).status, 404);
  const acl = await admin.ask('GET', `${path}/acl`);
  t.equal(acl.status, 200, 'what the rules were can be told');
  const headers = { 'if-match': acl.headers.get('etag') as string };
  t.equal((await admin.ask('PUT', `${path}/acl`, { body: { rules: [] }, headers })).status, 410);
  t.equal((await admin.ask('PUT', `${path}/folder`, { body: { folderId: null } })).status, 410);
});

t.test('quasar put --folder stores small and large files there', async (t) => {
  const small = join(folder, 'small.txt');
  const large = join(folder, 'large.bin');
  writeFileSync(small, 'small');
  writeFileSync(large, Buffer.alloc(limits.putOneShotMax + 1, 7));
  const { url, keyFile } = product;
  const put = (...line: readonly string[]) => runCommand(['put', ...line, '--json'], { url, keyFile });
  const { code, json, stderr } = await put(small, large, '--folder', ofCase);
  t.equal(code, 0, stderr);
  t.equal(json.length, 2);
  for (const { documentId } of json as Json[]) {
    t.equal((await admin.ask('GET', `/v1/documents/${documentId}`)).json().folderId, ofCase);
  }
  t.match((await put(small, '--folder', ofCase)).json, [{ fresh: false }]);
  t.match((await put(small)).json, [{ fresh: true }], 'in no folder it is another document');
  t.equal((await put(small, '--folder', absent)).code, 3);
  t.equal((await put(small, '--folder', ofCase, '--document', absent)).code, 2);
});
