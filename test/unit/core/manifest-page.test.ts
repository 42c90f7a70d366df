import t from 'tap';
import { BlockList } from '../../../src/core/block-list.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { isManifestFault, PAGE_AT } from '../../../src/core/manifest-format.ts';
import { decodeManifestPage, encodeManifestPage, isManifestPage } from '../../../src/core/manifest-page.ts';

const blocks = new BlockList();
for (const [digit, size] of [
  ['a', 1_048_576],
  ['b', 1_048_576],
  ['c', 77],
] as const) {
  blocks.push(digit.repeat(64) as BlockId, size);
}
const page = encodeManifestPage({ index: 2, firstOffset: 5_000_000_000, entries: blocks.entries(0) });

t.test('a page survives encoding and decoding', async (t) => {
  const decoded = decodeManifestPage(page);
  if (isManifestFault(decoded)) throw new Error(decoded.fault);
  t.equal(decoded.index, 2);
  t.equal(decoded.firstEntry, 2 * limits.manifestPageEntries);
  t.equal(decoded.count, 3);
  t.equal(decoded.firstOffset, 5_000_000_000);
  t.equal(decoded.end, 5_000_000_000 + 2 * 1_048_576 + 77);
  t.equal(decoded.idAt(1), 'b'.repeat(64));
  t.equal(decoded.sizeAt(2), 77);
  t.equal(decoded.entryAt(5_000_000_000), 0);
  t.equal(decoded.entryAt(5_001_048_576), 1);
  t.equal(decoded.entryAt(decoded.end - 1), 2);
  t.ok(isManifestPage(page));
});

t.test('a decoded page keeps nothing of the memory it was read from', async (t) => {
  const slot = Uint8Array.from(page);
  const decoded = decodeManifestPage(slot);
  slot.fill(0);
  t.notOk(isManifestFault(decoded));
  if (!isManifestFault(decoded)) t.equal(decoded.idAt(0), 'a'.repeat(64));
});

t.test('every truncation and every extra byte is a fault', async (t) => {
  const accepted: number[] = [];
  for (let size = 0; size < page.length; size++) {
    if (!isManifestFault(decodeManifestPage(page.subarray(0, size)))) accepted.push(size);
  }
  t.same(accepted, []);
  t.ok(isManifestFault(decodeManifestPage(Buffer.concat([page, Buffer.alloc(1)]))));
});

t.test('a flipped bit in the header is a fault, but for the offset, which only the id of the page protects', async (t) => {
  const accepted: number[] = [];
  for (let bit = 0; bit < PAGE_AT.entries * 8; bit++) {
    const flipped = Buffer.from(page);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    if (!isManifestFault(decodeManifestPage(flipped))) accepted.push(bit >> 3);
  }
  t.ok(accepted.length > 0);
  t.same(
    accepted.filter((at) => at < PAGE_AT.firstOffset),
    [],
  );
});

t.test('an entry without bytes, or with more than a block has, is a fault', async (t) => {
  for (const size of [0, limits.blockSizeMax + 1, 0xffffffff]) {
    const wrong = Buffer.from(page);
    wrong.writeUInt32LE(size, PAGE_AT.entries + 32);
    t.match(decodeManifestPage(wrong), { fault: `entry 0 has size ${size}` });
  }
});

t.test('another version is named, not guessed at', async (t) => {
  const wrong = Buffer.from(page);
  wrong.writeUInt16LE(2, PAGE_AT.version);
  t.match(decodeManifestPage(wrong), { fault: /version is 2/ });
});

t.test('a page has 1 to 4,096 entries', async (t) => {
  t.throws(() => encodeManifestPage({ index: 0, firstOffset: 0, entries: new Uint8Array(0) }));
  t.throws(() =>
    encodeManifestPage({ index: 0, firstOffset: 0, entries: new Uint8Array(36 * (limits.manifestPageEntries + 1)) }),
  );
});
