import fc from 'fast-check';
import t from 'tap';
import { BlockList } from '../../../src/core/block-list.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { encodeBlockEntries } from '../../../src/upload/block-entries.ts';

t.test('an entry is the id, then the size as u32, little-endian', async (t) => {
  const id = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff' as BlockId;
  t.equal(encodeBlockEntries([{ id, size: 0x010203 }]).toString('hex'), `${id}03020100`);
});

t.test('entries survive, in order, whatever the list', async () => {
  const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex') as BlockId);
  const block = fc.record({ id: hex, size: fc.integer({ min: 1, max: 1_048_576 }) });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 50 }), fc.array(block, { maxLength: 50 }), (one, two) => {
      const list = new BlockList(1);
      list.append(encodeBlockEntries(one));
      list.append(encodeBlockEntries(two));
      const back = Array.from({ length: list.count }, (_, index) => ({ id: list.idAt(index), size: list.sizeAt(index) }));
      const sum = [...one, ...two].reduce((total, { size }) => total + size, 0);
      return JSON.stringify(back) === JSON.stringify([...one, ...two]) && list.size === sum;
    }),
  );
});

t.test('half an entry is refused', async (t) => {
  t.throws(() => new BlockList().append(Buffer.alloc(35)));
});
