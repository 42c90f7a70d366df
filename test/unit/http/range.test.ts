import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { resolveRange } from '../../../src/http/range.ts';

const WHOLE = { kind: 'whole' };
const NONE = { kind: 'unsatisfiable' };
const some = (...pairs: [number, number][]) => ({ kind: 'ranges', ranges: pairs.map(([start, end]) => ({ start, end })) });

t.test('single ranges', async (t) => {
  const table: [string | undefined, unknown][] = [
    [undefined, WHOLE],
    ['bytes=0-0', some([0, 1])],
    ['bytes=0-499', some([0, 500])],
    ['bytes=500-', some([500, 1000])],
    ['bytes=-1', some([999, 1000])],
    ['bytes=-5000', some([0, 1000])],
    ['bytes=999-5000', some([999, 1000])],
    ['bytes=0-99999999999999999999999999', some([0, 1000])],
    ['BYTES=1-2', some([1, 3])],
    ['bytes= 1-2 ', some([1, 3])],
    ['bytes=1000-', NONE],
    ['bytes=99999999999999999999999999-', NONE],
    ['bytes=-0', NONE],
  ];
  for (const [header, expected] of table) t.same(resolveRange(header, 1000), expected, String(header));
});

t.test('what is no byte range set is ignored', async (t) => {
  for (const header of [
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=0-1,x',
    'items=0-1',
    'bytes 0-1',
    'bytes=1 -2',
    'bytes=--1',
    'bytes=+1-2',
  ]) {
    t.same(resolveRange(header, 1000), WHOLE, header);
  }
});

t.test('several ranges keep their order, and those that touch are merged', async (t) => {
  t.same(resolveRange('bytes=900-999,0-9', 1000), some([900, 1000], [0, 10]));
  t.same(resolveRange('bytes=0-9,20-29,5-24', 1000), some([0, 30]));
  t.same(resolveRange('bytes=0-9,10-19', 1000), some([0, 20]));
  t.same(resolveRange('bytes=50-59,0-9,9-20', 1000), some([50, 60], [0, 21]));
  t.same(resolveRange('bytes=0-9, ,2000-,-1', 1000), some([0, 10], [999, 1000]));
  t.same(resolveRange('bytes=2000-,3000-', 1000), NONE);
});

t.test('more ranges than the limit are unsatisfiable, overlapping or not', async (t) => {
  const many = (count: number) => `bytes=${Array.from({ length: count }, (_, at) => `${at * 4}-${at * 4 + 1}`).join(',')}`;
  t.match(resolveRange(many(limits.rangesMax), 1000), { kind: 'ranges' });
  t.same(resolveRange(many(limits.rangesMax + 1), 1000), NONE);
  t.same(resolveRange(`bytes=${'0-,'.repeat(10_000)}`, 1000), NONE);
});

t.test('nothing has no part: a range of an empty blob', async (t) => {
  t.same(resolveRange('bytes=0-', 0), NONE);
  t.same(resolveRange('bytes=-1', 0), WHOLE);
  t.same(resolveRange('bytes=-0', 0), NONE);
});

t.test('ranges that come out are disjoint, within the size, and cover exactly what was asked', async () => {
  const spec = fc.tuple(fc.nat(120), fc.nat(40));
  fc.assert(
    fc.property(
      fc.array(spec, { minLength: 1, maxLength: limits.rangesMax }),
      fc.integer({ min: 1, max: 100 }),
      (specs, size) => {
        const outcome = resolveRange(`bytes=${specs.map(([first, more]) => `${first}-${first + more}`).join(',')}`, size);
        const asked = new Set<number>();
        for (const [first, more] of specs) for (let at = first; at <= first + more && at < size; at++) asked.add(at);
        if (asked.size === 0) return outcome.kind === 'unsatisfiable';
        if (outcome.kind !== 'ranges') return false;
        let bytes = 0;
        for (const { start, end } of outcome.ranges) {
          for (let at = start; at < end; at++) if (!asked.has(at)) return false;
          bytes += end - start;
        }
        return bytes === asked.size;
      },
    ),
  );
});
