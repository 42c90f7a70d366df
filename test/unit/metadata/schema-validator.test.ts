import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import type { JsonObject } from '../../../src/metadata/json-value.ts';
import { type CheckedSchema, checkSchema } from '../../../src/metadata/schema-check.ts';
import { openValidator } from '../../helpers/open-validator.ts';

/** So long that only what never ends meets it, on any machine. */
const PATIENT = 60_000;
const urn = parseIri('urn:quasar:schema:case@1.0.0', 'schemaUrn');

const person = schemaOf({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: urn,
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, pattern: '^\\p{Lu}' },
    born: { type: ['string', 'null'], format: 'date' },
    kids: { type: 'array', items: { $ref: '#' } },
  },
});

t.test('what does not fit is told by place, keyword and sentence', async (t) => {
  const validator = await openValidator(t, { timeMs: PATIENT });
  t.strictSame(await validator.validate(person, { name: 'Ada', born: null, kids: [{ name: 'Bo', born: '2024-02-29' }] }), []);
  const faults = await validator.validate(person, {
    kids: [
      { name: 'x', 'a/b': 1 },
      { name: 'Bo', born: '2023-02-29' },
    ],
  });
  t.strictSame(
    faults.map(({ path, code }) => `${path} ${code}`),
    ['/name required', '/kids/0/a~1b additionalProperties', '/kids/0/name pattern', '/kids/1/born format'],
  );
  t.ok(faults.every(({ message }) => message.length > 0));
});

t.test('at most a hundred faults are told', async (t) => {
  const validator = await openValidator(t, { timeMs: PATIENT });
  const list = schemaOf({ type: 'object', properties: { list: { type: 'array', items: { type: 'string' } } } });
  t.equal((await validator.validate(list, { list: Array(limits.jsonKeysMax - 1).fill(0) })).length, 100);
});

t.test('what all objects inherit is no member', async (t) => {
  const validator = await openValidator(t, { timeMs: PATIENT });
  const wants = schemaOf({ type: 'object', required: ['toString'] });
  t.match(await validator.validate(wants, {}), [{ path: '/toString', code: 'required' }]);
  t.strictSame(await validator.validate(wants, { toString: 1 }), []);
});

t.test('formats are checked', async (t) => {
  const validator = await openValidator(t, { timeMs: PATIENT });
  const time = schemaOf({ type: 'object', properties: { at: { type: 'string', format: 'date-time' } } });
  t.strictSame(await validator.validate(time, { at: '2026-05-04T03:02:01Z' }), []);
  t.match(await validator.validate(time, { at: '2026-05-04' }), [{ path: '/at', code: 'format' }]);
});

t.test('a schema that strict validation does not take is refused, and its thread goes on', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: PATIENT });
  for (const [schema, path] of [
    [{ type: 'text' }, '/type'],
    [{ type: 'object', required: 'name' }, '/required'],
    [{ type: 'object', properties: { a: { minLength: -1 } } }, '/properties/a/minLength'],
    [{ type: 'string', properties: {} }, ''],
    [{ type: 'array', minLength: 1 }, ''],
  ] as const) {
    const checked = schemaOf(schema as JsonObject);
    await t.rejects(validator.compile(checked), { code: 'schema_invalid', details: { path } }, JSON.stringify(schema));
    await t.rejects(validator.validate(checked, {}), { code: 'schema_invalid' });
  }
  await validator.compile(person);
  t.strictSame(await validator.validate(person, { name: 'Ada' }), []);
});

t.test('a schema whose compilation needs more stack than there is does not end the thread', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: PATIENT });
  const defs = Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [`d${n}`, n === 1999 ? true : { $ref: `#/$defs/d${n + 1}` }]),
  );
  const outcome = await validator.compile(schemaOf({ $ref: '#/$defs/d0', $defs: defs })).catch((error: unknown) => error);
  t.ok(outcome === undefined || (outcome as { code: string }).code === 'validation_stopped');
  t.strictSame(await validator.validate(person, { name: 'Ada' }), []);
});

t.test('many validations at once each get their own answer', async (t) => {
  const validator = await openValidator(t, { timeMs: PATIENT });
  const schemas = Array.from({ length: 2 * limits.compiledSchemasMax }, (_, n) =>
    schemaOf({ type: 'object', properties: { n: { const: n } }, required: ['n'] }),
  );
  const answers = await Promise.all(
    Array.from({ length: 250 }, (_, n) => {
      const of = n % schemas.length;
      return validator.validate(schemas[of] as CheckedSchema, { n: n % 3 === 0 ? 'other' : of });
    }),
  );
  t.strictSame(
    answers.map((faults) => faults.map(({ code }) => code)),
    answers.map((_, n) => (n % 3 === 0 ? ['const'] : [])),
  );
});

t.test('closing finishes what is under way and cancels what waits', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: PATIENT });
  const under = validator.validate(person, { name: 'Ada' });
  const waits = validator.validate(person, { name: 'Ada' });
  const [closed] = await Promise.all([validator.close(), t.resolves(under), t.rejects(waits, { code: 'cancelled' })]);
  t.equal(closed, undefined);
  await validator.close();
  await t.rejects(validator.validate(person, {}), { code: 'internal' });
});

function schemaOf(schema: JsonObject): CheckedSchema {
  return checkSchema(schema, urn);
}
