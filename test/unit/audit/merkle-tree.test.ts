import fc from 'fast-check';
import t from 'tap';
import { EMPTY_ROOT, hashLeaf, hashNode, parseTreeHash, treeHashToBase64 } from '../../../src/audit/merkle-hash.ts';
import { proveConsistency, proveInclusion, rootAt, TreeFrontier } from '../../../src/audit/merkle-tree.ts';
import { consistencyRanges, inclusionRanges, subtreesOf } from '../../../src/audit/tree-ranges.ts';
import { ctLeaves, ctRoots, type Leaves, MemoryTreeHashes, MTH, PATH, PROOF } from '../../helpers/merkle-reference.ts';

const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString('hex'));

function treeOf(leaves: Leaves): MemoryTreeHashes {
  const tree = new MemoryTreeHashes();
  for (const leaf of leaves) tree.append(hashLeaf(leaf));
  return tree;
}

function numbered(count: number): Leaves {
  return Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));
}

t.test('roots are those of the Certificate Transparency vectors', async (t) => {
  const frontier = TreeFrontier.empty();
  t.same(hex([frontier.root(), EMPTY_ROOT]), [ctRoots[0], ctRoots[0]]);
  for (const [index, leaf] of ctLeaves.entries()) {
    frontier.append(hashLeaf(leaf));
    t.equal(Buffer.from(frontier.root()).toString('hex'), ctRoots[index + 1]);
  }
});

t.test('proofs are those of the Certificate Transparency vectors', async (t) => {
  const tree = treeOf(ctLeaves);
  t.same(hex(await proveInclusion(tree, 0, 1)), []);
  t.same(hex(await proveInclusion(tree, 0, 8)), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  t.same(hex(await proveInclusion(tree, 5, 8)), [
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  t.same(hex(await proveConsistency(tree, 2, 5)), [
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ]);
  t.same(hex(await proveConsistency(tree, 1, 1)), []);
});

t.test('every root and every proof up to 40 leaves is that of the recursive definitions', async (t) => {
  const leaves = numbered(40);
  const tree = treeOf(leaves);
  for (let size = 0; size <= leaves.length; size++) {
    const part = leaves.slice(0, size);
    t.same(hex([await rootAt(tree, size)]), hex([MTH(part)]), `root of ${size}`);
    for (let leaf = 0; leaf < size; leaf++) {
      t.same(hex(await proveInclusion(tree, leaf, size)), hex(PATH(leaf, part)), `leaf ${leaf} of ${size}`);
    }
    for (let first = 1; first <= size; first++) {
      t.same(hex(await proveConsistency(tree, first, size)), hex(PROOF(first, part)), `${first} in ${size}`);
    }
  }
});

t.test('roots and proofs of larger trees are those of the recursive definitions', async () => {
  const leaves = numbered(700);
  const tree = treeOf(leaves);
  const sizes = fc.tuple(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat());
  await fc.assert(
    fc.asyncProperty(sizes, async ([size, a, b]) => {
      const part = leaves.slice(0, size);
      const leaf = a % size;
      const first = 1 + (b % size);
      return (
        hex([await rootAt(tree, size)])[0] === MTH(part).toString('hex') &&
        hex(await proveInclusion(tree, leaf, size)).join() === hex(PATH(leaf, part)).join() &&
        hex(await proveConsistency(tree, first, size)).join() === hex(PROOF(first, part)).join()
      );
    }),
    { numRuns: 60 },
  );
});

t.test('every perfect subtree is handed out once, when its last leaf is there', async (t) => {
  const leaves = numbered(64);
  const tree = treeOf(leaves);
  t.equal(tree.rows.size, 127, 'a row a leaf, and one row less above them');
  for (let level = 0; level <= 6; level++) {
    for (let index = 0; index < 64 / 2 ** level; index++) {
      const part = leaves.slice(index * 2 ** level, (index + 1) * 2 ** level);
      t.same(tree.rows.get(`${level}/${index}`), MTH(part), `${level}/${index}`);
    }
  }
});

t.test('a frontier that is loaded goes on as the one that was kept', async (t) => {
  const leaves = numbered(130);
  for (const size of [0, 1, 2, 3, 63, 64, 65, 127, 128, 129]) {
    const tree = treeOf(leaves.slice(0, size));
    const loaded = await TreeFrontier.load(tree, size);
    t.equal(loaded.size, size);
    t.same(loaded.root(), tree.frontier.root());
    const next = hashLeaf(Buffer.from('next'));
    t.same(loaded.append(next), tree.frontier.copy().append(next));
    t.not(Buffer.compare(loaded.root(), tree.frontier.root()), 0, 'the copy grew by itself');
  }
});

t.test('a proof is one question to the table, and a root too', async (t) => {
  const tree = treeOf(numbered(100));
  await proveInclusion(tree, 37, 99);
  t.equal(tree.calls, 1);
  await proveConsistency(tree, 37, 99);
  t.equal(tree.calls, 2);
  await rootAt(tree, 99);
  t.equal(tree.calls, 3);
});

t.test('a size the table does not have is an error of the table, an impossible one is a bug', async (t) => {
  const tree = treeOf(numbered(5));
  await t.rejects(proveInclusion(tree, 0, 6), { message: /no row/ });
  for (const [leaf, size] of [
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, 2 ** 53],
  ] as const) {
    t.throws(() => inclusionRanges(leaf, size), { name: 'AssertionError' });
  }
  t.throws(() => consistencyRanges(6, 5), { name: 'AssertionError' });
  t.throws(() => consistencyRanges(-1, 5), { name: 'AssertionError' });
});

t.test('ranges stay exact in trees of nearly 2^53 leaves', async (t) => {
  const size = 2 ** 53 - 1;
  const ranges = inclusionRanges(2 ** 52 + 1, size);
  t.equal(ranges.length, 53);
  t.same(ranges[0], { begin: 2 ** 52, end: 2 ** 52 + 1 });
  t.same(ranges.at(-1), { begin: 0, end: 2 ** 52 });
  t.same(subtreesOf({ begin: 0, end: 2 ** 52 }), [{ level: 52, index: 0 }]);
  t.equal(subtreesOf({ begin: 0, end: size }).length, 53);
  const covered = (first: number) => consistencyRanges(first, size).reduce((sum, { begin, end }) => sum + (end - begin), 0);
  t.equal(covered(2 ** 33 + 1), size);
  t.equal(covered(2 ** 33), size - 2 ** 33, 'all but the left part, whose root the verifier has');
});

t.test('leaves and nodes are hashed in domains of their own, and their text reads back', async (t) => {
  const node = hashNode(hashLeaf(Buffer.from('a')), hashLeaf(Buffer.from('b')));
  const forged = hashLeaf(Buffer.concat([hashLeaf(Buffer.from('a')), hashLeaf(Buffer.from('b'))]));
  t.not(Buffer.compare(node, forged), 0);
  t.same(parseTreeHash(treeHashToBase64(node)), node);
  t.equal(parseTreeHash('AAAA'), undefined);
  t.equal(parseTreeHash(`${treeHashToBase64(node)} `), undefined);
  t.equal(parseTreeHash(treeHashToBase64(node).replace('=', '')), undefined);
});
