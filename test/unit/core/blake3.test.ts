import t from 'tap';
import { blake3, blake3Hasher, blockIdOf } from '../../../src/core/blake3.ts';

/** From the official test vectors: input byte i is i modulo 251. */
const VECTORS: readonly (readonly [size: number, hex: string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [31_744, '62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47'],
  [102_400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
];

for (const [size, hex] of VECTORS) {
  t.test(`${size} bytes have the published digest, in one piece, in three, and in shared memory`, async (t) => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
    t.equal(blake3(bytes).toString('hex'), hex);
    t.equal(blockIdOf(bytes), hex);

    const state = blake3Hasher();
    for (const [start, end] of [
      [0, size >> 2],
      [size >> 2, size >> 1],
      [size >> 1, size],
    ]) {
      state.update(bytes.subarray(start, end));
    }
    t.equal(state.digest().toString('hex'), hex);

    const shared = new Uint8Array(new SharedArrayBuffer(size + 3), 3);
    shared.set(bytes);
    t.equal(blake3(shared).toString('hex'), hex);
  });
}

t.test('a digest may be asked for on the way', async (t) => {
  const state = blake3Hasher();
  state.update(new Uint8Array(1000));
  t.equal(state.digest().toString('hex'), blake3(new Uint8Array(1000)).toString('hex'));
  state.update(new Uint8Array(1000));
  t.equal(state.digest().toString('hex'), blake3(new Uint8Array(2000)).toString('hex'));
});

t.test('a state that is reset starts over', async (t) => {
  const state = blake3Hasher();
  state.update(new Uint8Array(1000));
  state.reset();
  t.same(state.digest(), blake3(new Uint8Array(0)));
});

t.test('one-shot and streaming hashes do not disturb each other', async (t) => {
  const state = blake3Hasher();
  state.update(Buffer.from('left '));
  blockIdOf(Buffer.from('between'));
  state.update(Buffer.from('right'));
  t.same(state.digest(), blake3(Buffer.from('left right')));
});
