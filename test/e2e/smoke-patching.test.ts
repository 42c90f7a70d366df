import t from 'tap';
import type { Answered, Json } from '../helpers/ask.ts';
import { eventsOfRequest } from '../helpers/audited.ts';
import { administratorOf, expectStatus, makePerson } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/** Core metadata of a record is written, patched, refused and read again as it was: validation, audit and versions together. */

const CORE = 'urn:quasar:ns:core';
const SCHEMA = 'urn:quasar:schema:core@1.0.0';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const clerk = await makePerson(product, admin, { name: 'clerk', roles: ['clerk'] });

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1 },
    pages: { type: 'integer', minimum: 1 },
    filedOn: { type: 'string', format: 'date' },
  },
  required: ['title', 'pages'],
  additionalProperties: false,
};
const registered = { schemaUrn: SCHEMA, namespaceUrn: CORE, schema, lifecycle: 'active' };
expectStatus(await admin.ask('POST', '/v1/schemas', { body: registered }), 201);
const stored = expectStatus(await clerk.ask('POST', '/v1/documents', { body: 'a page' }), 201);
const document = `/v1/documents/${stored.documentId}`;
const namespace = `${document}/metadata/${encodeURIComponent(CORE)}`;

/** Each request has an id by which its event is found. */
const send = (requestId: string, path: string, body: unknown) =>
  clerk.ask('POST', path, { body, headers: { 'x-request-id': requestId } });
const show = async (query = ''): Promise<Answered> => clerk.ask('GET', `${namespace}${query}`);
const dataOf = (answer: Answered): unknown => ((answer.json().entry ?? {}) as Json).data;
const current = async (): Promise<Json> => expectStatus(await clerk.ask('GET', document), 200);

interface Step {
  readonly versionId: string;
  readonly metadataId: string;
  readonly etag: string;
}

const written = { title: 'Complaint', pages: 3, filedOn: '2026-11-20' };
const corrected = { title: 'Complaint of A. Smith', pages: 4, filedOn: '2026-11-20' };

async function write(): Promise<Step> {
  const body = { mode: 'canonical', bundle: { [CORE]: { schema: { $id: SCHEMA }, data: written } }, reason: 'Filed' };
  const { versionId, namespaces } = expectStatus(await send('smoke-write', `${document}/metadata`, body), 201);
  const [{ metadataId }] = namespaces as [{ metadataId: string }];
  return { versionId: versionId as string, metadataId, etag: `"m-${metadataId}.${versionId}"` };
}

async function patch(base: string): Promise<Step> {
  const operations = [
    { op: 'test', path: '/pages', value: 3 },
    { op: 'replace', path: '/pages', value: 4 },
    { op: 'replace', path: '/title', value: corrected.title },
  ];
  const body = { mode: 'canonical', baseMetadataId: base, patch: operations, reason: 'Page 4 was stuck' };
  const { versionId, metadataId } = expectStatus(await send('smoke-patch', `${namespace}/patch`, body), 200) as unknown as Step;
  return { versionId, metadataId, etag: `"m-${metadataId}.${versionId}"` };
}

const first = await write();
const second = await patch(first.metadataId);

t.test('canonical metadata is written, pinned to its schema', async (t) => {
  const shown = await show(`?version=${first.versionId}`);
  t.match(shown.json(), {
    namespace: CORE,
    layer: 'canonical',
    entry: { schema: { $id: SCHEMA }, status: 'valid', data: written },
  });
  t.equal(shown.headers.get('etag'), first.etag);
});

t.test('a patch makes a version whose parent is the one before, with the same bytes', async (t) => {
  t.strictSame(dataOf(await show()), corrected);
  const { currentVersionId, current: version } = await current();
  t.equal(currentVersionId, second.versionId);
  t.match(version, { parents: [first.versionId], reason: 'Page 4 was stuck', contentRef: stored.contentRef });
  const { items } = expectStatus(await clerk.ask('GET', `${document}/versions`), 200) as { items: Json[] };
  t.match(items, [
    { versionId: second.versionId, parents: [first.versionId] },
    { versionId: first.versionId, parents: [stored.versionId] },
    { versionId: stored.versionId, parents: [] },
  ]);
  t.equal((await clerk.ask('GET', `${document}/content`)).text, 'a page');
});

t.test('the versions before show what they had', async (t) => {
  t.strictSame(dataOf(await show(`?version=${first.versionId}`)), written);
  t.strictSame(dataOf(await show(`?version=${second.versionId}`)), corrected);
  t.equal((await show(`?version=${stored.versionId}`)).status, 404, 'there was none yet');
});

t.test('ETags name what may be changed, and what has changed is a conflict', async (t) => {
  t.equal((await show()).headers.get('etag'), second.etag);
  t.match((await clerk.ask('GET', document)).headers.get('etag'), new RegExp(`^"v-${second.versionId}\\.[0-9a-f]{32}"$`));
  const stale = await send('smoke-stale', `${namespace}/patch`, {
    ...{ mode: 'canonical', baseMetadataId: first.metadataId },
    patch: [{ op: 'replace', path: '/pages', value: 9 }],
  });
  t.equal(stale.status, 409);
  t.match(stale.json(), { code: 'metadata_conflict', details: { metadataId: second.metadataId } });
  const bare = { 'content-type': 'application/json-patch+json', 'if-match': first.etag };
  t.equal((await clerk.ask('POST', `${namespace}/patch`, { body: '[]', headers: bare })).status, 409);
});

t.test('what does not fit its schema is refused with a pointer to each fault, and changes nothing', async (t) => {
  const refused = await send('smoke-refused', `${namespace}/patch`, {
    ...{ mode: 'canonical', baseMetadataId: second.metadataId },
    patch: [
      { op: 'replace', path: '/pages', value: 0 },
      { op: 'add', path: '/filedOn', value: 'yesterday' },
      { op: 'remove', path: '/title' },
    ],
  });
  t.equal(refused.status, 422);
  const { code, details } = refused.json() as { code: string; details: { errors: { path: string; code: string }[] } };
  t.equal(code, 'metadata_invalid');
  for (const [end, keyword] of [
    ['/pages', 'minimum'],
    ['/filedOn', 'format'],
    ['', 'required'],
  ] as const) {
    t.ok(
      details.errors.some((fault) => fault.code === keyword && fault.path.endsWith(end)),
      `${keyword} among ${JSON.stringify(details.errors)}`,
    );
  }
  t.strictSame(dataOf(await show()), corrected);
  t.equal((await current()).currentVersionId, second.versionId);
});

t.test('the audit log has who wrote and who patched, by the ids of their requests, from what to what', async (t) => {
  const about = { principal: { kind: 'user', id: clerk.principalId }, outcome: 'allowed', reason: 'role_allows' };
  const resource = { kind: 'document', id: stored.documentId };
  const [writing] = await eventsOfRequest(admin, 'smoke-write', 'metadata.replace');
  t.match(writing, { ...about, resource: { ...resource, version: first.versionId }, requestId: 'smoke-write' });
  const [patching] = await eventsOfRequest(admin, 'smoke-patch', 'metadata.patch');
  t.match(patching, { ...about, resource: { ...resource, version: second.versionId }, requestId: 'smoke-patch' });
  const told = JSON.stringify(patching?.detail);
  t.ok(told.includes(first.metadataId) && told.includes(second.metadataId), `before and after in ${told}`);
  t.notOk(told.includes('Smith'), 'content is no part of it');
  const page = expectStatus(await admin.ask('GET', `/v1/audit/events?document=${stored.documentId}&limit=1000`), 200);
  const changes = (page.items as { event: Json }[]).filter(({ event }) => String(event.action).startsWith('metadata.'));
  t.equal(changes.length, 2, 'what was refused changed nothing');
});
