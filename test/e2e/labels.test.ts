import t from 'tap';
import { Product } from '../helpers/product.ts';

type Json = Record<string, unknown>;

const product = await Product.start();
t.teardown(() => product.destroy());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const init =
    body === undefined ? { method, headers } : { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await product.fetch(path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Json };
}

const json = { 'content-type': 'application/json' };

/** A document whose versions hold `texts`, and the paths of what belongs to it. */
async function storeDocument(...texts: readonly string[]) {
  const [first = '', ...others] = texts;
  const made = (await ask('POST', '/v1/documents', first)).json();
  const path = `/v1/documents/${made.documentId}`;
  const versions = [made.versionId as string];
  for (const text of others) versions.push((await ask('PUT', `${path}/content`, text)).json().versionId as string);
  const move = (label: string, body: unknown) => ask('PUT', `${path}/labels/${label}`, body, json);
  const content = async (query: string) => (await ask('GET', `${path}/content${query}`)).text;
  return { path, versions: versions as [string, string, string], move, content };
}

t.test('a label moves from where it is expected, and its moves are listed', async (t) => {
  const { path, versions, move, content } = await storeDocument('one', 'two', 'three');
  const [one, two, three] = versions;
  const set = await move('sealed', { versionId: one, expected: null, reason: 'Order of the court' });
  t.equal(set.status, 200);
  t.strictSame(set.json(), { label: 'sealed', versionId: one, moved: true });
  t.strictSame((await move('sealed', { versionId: one, expected: null })).json(), {
    label: 'sealed',
    versionId: one,
    moved: false,
  });
  t.equal((await move('sealed', { versionId: two, expected: one })).status, 200);
  const late = await move('sealed', { versionId: three, expected: one });
  t.equal(late.status, 409);
  t.match(late.json(), { code: 'label_conflict', details: { versionId: two } });
  t.equal(await content('?label=sealed'), 'two');
  const { items } = (await ask('GET', `${path}/labels/sealed/moves`)).json() as { items: Json[] };
  t.match(items, [
    { versionId: two, previousVersionId: one, reason: null },
    { versionId: one, previousVersionId: null, reason: 'Order of the court' },
  ]);
});

t.test('CURRENT moves like any label, and readers see it at once', async (t) => {
  const { path, versions, move, content } = await storeDocument('one', 'two');
  const [one, two] = versions;
  t.equal(await content(''), 'two');
  t.equal((await move('CURRENT', { versionId: one, expected: two })).status, 200);
  t.equal(await content(''), 'one');
  t.match((await ask('GET', path)).json(), { currentVersionId: one, current: { labels: ['CURRENT'] } });
  const { items } = (await ask('GET', `${path}/labels/CURRENT/moves?limit=2`)).json() as { items: Json[] };
  t.strictSame(
    items.map(({ versionId }) => versionId),
    [one, two],
  );
});

t.test('the past is addressed by version, label and time, for content and document alike', async (t) => {
  const { path, versions, content, move } = await storeDocument('one', 'two');
  const [one, two] = versions;
  await move('draft', { versionId: one, expected: null });
  const { items } = (await ask('GET', `${path}/labels/CURRENT/moves`)).json() as { items: Json[] };
  const madeAt = items.at(-1)?.movedAt as string;
  const movedAt = items.at(0)?.movedAt as string;
  const before = new Date(Date.parse(movedAt) - 1).toISOString();
  t.equal(await content(`?version=${one}`), 'one');
  t.equal(await content('?label=draft'), 'one');
  t.equal(await content(`?asOf=${movedAt}`), 'two');
  t.equal(await content(`?asOf=${encodeURIComponent(movedAt.replace('Z', '+00:00'))}&label=CURRENT`), 'two');
  if (before >= madeAt) t.equal(await content(`?asOf=${before}`), 'one');
  t.match((await ask('GET', `${path}?label=draft`)).json(), {
    currentVersionId: two,
    version: { versionId: one, labels: ['draft'] },
  });
  t.notOk('version' in (await ask('GET', path)).json());
  const tooEarly = await ask('GET', `${path}/content?asOf=2001-01-01T00:00:00Z`);
  t.equal(tooEarly.status, 404);
  t.match(tooEarly.json(), { code: 'version_not_found' });
});

t.test('what cannot be meant is refused and named', async (t) => {
  const { path, versions, move } = await storeDocument('one');
  const [one] = versions;
  const bad: [string, Json][] = [
    ['?version=1', { parameter: 'version' }],
    [`?version=${one}&label=draft`, { parameter: 'version' }],
    ['?label=../secret', { parameter: 'label' }],
    ['?asOf=yesterday', { parameter: 'asOf' }],
    ['?asOf=2026-11-21', { parameter: 'asOf' }],
    ['?asOf=2026-13-45T00:00:00Z', { parameter: 'asOf' }],
  ];
  for (const [query, details] of bad) {
    const answer = await ask('GET', `${path}/content${query}`);
    t.equal(answer.status, 400, query);
    t.match(answer.json(), { code: 'bad_parameter', details });
  }
  for (const body of [{}, { versionId: one }, { versionId: 7, expected: null }, { versionId: one, expected: 'x' }]) {
    t.equal((await move('draft', body)).status, 400, JSON.stringify(body));
  }
  t.match((await move('draft', { versionId: one, expected: null, to: 1 })).json(), { code: 'bad_body' });
  t.equal((await ask('PUT', `${path}/labels/a%20b`, { versionId: one, expected: null }, json)).status, 400);
  const nobody = '/v1/documents/00000000-0000-7000-8000-000000000000';
  t.match((await ask('PUT', `${nobody}/labels/draft`, { versionId: one, expected: null }, json)).json(), {
    code: 'document_not_found',
  });
  t.match((await ask('GET', `${nobody}/labels/draft/moves`)).json(), { code: 'document_not_found' });
  t.match((await ask('GET', `${nobody}/content?label=draft`)).json(), { code: 'document_not_found' });
  t.match((await move('draft', { versionId: '00000000-0000-7000-8000-000000000000', expected: null })).json(), {
    code: 'version_not_found',
  });
  t.strictSame((await ask('GET', `${path}/labels/never/moves`)).json(), { items: [], nextCursor: null });
});

t.test('new content is stored only over the version its writer knows', async (t) => {
  const { path } = await storeDocument('one');
  const etag = (await ask('GET', path)).headers.get('etag') ?? '';
  t.match(etag, /^"v-[0-9a-f-]{36}\.[0-9a-f]{32}"$/);
  t.equal((await ask('PUT', `${path}/content`, 'two', { 'if-match': etag })).status, 201);
  const late = await ask('PUT', `${path}/content`, 'three', { 'if-match': etag });
  t.equal(late.status, 412);
  const now = (await ask('GET', path)).headers.get('etag') ?? '';
  t.match(late.json(), { code: 'precondition_failed', details: { etag: now.replace(/\.\w+/, '') } });
  const content = (await ask('GET', `${path}/content`)).headers.get('etag') ?? '';
  t.equal((await ask('PUT', `${path}/content`, 'three', { 'if-match': `"other", ${content}` })).status, 201);
  t.equal((await ask('PUT', `${path}/content`, 'four', { 'if-match': '*' })).status, 201);
});

t.test('of many writers that know the same version, one stores', async (t) => {
  const { path } = await storeDocument('one');
  const etag = (await ask('GET', path)).headers.get('etag') ?? '';
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => ask('PUT', `${path}/content`, `writer ${n}`, { 'if-match': etag })),
  );
  t.strictSame(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 7 }, () => 412)]);
});

t.test('a conditional write that is repeated with its key is answered like the first', async (t) => {
  const { path } = await storeDocument('one');
  const headers = { 'if-match': (await ask('GET', path)).headers.get('etag') ?? '', 'idempotency-key': 'filing-0412' };
  const first = await ask('PUT', `${path}/content`, 'two', headers);
  const again = await ask('PUT', `${path}/content`, 'two', headers);
  t.strictSame([first.status, again.status], [201, 200]);
  t.strictSame(again.json(), first.json());
  const other = await ask('PUT', `${path}/content`, 'two', { ...headers, 'idempotency-key': 'filing-0413' });
  t.equal(other.status, 412);
});
