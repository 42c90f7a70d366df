import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import type { JsonObject, JsonValue } from '../../../src/metadata/json-value.ts';
import { type CheckedSchema, checkSchema } from '../../../src/metadata/schema-check.ts';
import { openValidator } from '../../helpers/open-validator.ts';

/** So long that only what never ends meets it, on any machine. */
const PATIENT = 60_000;
const urn = parseIri('urn:quasar:schema:case@1.0.0', 'schemaUrn');

const person = schemaOf({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } });
const backtracking = schemaOf({ type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } });
const stuck = { text: `${'a'.repeat(60)}!` };

t.test('a pattern that backtracks is stopped, the event loop turns meanwhile, and the next validation works', async (t) => {
  const validator = await openValidator(t, { threads: 1 });
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
  const validator = await openValidator(t, { threads: 1 });
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
  const validator = await openValidator(t, { threads: 1, timeMs: PATIENT, heapMiB: 24 });
  const greedy = schemaOf({ type: 'object', properties: { list: { type: 'array', items: { allOf: Array(2000).fill(false) } } } });
  await t.rejects(validator.validate(greedy, { list: Array(10_000).fill(0) }), { code: 'validation_stopped' });
  t.strictSame(await validator.validate(person, { name: 'Ada' }), []);
});

t.test(
  'a stopped job fails alone: those that wait behind it are served, and those beyond the bound refused as busy',
  async (t) => {
    const validator = await openValidator(t, { threads: 1 });
    const first = validator.validate(backtracking, stuck);
    const waiting = Array.from({ length: limits.validationQueueMax }, () => validator.validate(person, { name: 'Ada' }));
    await t.rejects(validator.validate(person, {}), { code: 'validation_busy' });
    await t.rejects(first, { code: 'validation_stopped' });
    t.strictSame(await Promise.all(waiting), Array(limits.validationQueueMax).fill([]));
  },
);

t.test('runaway patterns of one org leave a thread to the others, from the first that is stopped', async (t) => {
  const validator = await openValidator(t, { threads: 2, timeMs: 300 });
  const stranger = validator.of({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
  let stopped = 0;
  const runaways = Array.from({ length: 6 }, () =>
    validator.validate(backtracking, stuck).catch((error: unknown) => {
      stopped += 1;
      return error;
    }),
  );
  t.strictSame(await stranger.validate(person, { name: 'Ada' }), []);
  t.ok(stopped <= 2, 'it waited for the two that ran already');
  await Promise.race(runaways);
  for (let round = 0; round < 20; round++) t.strictSame(await stranger.validate(person, { name: 'Bo' }), []);
  t.ok(stopped < 6, `${stopped} of them were stopped meanwhile`);
  for (const outcome of await Promise.all(runaways)) t.match(outcome, { code: 'validation_stopped' });
  t.strictSame(await validator.validate(person, { name: 'Cy' }), [], 'its own good data still pass');
});

function schemaOf(schema: JsonObject): CheckedSchema {
  return checkSchema(schema, urn);
}
