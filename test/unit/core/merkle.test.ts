import t from 'tap';
import { blake3 } from '../../../src/core/blake3.ts';
import { hashLeaf, hashNode, MerkleTree } from '../../../src/core/merkle.ts';

/** RFC 9162 section 2.1.1 word for word, over leaf hashes. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return blake3(new Uint8Array(0));
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return blake3(Buffer.concat([Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))]));
}

t.test('the root is that of the recursive definition for every count up to 130', async (t) => {
  const tree = new MerkleTree();
  const leaves: Uint8Array[] = [];
  for (let count = 0; count <= 130; count++) {
    t.same(Buffer.from(tree.root()), Buffer.from(rootOf(leaves)), `${count} leaves`);
    t.equal(tree.count, count);
    const leaf = hashLeaf(Buffer.of(0xff, count));
    leaves.push(leaf);
    tree.add(leaf);
  }
});

t.test('leaves and nodes are hashed in domains of their own', async (t) => {
  t.same(hashLeaf(Buffer.of(0xff, 7)), blake3(Buffer.of(0, 7)));
  const left = blake3(Buffer.of(1));
  const right = blake3(Buffer.of(2));
  t.same(hashNode(left, right), blake3(Buffer.concat([Buffer.of(1), left, right])));
  t.not(Buffer.compare(hashNode(left, right), hashNode(right, left)), 0);
});
