import t from 'tap';
import type { Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, makePerson, type Person } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { openProductDatabase } from '../helpers/product-database.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const owner = await makePerson(product, admin, { name: 'owner', roles: ['clerk'] });
const other = await makePerson(product, admin, { name: 'other', roles: ['clerk'] });
const absent = '00000000-0000-7000-8000-000000000000';

const bytes = { 'content-type': 'application/octet-stream', 'upload-offset': '0' };

async function begin(): Promise<string> {
  const session = expectStatus(await owner.ask('POST', '/v1/documents', { body: { filename: 'a.txt', size: 5 } }), 201);
  const sent = await owner.ask('PUT', `/v1/uploads/${session.uploadId}/bytes`, { body: 'hello', headers: bytes });
  t.equal(sent.status, 204, sent.text);
  return session.uploadId as string;
}

/** Every call there is for a session, and what it answers, but for the names of the session and the request. */
async function askAll(person: Person, uploadId: string): Promise<readonly Json[]> {
  const path = `/v1/uploads/${uploadId}`;
  const answers = [
    await person.ask('HEAD', path),
    await person.ask('GET', path),
    await person.ask('PUT', `${path}/bytes`, { body: 'HELLO', headers: bytes }),
    await person.ask('POST', `${path}/finalize`, { body: {} }),
    await person.ask('DELETE', path),
  ];
  return answers.map(({ status, text }) => {
    const { code, detail, details } = text === '' ? ({} as Json) : (JSON.parse(text) as Json);
    return { status, code, detail, details };
  });
}

t.test('a session is absent for everybody but who began it, before its end and after', async (t) => {
  const uploadId = await begin();
  for (const person of [other, admin]) t.strictSame(await askAll(person, uploadId), await askAll(person, absent));
  const [head] = await askAll(other, uploadId);
  t.equal(head?.status, 404);

  const finalize = () => owner.ask('POST', `/v1/uploads/${uploadId}/finalize`, { body: {} });
  const committed = expectStatus(await finalize(), 201);
  t.strictSame(await askAll(other, uploadId), await askAll(other, absent), 'nor does another repeat its end');
  t.equal(expectStatus(await finalize(), 200).versionId, committed.versionId);
  t.equal((await owner.ask('GET', `/v1/documents/${committed.documentId}/content`)).text, 'hello');
});

t.test('a session that was not ended in its time is gone, and stores nothing', async (t) => {
  const uploadId = await begin();
  const database = await openProductDatabase(product);
  await database.query("UPDATE quasar.upload SET expires_at = now() - interval '1 second' WHERE id = $1", [uploadId]);
  await database.close();
  const [head, get, append, finalize, cancel] = await askAll(owner, uploadId);
  for (const answer of [head, get, append, finalize]) t.equal(answer?.status, 410, JSON.stringify(answer));
  t.match(finalize, { code: 'upload_expired' });
  t.ok([204, 410].includes(cancel?.status as number), 'there is nothing left to cancel');
  t.equal((await owner.ask('POST', `/v1/uploads/${uploadId}/finalize`, { body: {} })).status, 410, 'again');
});

t.test('an owner who lost his role ends no session that he began for a document', async (t) => {
  const stored = expectStatus(await owner.ask('POST', '/v1/documents', { body: 'first' }), 201);
  const wish = { documentId: stored.documentId, size: 5 };
  const session = expectStatus(await owner.ask('POST', '/v1/documents', { body: wish }), 201);
  const path = `/v1/uploads/${session.uploadId}`;
  t.equal((await owner.ask('PUT', `${path}/bytes`, { body: 'hello', headers: bytes })).status, 204);
  const put = (roles: readonly string[]) => admin.ask('PUT', `/v1/principals/${owner.principalId}`, { body: { roles } });
  t.equal((await put(['reader'])).status, 200);
  t.equal((await owner.ask('POST', `${path}/finalize`, { body: {} })).status, 403);
  t.equal((await put(['clerk'])).status, 200);
  t.equal((await owner.ask('GET', `/v1/documents/${stored.documentId}/content`)).text, 'first');
  t.equal((await owner.ask('POST', `${path}/finalize`, { body: {} })).status, 201);
});
