import t from 'tap';
import { ask as askProduct, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const CASE = 'urn:quasar:ns:case';
const [OLD, NEW, OTHER] = ['1.0.0', '2.0.0', '3.0.0'].map((version) => `urn:quasar:schema:case@${version}`) as [
  string,
  string,
  string,
];

const product = await Product.start();
t.teardown(() => product.destroy());

const ask = (method: string, path: string, body?: unknown) => askProduct(product, method, path, { body });

const closed = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  additionalProperties: false,
});
for (const [schemaUrn, schema] of [
  [OLD, closed('number', 'remark')],
  [NEW, closed('caseNumber', 'remark')],
  [OTHER, closed('caseNumber')],
] as const) {
  const { status, text } = await ask('POST', '/v1/schemas', { schemaUrn, namespaceUrn: CASE, schema });
  if (status !== 201) throw new Error(text);
}

const forward = [{ op: 'move', from: '/number', path: '/caseNumber' }];
const inverse = [{ op: 'move', from: '/caseNumber', path: '/number' }];
const renaming = { fromSchemaUrn: OLD, toSchemaUrn: NEW, forward, inverse, samples: [{ number: '1', remark: 'a' }] };

async function fileDocument(data: Json) {
  const { documentId } = (await ask('POST', '/v1/documents', 'some bytes')).json();
  const path = `/v1/documents/${documentId}`;
  await ask('POST', `${path}/metadata`, { mode: 'canonical', bundle: { [CASE]: { schema: { $id: OLD }, data } } });
  return {
    path,
    migrate: (toSchemaUrn: string) => ask('POST', `${path}/migrate`, { namespaceUrn: CASE, toSchemaUrn, reason: 'New form' }),
    entry: async (query = '') => (await ask('GET', `${path}/metadata/${encodeURIComponent(CASE)}${query}`)).json().entry as Json,
  };
}

t.test('a migration whose inverse loses data on a sample is refused, and says what', async (t) => {
  const lossy = await ask('POST', '/v1/migrations', {
    ...renaming,
    toSchemaUrn: OTHER,
    forward: [...forward, { op: 'remove', path: '/remark' }],
  });
  t.equal(lossy.status, 422, lossy.text);
  t.match(lossy.json(), { code: 'migration_lossy', details: { sample: 0, step: 'inverse', errors: [{ path: '/remark' }] } });
  const misfit = await ask('POST', '/v1/migrations', { ...renaming, forward: [], inverse: [] });
  t.match(misfit.json(), { code: 'migration_lossy', details: { step: 'to' } });
  t.equal((await ask('POST', '/v1/migrations', { ...renaming, samples: [] })).status, 400);
  t.equal((await ask('POST', '/v1/migrations', { ...renaming, fromSchemaUrn: 'urn:quasar:schema:none@1.0.0' })).status, 404);
});

t.test('a migration is registered once, and never changes', async (t) => {
  t.equal((await ask('POST', '/v1/migrations', renaming)).status, 201);
  t.equal((await ask('POST', '/v1/migrations', renaming)).status, 200);
  const test = { op: 'test', path: '', value: { number: '1', remark: 'a' } };
  const other = await ask('POST', '/v1/migrations', { ...renaming, forward: [test, ...forward] });
  t.equal(other.status, 409);
  t.match(other.json(), { code: 'migration_differs' });
});

t.test('a document is carried to the new schema in a new version, and the old one keeps what it had', async (t) => {
  const { path, migrate, entry } = await fileDocument({ number: '4 K 12/26', remark: 'b' });
  const before = (await ask('GET', path)).json().currentVersionId;
  const moved = await migrate(NEW);
  t.equal(moved.status, 200, moved.text);
  t.match(moved.json(), { migrated: true, schemaUrn: NEW });
  t.match(await entry(), { schema: { $id: NEW }, data: { caseNumber: '4 K 12/26', remark: 'b' } });
  t.match(await entry(`?version=${before}`), { schema: { $id: OLD }, data: { number: '4 K 12/26' } });
  t.match((await ask('GET', path)).json(), { current: { parents: [before], reason: 'New form' } });
  const again = await migrate(NEW);
  t.match(again.json(), { migrated: false });
  t.equal((await ask('GET', path)).json().currentVersionId, moved.json().versionId);
});

t.test('where no migration leads, or data would not come back, nothing changes', async (t) => {
  const { migrate, entry, path } = await fileDocument({ number: '1' });
  t.match((await migrate(OTHER)).json(), { code: 'migration_not_found' });
  const bare = await fileDocument({ remark: 'without a number' });
  t.match((await bare.migrate(NEW)).json(), { code: 'migration_lossy', details: { step: 'forward' } });
  t.match(await entry(), { schema: { $id: OLD } });
  t.match((await ask('POST', `${path}/migrate`, { namespaceUrn: 'urn:quasar:ns:none', toSchemaUrn: NEW })).json(), {
    code: 'metadata_not_found',
  });
});
