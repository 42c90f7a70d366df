import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import type { SchemaState } from '../../../src/core/schema-state.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import type { JsonValue } from '../../../src/metadata/json-value.ts';
import { checkSchema } from '../../../src/metadata/schema-check.ts';
import { changeState, requireUsable } from '../../../src/metadata/schema-lifecycle.ts';

const urn = parseIri('urn:quasar:schema:case@1.0.0', 'schemaUrn');
const dialect = 'https://json-schema.org/draft/2020-12/schema';

t.test('equal schemas have one hash, whatever the order of their members', async (t) => {
  const a = checkSchema({ $schema: dialect, type: 'object', properties: { x: { type: 'string' } } }, urn);
  const b = checkSchema({ properties: { x: { type: 'string' } }, type: 'object', $schema: dialect }, urn);
  t.strictSame(a, b);
  t.match(a.hash, /^sha256:[0-9a-f]{64}$/);
  t.not(checkSchema({ type: 'object' }, urn).hash, a.hash);
});

t.test('references within the schema, and recursion that goes deeper into the data, are taken', async (t) => {
  for (const schema of [
    { properties: { next: { $ref: '#' } } },
    { items: { $ref: '#/$defs/a%20b~1c' }, $defs: { 'a b/c': true } },
    { $ref: '#tree', $defs: { tree: { $anchor: 'tree', properties: { kids: { items: { $ref: '#tree' } } } } } },
    { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }], $defs: { a: { $ref: '#/$defs/b' }, b: {} } },
    { const: { $ref: 'https://elsewhere.example/' }, default: { $id: 1, unknown: [] }, enum: [{ $schema: 0 }] },
    { properties: { $ref: { type: 'string' }, unknown: false } },
    { $schema: `${dialect}#`, $id: 'urn:graviton:schema:case@1.0.0' },
  ]) {
    t.ok(checkSchema(schema, urn).text, JSON.stringify(schema));
  }
});

t.test('a schema that is not closed, not bounded or not understood is refused with the place', async (t) => {
  const cases: readonly [JsonValue, string][] = [
    [true, ''],
    [[], ''],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema'],
    [{ $schema: 'https://elsewhere.example/dialect' }, '/$schema'],
    [{ $id: 'urn:quasar:schema:other@1.0.0' }, '/$id'],
    [{ $id: 7 }, '/$id'],
    [{ items: { $ref: 'https://elsewhere.example/schema' } }, '/items/$ref'],
    [{ items: { $ref: 'other.json#/a' } }, '/items/$ref'],
    [{ items: { $ref: 'file:///etc/passwd' } }, '/items/$ref'],
    [{ items: { $ref: `${urn}#` } }, '/items/$ref'],
    [{ items: { $ref: '#/$defs/none' } }, '/items/$ref'],
    [{ items: { $ref: '#/properties' }, properties: {} }, '/items/$ref'],
    [{ items: { $ref: '#/default' }, default: {} }, '/items/$ref'],
    [{ items: { $ref: '#none' } }, '/items/$ref'],
    [{ items: { $ref: '#%zz' } }, '/items/$ref'],
    [{ items: { $ref: 1 } }, '/items/$ref'],
    [{ $ref: '#' }, ''],
    [{ allOf: [{ $ref: '#' }] }, ''],
    [{ properties: { a: { not: { if: { $ref: '#/properties/a' } } } } }, '/properties/a'],
    [{ $defs: { a: { $ref: '#/$defs/b' }, b: { anyOf: [true, { $ref: '#/$defs/a' }] } } }, '/$defs/a'],
    [{ dependentSchemas: { x: { $ref: '#' } } }, ''],
    [{ $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }, '/$defs/b/$anchor'],
    [{ $anchor: '#x' }, '/$anchor'],
    [{ items: { $id: 'urn:quasar:schema:case@1.0.0' } }, '/items/$id'],
    [{ items: { $schema: dialect } }, '/items/$schema'],
    [{ $dynamicRef: '#x' }, '/$dynamicRef'],
    [{ $vocabulary: {} }, '/$vocabulary'],
    [{ dependencies: {} }, '/dependencies'],
    [{ requierd: ['a'] }, '/requierd'],
    [{ $async: true }, '/$async'],
    [{ items: [{}] }, '/items'],
    [{ allOf: {} }, '/allOf'],
    [{ properties: [] }, '/properties'],
    [{ properties: { a: 1 } }, '/properties/a'],
    [{ pattern: '(' }, '/pattern'],
    [{ pattern: '\\-' }, '/pattern'],
    [{ pattern: 1 }, '/pattern'],
    [{ pattern: 'x'.repeat(limits.schemaPatternMax + 1) }, '/pattern'],
    [{ patternProperties: { '[': true } }, '/patternProperties/['],
    [{ format: 'toString' }, '/format'],
    [{ format: 'phone' }, '/format'],
    [{ format: 1 }, '/format'],
  ];
  for (const [schema, path] of cases) {
    t.throws(() => checkSchema(schema, urn), { code: 'schema_invalid', details: { path } }, JSON.stringify(schema).slice(0, 80));
  }
});

t.test('a schema larger or deeper than the bounds is refused', async (t) => {
  t.throws(() => checkSchema({ description: 'x'.repeat(limits.schemaSizeMax) }, urn), { code: 'metadata_too_large' });
  let deep: JsonValue = {};
  for (let level = 0; level < 100_000; level += 1) deep = { not: deep };
  t.throws(() => checkSchema(deep, urn), { code: 'metadata_too_large' });
  const patterns = Object.fromEntries(Array.from({ length: limits.schemaPatternsMax + 1 }, (_, n) => [`^${n}$`, true]));
  t.throws(() => checkSchema({ patternProperties: patterns }, urn), { code: 'schema_invalid' }, 'too many patterns');
});

t.test('a chain of a thousand references is followed, and its end that leads back is found', async (t) => {
  const chain = (last: JsonValue) =>
    Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`d${n}`, n === 999 ? last : { $ref: `#/$defs/d${n + 1}` }]));
  t.ok(checkSchema({ $defs: chain({}) }, urn));
  t.throws(() => checkSchema({ $defs: chain({ $ref: '#/$defs/d0' }) }, urn), { code: 'schema_invalid' });
});

t.test('a schema goes forward through its states and never back', async (t) => {
  const states: readonly SchemaState[] = ['draft', 'active', 'deprecated', 'revoked'];
  const allowed = new Set(['draft active', 'draft revoked', 'active deprecated', 'active revoked', 'deprecated revoked']);
  for (const from of states) {
    for (const to of states) {
      if (from === to || allowed.has(`${from} ${to}`)) t.equal(changeState(from, to), to);
      else t.throws(() => changeState(from, to), { code: 'schema_state', details: { from, to } }, `${from} to ${to}`);
    }
  }
});

t.test('metadata is pinned to active schemas only, and patched while its schema is not revoked', async (t) => {
  requireUsable('active', 'pin');
  requireUsable('active', 'patch');
  requireUsable('deprecated', 'patch');
  for (const state of ['draft', 'deprecated', 'revoked'] as const)
    t.throws(() => requireUsable(state, 'pin'), { code: 'schema_state' });
  for (const state of ['draft', 'revoked'] as const) t.throws(() => requireUsable(state, 'patch'), { code: 'schema_state' });
});
