import fc from 'fast-check';
import t from 'tap';
import { measureJson, requireWithinBounds } from '../../../src/metadata/json-measure.ts';
import type { JsonValue } from '../../../src/metadata/json-value.ts';

t.test('the size is that of the JSON text in UTF-8', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      t.equal(measureJson(value as JsonValue).size, Buffer.byteLength(JSON.stringify(value)));
    }),
  );
});

t.test('members and items are counted, and levels', async (t) => {
  for (const [value, keys, depth] of [
    [1, 0, 0],
    [{}, 0, 1],
    [[], 0, 1],
    [{ a: [1, 2], b: { c: null } }, 5, 2],
    [[[[]]], 2, 3],
  ] as const) {
    t.match(measureJson(value), { keys, depth }, JSON.stringify(value));
  }
});

t.test('a value deeper than any stack is measured', async (t) => {
  let value: JsonValue = [];
  for (let level = 1; level < 200_000; level += 1) value = [value];
  t.equal(measureJson(value).depth, 200_000);
  t.throws(() => requireWithinBounds(value, 'metadata.test'), { code: 'metadata_too_large' });
});
