import t, { type Test } from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import type { JsonObject, JsonValue } from '../../../src/metadata/json-value.ts';
import { type CheckedSchema, checkSchema } from '../../../src/metadata/schema-check.ts';
import { SchemaValidator } from '../../../src/metadata/schema-validator.ts';

/** So long that only what never ends meets it, on any machine. */
const PATIENT = 60_000;
const urn = parseIri('urn:quasar:schema:case@1.0.0', 'schemaUrn');

const person = schemaOf({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } });
const backtracking = schemaOf({ type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } });
const stuck = { text: `${'a'.repeat(60)}!` };

t.test('a pattern that backtracks is stopped, the event loop turns meanwhile, and the next validation works', async (t) => {
  const validator = await open(t, { threads: 1 });
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  await t.rejects(validator.validate(backtracking, stuck), { code: 'validation_stopped' });
  clearInterval(timer);
  t.ok(turns > 10, 'others were served');
  t.strictSame(await validator.validate(backtracking, { text: 'aaa' }), []);
  t.match(await validator.validate(backtracking, { text: 'b' }), [{ path: '/text', code: 'pattern' }]);
});

t.test('a schema that branches at every level is stopped', async (t) => {
  const validator = await open(t, { threads: 1 });
  const branching = schemaOf({
    type: 'object',
    properties: { a: { anyOf: [{ $ref: '#' }, { $ref: '#' }] }, b: false },
  });
  let data: JsonValue = { b: 1 };
  for (let level = 0; level < 60; level += 1) data = { a: data };
  await t.rejects(validator.validate(branching, data), { code: 'validation_stopped' });
  t.strictSame(await validator.validate(branching, {}), []);
});

t.test('a thread that needs too much memory dies, and another one takes its place', async (t) => {
  const validator = await open(t, { threads: 1, timeMs: PATIENT, heapMiB: 24 });
  const greedy = schemaOf({ type: 'object', properties: { list: { type: 'array', items: { allOf: Array(2000).fill(false) } } } });
  await t.rejects(validator.validate(greedy, { list: Array(10_000).fill(0) }), { code: 'validation_stopped' });
  t.strictSame(await validator.validate(person, { name: 'Ada' }), []);
});

t.test(
  'a stopped job fails alone: those that wait behind it are served, and those beyond the bound refused as busy',
  async (t) => {
    const validator = await open(t, { threads: 1 });
    const first = validator.validate(backtracking, stuck);
    const waiting = Array.from({ length: limits.validationQueueMax }, () => validator.validate(person, { name: 'Ada' }));
    await t.rejects(validator.validate(person, {}), { code: 'validation_busy' });
    await t.rejects(first, { code: 'validation_stopped' });
    t.strictSame(await Promise.all(waiting), Array(limits.validationQueueMax).fill([]));
  },
);

function schemaOf(schema: JsonObject): CheckedSchema {
  return checkSchema(schema, urn);
}

async function open(
  t: Test,
  options: { readonly threads?: number; readonly timeMs?: number; readonly heapMiB?: number },
): Promise<SchemaValidator> {
  const validator = await SchemaValidator.open(options);
  t.teardown(() => validator.close());
  return validator;
}
