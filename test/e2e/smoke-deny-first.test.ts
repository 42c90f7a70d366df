import t from 'tap';
import type { Answered, Json } from '../helpers/ask.ts';
import { eventsOfRequest } from '../helpers/audited.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** Of two who read the same record one may and one may not: the denial comes first, and the audit log has both. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const allowed = await makePerson(product, admin, { name: 'allowed', roles: ['reader'] });
const denied = await makePerson(product, admin, { name: 'denied', roles: ['reader'] });

const { documentId, versionId, contentRef } = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'a page' }), 201);
const document = `/v1/documents/${documentId}`;
// The list allows what it denies, and his role allows it too.
const rules = [
  { effect: 'allow', actions: ['doc.read', 'blob.read'], principals: [denied.principalId, allowed.principalId] },
  { effect: 'deny', actions: ['doc.read', 'blob.read'], principals: [denied.principalId] },
];
const set = expectStatus(await admin.ask('PUT', `${document}/acl`, { body: { rules }, headers: { 'if-match': '"a-0"' } }), 200);

const read = (person: Person, requestId: string, path = `${document}/content`) =>
  person.ask('GET', path, { headers: { 'x-request-id': requestId } });

/** All of a problem but what names the request. */
function problemBut(answer: Answered): Json {
  const { requestId: _, instance: __, ...rest } = answer.json();
  return rest;
}

t.test('an allowed read gets the bytes', async (t) => {
  const answer = await read(allowed, 'smoke-allowed');
  t.match({ status: answer.status, text: answer.text }, { status: 200, text: 'a page' });
});

t.test('a denied read gets nothing, and does not learn that there is something', async (t) => {
  const answer = await read(denied, 'smoke-denied');
  t.equal(answer.status, 404);
  const absent = await read(denied, 'smoke-absent', '/v1/documents/00000000-0000-7000-8000-000000000000/content');
  t.strictSame(problemBut(answer), problemBut(absent));
  t.equal((await read(denied, 'smoke-blob', `/v1/blobs/${(contentRef as { key: string }).key}`)).status, 404, 'nor by its key');
  t.strictSame((await denied.ask('GET', '/v1/documents')).json(), { items: [], nextCursor: null });
});

t.test('the audit log has both, and why', async (t) => {
  const resource = { kind: 'document', id: documentId };
  const [taken] = await eventsOfRequest(admin, 'smoke-allowed', 'blob.read');
  const by = (person: Person) => ({ kind: 'user', id: person.principalId });
  t.match(taken, { principal: by(allowed), outcome: 'allowed', resource: { ...resource, version: versionId } });
  const [refused] = await eventsOfRequest(admin, 'smoke-denied', 'blob.read');
  t.match(refused, { principal: by(denied), outcome: 'denied', reason: 'rule_denies', resource });
  const [ofBlob] = await eventsOfRequest(admin, 'smoke-blob', 'blob.read');
  t.match(ofBlob, {
    principal: by(denied),
    outcome: 'denied',
    resource: { kind: 'blob', id: (contentRef as { key: string }).key },
  });
});

t.test('the explanation names the rule that decided', async (t) => {
  const [, denial] = set.rules as { id: string }[];
  const explained = await admin.ask('GET', `${document}/access?principal=${denied.principalId}&action=blob.read`);
  t.match(explained.json(), { allowed: false, reason: 'rule_denies', decidedBy: denial?.id });
  const other = await admin.ask('GET', `${document}/access?principal=${allowed.principalId}&action=blob.read`);
  t.match(other.json(), { allowed: true });
});

t.test('without the denial the next read is allowed', async (t) => {
  t.equal((await admin.ask('PUT', `${document}/acl`, { body: { rules: [] }, headers: { 'if-match': '"a-1"' } })).status, 200);
  t.equal((await read(denied, 'smoke-again')).text, 'a page');
  const [again] = await eventsOfRequest(admin, 'smoke-again', 'blob.read');
  t.match(again, { outcome: 'allowed', reason: 'role_allows' });
});

t.test('who asks for a version that is not there leaves a trace too', async (t) => {
  const path = `${document}/content?version=${documentId}`;
  t.equal((await read(allowed, 'smoke-no-version', path)).status, 404);
  const [event] = await eventsOfRequest(admin, 'smoke-no-version', 'doc.read');
  t.match(event, { outcome: 'allowed', resource: { kind: 'document', id: documentId } });
});
