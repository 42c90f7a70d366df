import t from 'tap';
import { limits } from '../../../src/core/limits.ts';

t.test('limits are positive numbers, whole unless they are ratios', async (t) => {
  const odd = Object.entries(limits).filter(
    ([name, value]) => !(value > 0 && (Number.isSafeInteger(value) || name.endsWith('Ratio'))),
  );
  t.same(odd, []);
});

t.test('a manifest of the largest blob has few enough pages to be listed in one root page', async (t) => {
  const blocks = limits.blobSizeMax / limits.blockSizeMax;
  t.ok(blocks / limits.manifestPageEntries <= limits.manifestPageEntries);
});
