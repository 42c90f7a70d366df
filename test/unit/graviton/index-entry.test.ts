import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { decodeIndexEntry, encodeIndexEntry, INDEX_ENTRY_SIZE, type IndexEntry } from '../../../src/graviton/index-entry.ts';
import type { BlockKind } from '../../../src/graviton/node.ts';
import { PAYLOAD_SIZE_MAX, RECORD_ALIGNMENT } from '../../../src/segment/format.ts';

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const size = fc.integer({ min: 0, max: PAYLOAD_SIZE_MAX });
const offset = fc
  .integer({ min: 0, max: Math.floor(Number.MAX_SAFE_INTEGER / RECORD_ALIGNMENT) })
  .map((at) => at * RECORD_ALIGNMENT);
const kind = fc.constantFrom<BlockKind>('data', 'manifest', 'piece');
const entries: fc.Arbitrary<IndexEntry> = fc.record(
  { segment: count, offset, size, sequence: count, kind },
  { noNullPrototype: true },
);

function encoded(entry: IndexEntry): Buffer {
  const bytes = Buffer.alloc(INDEX_ENTRY_SIZE);
  encodeIndexEntry(entry, bytes, 0);
  return bytes;
}

t.test('an entry survives encoding and decoding', async (t) => {
  const survives = fc.property(entries, (entry) => isDeepStrictEqual(decodeIndexEntry(encoded(entry)), entry));
  t.doesNotThrow(() => fc.assert(survives));
});

t.test('entries are written at their base and nowhere else', async (t) => {
  const bytes = Buffer.alloc(3 * INDEX_ENTRY_SIZE, 0xee);
  encodeIndexEntry({ segment: 1, offset: 4096, size: 5, sequence: 9, kind: 'manifest' }, bytes, INDEX_ENTRY_SIZE);
  t.ok(bytes.subarray(0, 32).every((byte) => byte === 0xee));
  t.ok(bytes.subarray(64).every((byte) => byte === 0xee));
  t.equal(bytes.toString('hex', 32, 64), '0100000000000000001000000000000009000000000000000500000001000000');
});

t.test('bytes that no record can have are no entry', async (t) => {
  const whole = encoded({ segment: 1, offset: 64, size: 3, sequence: 4, kind: 'data' });
  for (let size = 0; size < INDEX_ENTRY_SIZE; size++) t.equal(decodeIndexEntry(whole.subarray(0, size)), undefined);
  for (const [value, at] of [
    [3, 28],
    [PAYLOAD_SIZE_MAX + 1, 24],
    [65, 8],
    [2 ** 31, 4],
    [2 ** 31, 12],
    [2 ** 31, 20],
  ] as const) {
    const changed = Buffer.from(whole);
    changed.writeUInt32LE(value, at);
    t.equal(decodeIndexEntry(changed), undefined, `${value} at ${at}`);
  }
});
