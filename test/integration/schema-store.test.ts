import t from 'tap';
import { PostgresSchemaStore } from '../../src/catalog/postgres-schema-store.ts';
import type { NewSchema } from '../../src/catalog/schema-store.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { digits } from '../helpers/version-wish.ts';

const T0 = Date.UTC(2026, 0, 5, 9);
const { pool, admin, scope } = await openTestDatabase(t);
const stranger = await makeOrg(admin, 'stranger');
const store = new PostgresSchemaStore(pool);

function schema(urn: string, changes: Partial<NewSchema> = {}): NewSchema {
  const body = '{"type":"object"}';
  const namespace = changes.namespace ?? 'urn:quasar:ns:case';
  return { urn, namespace, twinKey: namespace.toLowerCase(), state: 'draft', body, digest: digits(body), ...changes };
}

t.test('a schema is found as it was added, by its org alone', async (t) => {
  const added = schema('urn:quasar:schema:case@1.0.0');
  t.equal(await store.addSchema(scope, added, T0), 'added');
  const { twinKey: _, ...stored } = added;
  t.strictSame(await store.findSchema(scope, added.urn), { ...stored, createdAtMs: T0, changedAtMs: T0 });
  t.equal(await store.findSchema(stranger, added.urn), undefined);
  t.equal(await store.findSchema(scope, 'urn:quasar:schema:case@1.0.1'), undefined);
});

t.test('the same URN takes the same content again, and no other', async (t) => {
  const added = schema('urn:quasar:schema:party@1.0.0');
  await store.addSchema(scope, added, T0);
  t.equal(await store.addSchema(scope, added, T0 + 1), 'unchanged');
  t.equal(await store.addSchema(scope, { ...added, body: '{}', digest: digits('{}') }, T0 + 1), 'schema_differs');
  t.equal(
    await store.addSchema(scope, { ...added, namespace: 'urn:quasar:ns:other', twinKey: 'urn:quasar:ns:other' }, T0 + 1),
    'schema_differs',
  );
  t.equal((await store.findSchema(scope, added.urn))?.body, added.body);
  t.equal(await store.addSchema(stranger, { ...added, body: '{}', digest: digits('{}') }, T0), 'added', 'orgs do not share URNs');
});

t.test('a namespace that could be taken for another is refused, whoever comes at the same time', async (t) => {
  const twins = ['urn:court:Room', 'urn:court:room', 'urn:court:ROOM'].map((namespace, n) =>
    schema(`urn:court:room@1.0.${n}`, { namespace }),
  );
  const outcomes = await Promise.all(twins.map((twin) => store.addSchema(scope, twin, T0)));
  t.strictSame(outcomes.sort(), ['added', 'namespace_twin', 'namespace_twin']);
  t.equal(await store.addSchema(stranger, twins[1] as NewSchema, T0), 'added');
});

t.test('a state changes from the one that is expected', async (t) => {
  const { urn } = schema('urn:quasar:schema:hearing@1.0.0');
  await store.addSchema(scope, schema(urn), T0);
  const change = { urn, from: 'draft', to: 'active', atMs: T0 + 5 } as const;
  t.strictSame(await store.changeState(scope, change), { kind: 'changed' });
  t.strictSame(await store.changeState(scope, change), { kind: 'state_differs', state: 'active' });
  t.strictSame(await store.changeState(stranger, change), { kind: 'schema_missing' });
  t.match(await store.findSchema(scope, urn), { state: 'active', createdAtMs: T0, changedAtMs: T0 + 5 });
});

t.test('schemas are listed by URN, page by page, of one namespace or of all', async (t) => {
  const namespace = 'urn:quasar:ns:listed';
  const urns = ['B@1.0.0', 'a@1.0.0', 'a@2.0.0', 'c@1.0.0'].map((name) => `urn:court:${name}`);
  for (const urn of urns.toReversed()) await store.addSchema(scope, schema(urn, { namespace }), T0);
  const listed = [];
  let after: string | undefined;
  do {
    const page = await store.listSchemas(scope, { namespace, limit: 3, after });
    listed.push(...page.items.map(({ urn }) => urn));
    after = page.next;
  } while (after !== undefined);
  t.strictSame(listed, urns);
  const all = await store.listSchemas(scope, { namespace: undefined, limit: 100, after: undefined });
  t.ok(all.items.length > urns.length);
  t.strictSame((await store.listSchemas(stranger, { namespace, limit: 3, after: undefined })).items, []);
});
