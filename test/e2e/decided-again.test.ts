import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { administratorOf, expectStatus, makePerson, type Person, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** What takes its time is decided twice: when it comes, and by what holds when it is to take effect. */

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const ofTenant = expectStatus(await admin.ask('POST', '/v1/orgs', { body: { name: 'tenant' } }), 201);
const tenant = personWith(product, ofTenant as { principalId: string; keyId: string; key: string });
let count = 0;

interface Slow {
  /** The rest of the body, and the answer. */
  finish(): Promise<{ readonly status: number | undefined; readonly text: string }>;
}

/** A request whose body stops half-way. */
async function begin(
  person: Person,
  method: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Slow> {
  const half = Math.floor(body.length / 2);
  const sent = request(product.url + path, {
    method,
    headers: {
      authorization: `Bearer ${person.key}`,
      'content-length': String(body.length),
      'content-type': 'text/plain',
      ...headers,
    },
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined);
  await new Promise<void>((resolve, reject) => sent.write(body.slice(0, half), (error) => (error ? reject(error) : resolve())));
  // The head is there when it has been decided; that it has is what the first half being taken shows, soon.
  await sleep(150);
  return {
    finish: async () => {
      sent.end(body.slice(half));
      const [answer] = await answered;
      return { status: answer.statusCode, text: await text(answer) };
    },
  };
}

const newClerk = () => makePerson(product, admin, { name: `clerk ${count++}`, roles: ['clerk'] });
const documents = async (person: Person) =>
  (expectStatus(await person.ask('GET', '/v1/documents?limit=1000'), 200).items as unknown[]).length;
const suspend = (person: Person) => admin.ask('DELETE', `/v1/principals/${person.principalId}`);
const json = { 'content-type': 'application/json' };
const bytes = 'bytes that come slowly'.repeat(10);

t.test('an upload in one request makes nothing when its principal or key went meanwhile', async (t) => {
  const ends = {
    'suspended principal': suspend,
    'revoked key': (person: Person) => admin.ask('DELETE', `/v1/keys/${person.keyId}`),
  };
  for (const [what, end] of Object.entries(ends)) {
    const clerk = await newClerk();
    const before = await documents(admin);
    const slow = await begin(clerk, 'POST', '/v1/documents', bytes);
    t.ok((await end(clerk)).status < 300, what);
    t.match(await slow.finish(), { status: 401, text: /token_revoked/ }, what);
    t.equal(await documents(admin), before, what);
  }
});

t.test('an upload of an org that was suspended meanwhile makes nothing', async (t) => {
  const before = await documents(tenant);
  const slow = await begin(tenant, 'POST', '/v1/documents', bytes);
  t.equal((await admin.ask('DELETE', `/v1/orgs/${ofTenant.orgId}`)).status, 204);
  t.match(await slow.finish(), { status: 401 });
  t.equal((await admin.ask('PUT', `/v1/orgs/${ofTenant.orgId}`, { body: { suspended: false } })).status, 204);
  t.equal(await documents(tenant), before);
});

t.test('a further version is refused by a rule that came meanwhile', async (t) => {
  const clerk = await newClerk();
  const { documentId } = expectStatus(await clerk.ask('POST', '/v1/documents', { body: 'first' }), 201);
  const path = `/v1/documents/${documentId}`;
  const etag = (await product.fetch(path)).headers.get('etag') as string;
  const slow = await begin(clerk, 'PUT', `${path}/content`, bytes, { 'if-match': etag });
  const rules = [{ effect: 'deny', actions: ['doc.write'], principals: [clerk.principalId] }];
  expectStatus(await admin.ask('PUT', `${path}/acl`, { body: { rules }, headers: { 'if-match': '"a-0"' } }), 200);
  t.match(await slow.finish(), { status: 403 });
  t.equal((await admin.ask('GET', `${path}/content`)).text, 'first');
});

t.test('bytes of a session, and its end, are refused in the same way', async (t) => {
  const clerk = await newClerk();
  const session = expectStatus(await clerk.ask('POST', '/v1/documents', { body: { size: bytes.length } }), 201);
  const slow = await begin(clerk, 'PUT', `/v1/uploads/${session.uploadId}/bytes`, bytes, { 'upload-offset': '0' });
  await suspend(clerk);
  t.match(await slow.finish(), { status: 401 });
  await admin.ask('PUT', `/v1/principals/${clerk.principalId}`, { body: { suspended: false } });
  t.match((await clerk.ask('GET', `/v1/uploads/${session.uploadId}`)).json(), { offset: 0 }, 'none of them is promised');
  const sent = await product.fetchAs(clerk.key, `/v1/uploads/${session.uploadId}/bytes`, {
    ...{ method: 'PUT', body: bytes, headers: { 'upload-offset': '0' } },
  });
  t.equal(sent.status, 204);
  const before = await documents(admin);
  const ending = await begin(
    clerk,
    'POST',
    `/v1/uploads/${session.uploadId}/finalize`,
    JSON.stringify({ reason: 'slowly' }),
    json,
  );
  await suspend(clerk);
  t.match(await ending.finish(), { status: 401 });
  t.equal(await documents(admin), before);
});

t.test('what a slow body of JSON asks for is not done any more', async (t) => {
  const deputy = await makePerson(product, admin, { name: 'deputy', roles: ['admin'] });
  const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name: 'of nobody' } }), 201);
  const rules = [{ effect: 'allow', actions: ['doc.read'], principals: [deputy.principalId] }];
  const changes = [
    await begin(deputy, 'PUT', `/v1/folders/${folderId}/acl`, JSON.stringify({ rules }), { ...json, 'if-match': '"a-0"' }),
    await begin(deputy, 'POST', '/v1/keys', JSON.stringify({ name: 'for later' }), json),
    await begin(deputy, 'POST', '/v1/principals', JSON.stringify({ kind: 'user', name: 'made too late' }), json),
  ];
  await suspend(deputy);
  for (const change of changes) t.match(await change.finish(), { status: 401 });
  t.match((await admin.ask('GET', `/v1/folders/${folderId}/acl`)).json(), { version: 0 });
  const keys = (await admin.ask('GET', `/v1/keys?principal=${deputy.principalId}`)).json().items as unknown[];
  t.equal(keys.length, 1, 'the one he had');
});

t.test('what others are told or denied meanwhile stops nobody', async (t) => {
  const clerk = await newClerk();
  const other = await newClerk();
  const slow = await begin(clerk, 'POST', '/v1/documents', bytes);
  await suspend(other);
  const allowed = [{ effect: 'allow', actions: ['doc.read'], principals: [other.principalId] }];
  expectStatus(
    await admin.ask('PUT', `/v1/orgs/${orgId}/acl`, { body: { rules: allowed }, headers: { 'if-match': '"a-0"' } }),
    200,
  );
  t.match(await slow.finish(), { status: 201 });
});
