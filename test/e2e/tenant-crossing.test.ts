import t from 'tap';
import { routes } from '../../src/http/routes.ts';
import type { Answered, Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, type Person, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

/**
 * Somebody who may do everything in his own org asks for what another org has, by every route there is: the answer is the
 * one for ids that exist nowhere.
 */
const product = await Product.start();
t.teardown(() => product.destroy());
const operator = await administratorOf(product);

async function makeOrg(name: string): Promise<{ readonly orgId: string; readonly admin: Person }> {
  const made = expectStatus(await operator.ask('POST', '/v1/orgs', { body: { name } }), 201);
  const { orgId, ...person } = made as { orgId: string; principalId: string; keyId: string; key: string };
  return { orgId, admin: personWith(product, person) };
}

const theirs = await makeOrg('theirs');
const ours = await makeOrg('ours');
const theirFacts = await fill(theirs, 'theirs');
const ourFacts = await fill(ours, 'ours');

type Facts = Readonly<Record<string, string>>;

/** One of each thing there is, by the names that paths have for them. */
async function fill({ orgId, admin }: typeof ours, name: string): Promise<Facts> {
  const post = async (path: string, body: unknown) => expectStatus(await admin.ask('POST', path, { body }), 201);
  const document = await post('/v1/documents', `bytes of ${name}`);
  const documentId = document.documentId as string;
  const urn = `urn:quasar:schema:${name}@1.0.0`;
  const namespace = `urn:quasar:ns:${name}`;
  await post('/v1/schemas', { schemaUrn: urn, namespaceUrn: namespace, schema: { type: 'object' } });
  await post(`/v1/documents/${documentId}/metadata`, {
    mode: 'canonical',
    bundle: { [namespace]: { schema: { $id: urn }, data: {} } },
  });
  const labels = { versionId: document.versionId, expected: null };
  expectStatus(await admin.ask('PUT', `/v1/documents/${documentId}/labels/${name}`, { body: labels }), 200);
  expectStatus(await admin.ask('PUT', `/v1/documents/${documentId}/refs/${name}/4711`), 201);
  const { groupId } = await post('/v1/groups', { name });
  const { folderId } = await post('/v1/folders', { name });
  const { principalId } = await post('/v1/principals', { kind: 'user', name });
  const { keyId } = await post('/v1/keys', { name });
  const { uploadId } = await post('/v1/documents', { filename: name });
  const ids = { documentId, groupId, folderId, principalId, memberId: principalId, keyId, uploadId } as Facts;
  const key = (document.contentRef as { key: string }).key;
  return {
    ...ids,
    orgId,
    versionId: document.versionId as string,
    key,
    urn,
    namespace,
    label: name,
    system: name,
    value: '4711',
    event: await firstEvent(admin),
  };
}

/** Events are seen when they have their number, a moment after they were made. */
async function firstEvent(admin: (typeof ours)['admin']): Promise<string> {
  for (;;) {
    const { items } = expectStatus(await admin.ask('GET', '/v1/audit/events'), 200) as {
      items: { event: { eventId: string } }[];
    };
    const [first] = items;
    if (first !== undefined) return first.event.eventId;
  }
}

const nowhere = '00000000-0000-7000-8000-000000000000';
const absentFacts: Facts = {
  ...Object.fromEntries(Object.keys(theirFacts).map((name) => [name, nowhere])),
  key: `b3:${'0'.repeat(64)}`,
  urn: 'urn:quasar:schema:absent@1.0.0',
  namespace: 'urn:quasar:ns:absent',
  label: 'absent',
  system: 'absent',
  value: '4711',
};

/** Bodies with which a request would be taken if the things were there. Those of other routes are empty objects. */
function bodyOf(name: string, facts: Facts): unknown {
  const rules = [{ effect: 'allow', actions: ['doc.read'], principals: [ourFacts.principalId] }];
  const bodies: Readonly<Record<string, unknown>> = {
    'PUT /v1/documents/{documentId}/content': 'other bytes',
    'PUT /v1/uploads/{uploadId}/bytes': 'bytes',
    'PUT /v1/documents/{documentId}/labels/{label}': { versionId: facts.versionId, expected: null },
    'POST /v1/documents/{documentId}/metadata': { mode: 'canonical', bundle: {} },
    'POST /v1/documents/{documentId}/metadata/{namespace}/patch': { mode: 'canonical', baseMetadataId: nowhere, patch: [] },
    'POST /v1/documents/{documentId}/migrate': { namespaceUrn: facts.namespace, toSchemaUrn: facts.urn },
    'PUT /v1/schemas/{urn}/lifecycle': { lifecycle: 'deprecated' },
    'PUT /v1/principals/{principalId}': { suspended: true },
    'PUT /v1/folders/{folderId}': { parentId: null },
    'PUT /v1/documents/{documentId}/folder': { folderId: null },
    'PUT /v1/documents/{documentId}/acl': { rules },
    'PUT /v1/folders/{folderId}/acl': { rules },
    'PUT /v1/orgs/{orgId}/acl': { rules },
    'PUT /v1/documents/{documentId}/retention': { retainUntil: '2099-01-01T00:00:00.000Z', reason: 'x' },
    'PUT /v1/documents/{documentId}/hold': { reason: 'x' },
    'DELETE /v1/documents/{documentId}/hold': { reason: 'x' },
    'DELETE /v1/documents/{documentId}': { reason: 'x' },
  };
  return bodies[name] ?? {};
}

async function attempt(method: string, pattern: string, facts: Facts, query = ''): Promise<Json> {
  const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(facts[name] ?? '0'));
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: bodyOf(`${method} ${pattern}`, facts) };
  const headers = { 'if-match': '"a-0"', 'upload-offset': '0' };
  const conditional = pattern.endsWith('/acl') || pattern.endsWith('/bytes') ? { headers } : {};
  return answerBut(await ours.admin.ask(method, path + query, { ...body, ...conditional }), facts);
}

/** What an answer tells, but for the ids that were asked for and those made for it. */
function answerBut(answer: Answered, facts: Facts): Json {
  let text = answer.text;
  for (const [name, value] of Object.entries(facts)) {
    if (value.length > 8) text = text.replaceAll(encodeURIComponent(value), `{${name}}`).replaceAll(value, `{${name}}`);
  }
  text = text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\{(?:\w+Id|event)\}/g, '{id}')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '{time}');
  for (const name of ['label', 'system'] as const) text = text.replaceAll(`/${facts[name]}`, `/{${name}}`);
  return { status: answer.status, type: answer.headers.get('content-type'), text };
}

// First of all: what is asked for below stands in our own log.
t.test('lists hold nothing of another org, and their cursors open none here', async (t) => {
  const lists = routes.filter(
    ({ method, pattern, access }) => method === 'GET' && !pattern.includes('{') && access.kind !== 'open',
  );
  for (const { pattern } of lists.filter(({ pattern }) => pattern !== '/metrics')) {
    const answer = await ours.admin.ask('GET', pattern);
    for (const [name, value] of Object.entries(theirFacts)) {
      if (value.length > 8) t.notOk(answer.text.includes(value), `${pattern}: ${name}`);
    }
    await theirs.admin.ask('POST', '/v1/documents', { body: 'more' });
    const page = await theirs.admin.ask('GET', `${pattern}?limit=1`);
    const cursor = page.headers.get('content-type') === 'application/json' ? page.json().nextCursor : null;
    if (typeof cursor !== 'string') continue;
    t.equal((await ours.admin.ask('GET', `${pattern}?cursor=${cursor}`)).status, 400, `${pattern}: their cursor`);
  }
});

t.test('parameters that name things of another org find none', async (t) => {
  for (const query of [`document=${theirFacts.documentId}`, `principal=${theirs.admin.principalId}`]) {
    const page = expectStatus(await ours.admin.ask('GET', `/v1/audit/events?${query}`), 200);
    t.strictSame(page, { items: [], nextCursor: null }, query);
  }
  const own = `/v1/documents/${ourFacts.documentId}`;
  const queries: [string, (facts: Facts) => string][] = [
    ['/v1/documents', ({ system, value }) => `?ref=${system}:${value}`],
    ['/v1/documents', ({ label }) => `?label=${label}`],
    ['/v1/documents', ({ namespace }) => `?namespace=${namespace}`],
    ['/v1/schemas', ({ namespace }) => `?namespace=${namespace}`],
    ['/v1/folders', ({ folderId }) => `?parent=${folderId}`],
    ['/v1/keys', ({ principalId }) => `?principal=${principalId}`],
    [own, ({ versionId }) => `?version=${versionId}`],
    [own, ({ label }) => `?label=${label}`],
    [`${own}/content`, ({ versionId }) => `?version=${versionId}`],
    [`${own}/metadata`, ({ versionId }) => `?version=${versionId}`],
    [`${own}/access`, ({ principalId }) => `?action=doc.read&principal=${principalId}`],
  ];
  for (const [path, queryOf] of queries) {
    const foreign = await attempt('GET', path, theirFacts, queryOf(theirFacts));
    t.strictSame(foreign, await attempt('GET', path, absentFacts, queryOf(absentFacts)), path + queryOf(absentFacts));
  }
});

for (const { method, pattern } of routes.filter(({ pattern }) => /\{(?!leaf)/.test(pattern))) {
  t.test(`${method} ${pattern} answers for things of another org as for none`, async (t) => {
    const query = pattern.endsWith('/access') ? '?action=doc.read' : '';
    const foreign = await attempt(method, pattern, theirFacts, query);
    t.strictSame(foreign, await attempt(method, pattern, absentFacts, query));
    t.ok((foreign.status as number) >= 400 || pattern.includes('/refs/'), String(foreign.status));
  });
}

t.test('bodies that name things of another org find none', async (t) => {
  const { documentId, groupId, folderId } = ourFacts;
  const requests: [string, string, (facts: Facts) => unknown][] = [
    ['PUT', `/v1/documents/${documentId}/labels/fresh`, ({ versionId }) => ({ versionId, expected: null })],
    ['PUT', `/v1/documents/${documentId}/folder`, (facts) => ({ folderId: facts.folderId })],
    ['PUT', `/v1/folders/${folderId}`, (facts) => ({ parentId: facts.folderId })],
    ['POST', '/v1/folders', (facts) => ({ name: 'x', parentId: facts.folderId })],
    ['POST', '/v1/keys', ({ principalId }) => ({ name: 'x', principalId })],
    ['POST', '/v1/documents', (facts) => ({ documentId: facts.documentId })],
    [
      'PUT',
      `/v1/folders/${folderId}/acl`,
      (facts) => ({ rules: [{ effect: 'deny', actions: ['doc.read'], principals: [facts.principalId] }] }),
    ],
  ];
  for (const [method, path, bodyOf] of requests) {
    const answer = async (facts: Facts) => {
      const headers = { 'if-match': '"a-0"' };
      return answerBut(await ours.admin.ask(method, path, { body: bodyOf(facts), headers }), facts);
    };
    t.strictSame(await answer(theirFacts), await answer(absentFacts), `${method} ${path}`);
  }
  for (const kind of ['principal', 'group']) {
    const join = async (facts: Facts) => {
      const member = kind === 'group' ? facts.groupId : facts.principalId;
      return answerBut(await ours.admin.ask('PUT', `/v1/groups/${groupId}/members/${member}`, { body: { kind } }), facts);
    };
    t.strictSame(await join(theirFacts), await join(absentFacts), kind);
  }
});

t.test('what another org stored before is stored as if it were new', async (t) => {
  const stored = async (text: string) => {
    const answer = await ours.admin.ask('POST', '/v1/documents', { body: text });
    const { digests: _, contentRef: __, ...rest } = answer.json();
    return { status: answer.status, rest: answerBut({ ...answer, text: JSON.stringify(rest) }, ourFacts) };
  };
  t.strictSame(await stored('bytes of theirs'), await stored('bytes of nobody'));
  const { items } = expectStatus(await theirs.admin.ask('GET', `/v1/documents/${theirFacts.documentId}/versions`), 200);
  t.equal((items as unknown[]).length, 2, 'and theirs is as it was');
});
