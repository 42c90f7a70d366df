import fc from 'fast-check';
import t from 'tap';
import { fixedCutter } from '../../../src/chunker/fixed.ts';
import { cutAll } from './cut-all.ts';

const MiB = 1024 * 1024;
const bytes = new Uint8Array(4 * MiB + 1);

t.test('every block has 1 MiB but the last', async (t) => {
  for (const [size, expected] of [
    [0, []],
    [1, [1]],
    [MiB - 1, [MiB - 1]],
    [MiB, [MiB]],
    [MiB + 1, [MiB, 1]],
    [4 * MiB + 1, [MiB, MiB, MiB, MiB, 1]],
  ] as const) {
    t.same(cutAll(fixedCutter, bytes.subarray(0, size)), expected, `${size} bytes`);
  }
});

t.test('cuts do not depend on how the bytes arrive', async () => {
  const whole = JSON.stringify(cutAll(fixedCutter, bytes));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 * MiB }), { minLength: 1, maxLength: 8 }), (portions) => {
      return JSON.stringify(cutAll(fixedCutter, bytes, portions)) === whole;
    }),
    { numRuns: 30 },
  );
});
