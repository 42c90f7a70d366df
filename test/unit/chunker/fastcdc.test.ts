import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { fastcdcCutter } from '../../../src/chunker/fastcdc.ts';
import { GEAR } from '../../../src/chunker/gear-table.ts';
import { cutAll, noise } from './cut-all.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** The definition word for word: no state, no words, no early start. */
function cutByDefinition(bytes: Uint8Array): number {
  for (let n = 64 * KiB; n < Math.min(bytes.length, MiB); n++) {
    let hash = 0;
    for (let at = n - 32; at < n; at++) hash = (hash * 2 + ((GEAR[bytes[at] as number] as number) >>> 0)) % 2 ** 32;
    if (hash < (n < 256 * KiB ? 2 ** 12 : 2 ** 16)) return n;
  }
  return Math.min(bytes.length, MiB);
}

t.test('the gear table is what its derivation says', async (t) => {
  t.equal(GEAR.length, 256);
  const derived = Array.from({ length: 256 }, (_, index) =>
    createHash('sha256').update(`quasar fastcdc-v1 gear ${index}`).digest().readInt32LE(0),
  );
  t.same(Array.from(GEAR), derived);
});

t.test('cuts of fastcdc-v1 stay what they are', async (t) => {
  t.same(cutAll(fastcdcCutter, noise(3 * MiB, 1)), VECTORS.noise1);
  t.same(cutAll(fastcdcCutter, noise(3 * MiB, 20_261)), VECTORS.noise20261);
  t.same(cutAll(fastcdcCutter, new Uint8Array(3 * MiB + 5)), VECTORS.zeros);
  const text = Buffer.from(Array.from({ length: 60_000 }, (_, line) => `${line}: the quick brown fox\n`).join(''));
  t.same(cutAll(fastcdcCutter, text), VECTORS.text);
  t.same(cutAll(fastcdcCutter, noise(64 * KiB, 3)), [64 * KiB]);
  t.same(cutAll(fastcdcCutter, new Uint8Array(0)), []);
});

t.test('the fast loop finds the cuts of the definition, at every alignment', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const memory = noise(MiB + 64, seed * 77);
    const bytes = memory.subarray(seed % 8, (seed % 8) + MiB + seed);
    t.equal(fastcdcCutter.cut(bytes, 0, bytes.length, true), cutByDefinition(bytes), `seed ${seed * 77}`);
  }
});

t.test('cuts do not depend on how the bytes arrive, nor on where they lie', async () => {
  const bytes = noise(6 * MiB, 99);
  const whole = JSON.stringify(cutAll(fastcdcCutter, bytes));
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1000, max: 2 * MiB }), { minLength: 1, maxLength: 8 }),
      fc.nat(7),
      (portions, shift) => {
        const moved = new Uint8Array(new SharedArrayBuffer(bytes.length + shift), shift);
        moved.set(bytes);
        return JSON.stringify(cutAll(fastcdcCutter, moved, portions)) === whole;
      },
    ),
    { numRuns: 15 },
  );
});

t.test('blocks are 64 KiB to 1 MiB but the last, and together they are the input', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 * MiB }), fc.integer({ min: 1, max: 2 ** 30 }), fc.boolean(), (size, seed, flat) => {
      const sizes = cutAll(fastcdcCutter, flat ? new Uint8Array(size).fill(seed & 255) : noise(size, seed));
      const total = sizes.reduce((sum, block) => sum + block, 0);
      return total === size && sizes.slice(0, -1).every((block) => block >= 64 * KiB && block <= MiB);
    }),
    { numRuns: 20 },
  );
});

t.test('bytes inserted near the front leave most later blocks as they are', async (t) => {
  const bytes = noise(8 * MiB, 5);
  const changed = Buffer.concat([bytes.subarray(0, 1000), Buffer.from('inserted'), bytes.subarray(1000)]);
  const before = new Set(idsOf(bytes));
  const after = idsOf(changed);
  t.ok(after.filter((id) => before.has(id)).length >= after.length - 3);
});

function idsOf(bytes: Uint8Array): string[] {
  let at = 0;
  return cutAll(fastcdcCutter, bytes).map((size) => {
    at += size;
    return createHash('sha256')
      .update(bytes.subarray(at - size, at))
      .digest('hex');
  });
}

const VECTORS = {
  noise1: [284875, 284104, 265912, 301328, 288262, 270988, 310435, 271072, 273234, 308091, 266708, 20719],
  noise20261: [270673, 380232, 200448, 292764, 548433, 309236, 270158, 265432, 349753, 258599],
  zeros: [1048576, 1048576, 1048576, 5],
  text: [96928, 355126, 280690, 321006, 168033, 267701, 119406],
};
