import t from 'tap';
import { cutterOf } from '../../../src/chunker/cutters.ts';
import { type ChunkerName, singleBlockMax } from '../../../src/chunker/hasher.ts';
import { cutAll, noise } from './cut-all.ts';

for (const chunker of ['fixed-1m', 'fastcdc-v1'] as const satisfies readonly ChunkerName[]) {
  t.test(`${chunker}: up to its single block size, a blob is one block whatever its bytes`, async (t) => {
    const size = singleBlockMax(chunker);
    for (const seed of [1, 2, 3]) t.same(cutAll(cutterOf(chunker), noise(size, seed)), [size]);
    t.same(cutAll(cutterOf(chunker), new Uint8Array(size)), [size]);
    t.same(cutAll(cutterOf(chunker), new Uint8Array(1)), [1]);
  });
}
