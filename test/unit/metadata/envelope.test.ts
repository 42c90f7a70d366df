import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { entryOf, parseBundle, withoutQuarantined } from '../../../src/metadata/envelope.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import type { JsonValue } from '../../../src/metadata/json-value.ts';

const core = parseIri('urn:quasar:ns:core', 'namespace');
const schema = parseIri('urn:quasar:schema:core@1.0.0', 'schema');
const provenance = {
  producer: { name: 'ocr', version: '5' },
  producedAt: '2026-05-04T03:02:01.000Z',
  input: { kind: 'blob', key: 'b3:0' },
  confidence: 1,
};

t.test('a bundle maps namespaces to data and the schema it is pinned to, if any', async (t) => {
  const bundle = canonical({
    'urn:graviton:ns:ocr': { data: {} },
    'URN:quasar:ns:core': { schema: { $id: 'urn:graviton:schema:core@1.0.0' }, data: { title: 'x' } },
  });
  t.match(bundle, {
    layer: 'canonical',
    provenance: undefined,
    entries: [
      { namespace: core, schema: { urn: schema }, data: { title: 'x' } },
      { namespace: 'urn:quasar:ns:ocr', schema: undefined, data: {} },
    ],
  });
});

t.test('a bundle of another form is refused with the place', async (t) => {
  const entry = { data: {} };
  const cases: readonly [JsonValue, string, string][] = [
    [[], '/bundle', 'type'],
    [{}, '/bundle', 'maxProperties'],
    [
      Object.fromEntries(Array.from({ length: limits.metadataNamespacesMax + 1 }, (_, n) => [`urn:quasar:ns:n${n}`, entry])),
      '/bundle',
      'maxProperties',
    ],
    [{ 'a/b': entry }, '/bundle/a~1b', 'namespace'],
    [{ 'urn:quasar:ns:a b': entry }, '/bundle/urn:quasar:ns:a b', 'namespace'],
    [{ [core]: 1 }, `/bundle/${core}`, 'type'],
    [{ [core]: {} }, `/bundle/${core}/data`, 'required'],
    [{ [core]: { data: [] } }, `/bundle/${core}/data`, 'type'],
    [{ [core]: { data: {}, status: 'valid' } }, `/bundle/${core}/status`, 'additionalProperties'],
    [{ [core]: { data: {}, errors: [] } }, `/bundle/${core}/errors`, 'additionalProperties'],
    [{ [core]: { data: {}, schema: 'urn:quasar:schema:core@1.0.0' } }, `/bundle/${core}/schema`, 'type'],
    [{ [core]: { data: {}, schema: { $id: 'urn:quasar:schema:core' } } }, `/bundle/${core}/schema/$id`, 'schema'],
    [{ [core]: entry, 'urn:graviton:ns:core': entry }, `/bundle/${core}`, 'namespace'],
    [{ [core]: entry, 'urn:quasar:ns:Core': entry }, '/bundle/urn:quasar:ns:Core', 'namespace'],
  ];
  for (const [bundle, path, code] of cases) {
    t.throws(() => canonical(bundle), { code: 'metadata_invalid', details: { errors: [{ path, code }] } }, `${path} ${code}`);
  }
  t.throws(() => canonical({ [core]: { data: { text: 'x'.repeat(limits.metadataSizeMax) } } }), { code: 'metadata_too_large' });
});

t.test('derived metadata without provenance is refused, and canonical metadata with one', async (t) => {
  const bundle = { [core]: { data: {} } };
  t.throws(() => parseBundle({ mode: 'derived', bundle, provenance: undefined }), {
    code: 'metadata_invalid',
    details: { errors: [{ path: '/provenance' }] },
  });
  t.throws(() => parseBundle({ mode: 'canonical', bundle, provenance }), {
    code: 'metadata_invalid',
    details: { errors: [{ path: '/provenance' }] },
  });
  t.strictSame(parseBundle({ mode: 'derived', bundle, provenance }).provenance, provenance);
  for (const mode of [undefined, 'both', null]) {
    t.throws(() => parseBundle({ mode, bundle, provenance }), {
      code: 'metadata_invalid',
      details: { errors: [{ path: '/mode' }] },
    });
  }
});

t.test('canonical data with faults is never stored', async (t) => {
  const faults = [{ path: '/title', code: 'type', message: 'must be string' }];
  const path = '/urn:quasar:ns:core/data/title';
  t.throws(() => entryOf({ layer: 'canonical', namespace: core, schema, data: {}, faults }), {
    code: 'metadata_invalid',
    details: { errors: [{ path, code: 'type' }] },
  });
});

t.test('derived data with faults is kept in quarantine, with at most a hundred of them', async (t) => {
  const faults = Array.from({ length: 150 }, (_, n) => ({ path: `/${n}`, code: 'type', message: 'x'.repeat(5000) }));
  const entry = entryOf({ layer: 'derived', namespace: core, schema, data: {}, faults });
  t.equal(entry.status, 'quarantined');
  t.equal(entry.errors.length, 100);
  t.ok(entry.errors.every((fault) => fault.message.length === limits.metadataFaultTextMax));
  const valid = entryOf({ layer: 'derived', namespace: core, schema, data: { a: 1 }, faults: [] });
  t.strictSame(valid, { schema: { $id: schema }, status: 'valid', data: { a: 1 }, errors: [] });
  t.strictSame(withoutQuarantined({ [core]: entry, [schema]: valid }), { [schema]: valid });
});

function canonical(bundle: JsonValue) {
  return parseBundle({ mode: 'canonical', bundle, provenance: undefined });
}
