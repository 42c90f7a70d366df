import fc from 'fast-check';
import t from 'tap';
import { blake3 } from '../../../src/core/blake3.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { type BlockId, digestToHex } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { encodeManifestPages, ManifestTree, manifestRootOf } from '../../../src/core/manifest.ts';
import { isManifestFault } from '../../../src/core/manifest-format.ts';
import { decodeManifestPage, firstOffsetOf, type ManifestPage } from '../../../src/core/manifest-page.ts';
import { hashLeaf, hashNode } from '../../../src/core/merkle.ts';

const idOf = (index: number) => digestToHex<BlockId>(blake3(Buffer.from(`block ${index}`)));

function listOf(sizes: readonly number[]): BlockList {
  const list = new BlockList();
  sizes.forEach((size, index) => {
    list.push(idOf(index), size);
  });
  return list;
}

function decode(bytes: Uint8Array): ManifestPage {
  const page = decodeManifestPage(bytes);
  if (isManifestFault(page)) throw new Error(page.fault);
  return page;
}

/** The leaf as the specification writes it, assembled by hand. */
function leaf(index: number, offset: number, size: number, id: BlockId): Uint8Array {
  const fields = Buffer.alloc(25);
  fields.writeBigUInt64LE(BigInt(index), 1);
  fields.writeBigUInt64LE(BigInt(offset), 9);
  fields.writeBigUInt64LE(BigInt(size), 17);
  return hashLeaf(Buffer.concat([fields, Buffer.from(id, 'hex')]));
}

t.test('the root of no blocks is the hash of nothing', async (t) => {
  t.equal(manifestRootOf(new BlockList()), 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
});

t.test('the root of three blocks binds index, offset, size and id of each', async (t) => {
  const leaves = [leaf(0, 0, 10, idOf(0)), leaf(1, 10, 20, idOf(1)), leaf(2, 30, 5, idOf(2))] as const;
  const expected = hashNode(hashNode(leaves[0], leaves[1]), leaves[2]);
  t.equal(manifestRootOf(listOf([10, 20, 5])), digestToHex(expected));
  t.not(manifestRootOf(listOf([20, 10, 5])), digestToHex(expected));
});

t.test('a tree fed block by block has the root of the list at every step', async (t) => {
  const sizes = Array.from({ length: 40 }, (_, index) => 1 + index * 7);
  const list = listOf(sizes);
  const tree = new ManifestTree();
  sizes.forEach((_, index) => {
    tree.addEntry(list.entries(index, index + 1));
    t.equal(tree.root(), manifestRootOf(listOf(sizes.slice(0, index + 1))));
  });
});

t.test('pages hold every block once, in order, with its offset', async (t) => {
  for (const count of [1, limits.manifestPageEntries, limits.manifestPageEntries + 1, 2 * limits.manifestPageEntries + 3]) {
    const sizes = Array.from({ length: count }, (_, index) => 1 + ((index * 7919) % limits.blockSizeMax));
    const pages = encodeManifestPages(listOf(sizes));
    t.equal(pages.length, Math.ceil(count / limits.manifestPageEntries));
    let offset = 0;
    let index = 0;
    for (const bytes of pages) {
      const page = decode(bytes);
      t.equal(page.index, pages.indexOf(bytes));
      t.equal(page.firstEntry, index);
      t.equal(page.firstOffset, offset);
      t.equal(firstOffsetOf(bytes), offset);
      const wrong: number[] = [];
      for (let entry = 0; entry < page.count; entry++, index++) {
        const right = page.idAt(entry) === idOf(index) && page.sizeAt(entry) === sizes[index] && page.offsetAt(entry) === offset;
        if (!right) wrong.push(index);
        offset += page.sizeAt(entry);
      }
      t.same(wrong, []);
      t.equal(page.end, offset);
    }
    t.equal(index, count);
  }
  t.same(encodeManifestPages(new BlockList()), []);
});

t.test('the entries that cover a range are those that share a byte with it', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }),
      fc.nat(900),
      fc.nat(900),
      (sizes, start, length) => {
        const page = decode(encodeManifestPages(listOf(sizes))[0] as Buffer);
        const end = start + length;
        const expected = sizes.flatMap((_, entry) => {
          const shares = page.offsetAt(entry) < end && page.offsetAt(entry) + page.sizeAt(entry) > start && start < end;
          return shares ? [entry] : [];
        });
        const covering = page.entriesCovering(start, end);
        const actual = Array.from({ length: covering.end - covering.first }, (_, index) => covering.first + index);
        return JSON.stringify(actual) === JSON.stringify(expected);
      },
    ),
  );
});
