import t from 'tap';
import { PAGE_SIZE } from '../../../src/segment/format.ts';
import type { SegmentFile } from '../../../src/segment/segment-files.ts';
import { WRITE_BUFFER_COUNT, WriteBuffers } from '../../../src/segment/write-buffers.ts';

const SIZE = 2 * PAGE_SIZE;

t.test('what fills a write up to a page is zeros, never bytes that the memory held before', async (t) => {
  const bytes = new Uint8Array(WRITE_BUFFER_COUNT * SIZE).fill(0xee);
  const memory = {
    bytes,
    copyIn: (target: number, source: Uint8Array) => bytes.set(source, target),
    move: (target: number, source: number, size: number) => void bytes.copyWithin(target, source, source + size),
    owns: () => false,
  };
  const written: Buffer[] = [];
  const file = {
    write: async (part: Uint8Array) => {
      written.push(Buffer.from(part));
      return part.byteLength;
    },
  } as unknown as SegmentFile;
  const buffers = new WriteBuffers({ memory, at: 0, size: SIZE });
  for (let round = 0; round < 2 * WRITE_BUFFER_COUNT; round++) {
    const size = round % 2 === 0 ? SIZE : 5;
    buffers.put(new Uint8Array(size).fill(0xaa), 0);
    if (size === 5) {
      buffers.pad(8);
      buffers.put(Uint8Array.of(0xbb), 0);
    }
    t.equal(await buffers.start(file, 0).returned, undefined);
    await buffers.settle();
    const expected = size === SIZE ? Buffer.alloc(SIZE, 0xaa) : Buffer.alloc(PAGE_SIZE);
    if (size === 5) expected.set([0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0, 0, 0, 0xbb]);
    t.ok(written.at(-1)?.equals(expected), `write ${round}`);
  }
});
