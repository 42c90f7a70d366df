import fc from 'fast-check';
import t from 'tap';
import { hashLeaf } from '../../../src/audit/merkle-hash.ts';
import { verifyConsistency, verifyInclusion } from '../../../src/audit/merkle-proof.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { type Leaves, MTH, PATH, PROOF } from '../../helpers/merkle-reference.ts';

const sizeMax = 33;
const leaves: Leaves = Array.from({ length: sizeMax }, (_, index) => Buffer.from(`leaf ${index}`));
const heads = Array.from({ length: sizeMax + 1 }, (_, size) => ({ size, root: MTH(leaves.slice(0, size)) }));
const head = (size: number) => heads[size] as { size: number; root: Buffer };
const other = hashLeaf(Buffer.from('another leaf'));

function inclusion(leaf: number, size: number) {
  const claim = { leaf, size, leafHash: hashLeaf(leaves[leaf] as Uint8Array), root: head(size).root };
  return { claim, proof: PATH(leaf, leaves.slice(0, size)) };
}

/** Wrong lengths, wrong order, and every hash missing, doubled or changed once. */
function spoiled(proof: readonly Uint8Array[]): Uint8Array[][] {
  const cases: Uint8Array[][] = [
    [...proof, other],
    [other, ...proof],
    [...proof, Buffer.alloc(0)],
  ];
  for (const [index, hash] of proof.entries()) {
    cases.push(proof.toSpliced(index, 1), proof.toSpliced(index, 0, hash), proof.with(index, flipBit(hash, 77)));
    cases.push(proof.with(index, hash.subarray(1)), proof.with(index, Buffer.concat([hash, Buffer.alloc(1)])));
  }
  if (proof.length > 1) cases.push([...proof].reverse());
  return cases;
}

t.test('every proof of inclusion up to 33 leaves holds', async (t) => {
  for (let size = 1; size <= sizeMax; size++) {
    for (let leaf = 0; leaf < size; leaf++) {
      const { claim, proof } = inclusion(leaf, size);
      if (!verifyInclusion(claim, proof)) t.fail(`leaf ${leaf} of ${size}`);
    }
  }
});

t.test('a proof of inclusion for another leaf, size, hash or root is refused', async (t) => {
  for (let size = 1; size <= sizeMax; size++) {
    for (let leaf = 0; leaf < size; leaf++) {
      const { claim, proof } = inclusion(leaf, size);
      const claims = [
        { ...claim, leafHash: other },
        { ...claim, root: other },
        { ...claim, root: claim.root.subarray(1) },
        { ...claim, leaf: size },
        { ...claim, leaf: leaf === 0 ? -1 : leaf - 1 },
        { ...claim, leaf: leaf + 2 ** 32 },
        { ...claim, leaf: leaf + 0.5 },
        { ...claim, size: 0 },
        { ...claim, size: Number.NaN },
        { ...claim, size: 2 ** 53 },
      ];
      if (claims.some((wrong) => verifyInclusion(wrong, proof))) t.fail(`leaf ${leaf} of ${size}`);
    }
  }
});

t.test('a proof of inclusion that is short, long, reordered or changed is refused', async (t) => {
  for (let size = 1; size <= sizeMax; size++) {
    for (let leaf = 0; leaf < size; leaf++) {
      const { claim, proof } = inclusion(leaf, size);
      for (const wrong of spoiled(proof)) if (verifyInclusion(claim, wrong)) t.fail(`leaf ${leaf} of ${size}`);
    }
  }
});

t.test('any flipped bit of a proof of inclusion, its leaf or its root is refused', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: sizeMax }), fc.nat(), fc.nat(), fc.nat(255), (size, a, b, bit) => {
      const { claim, proof } = inclusion(a % size, size);
      const all = [claim.leafHash, claim.root, ...proof];
      const [leafHash, root, ...rest] = all.with(b % all.length, flipBit(all[b % all.length] as Uint8Array, bit));
      return !verifyInclusion({ ...claim, leafHash: leafHash as Uint8Array, root: root as Uint8Array }, rest);
    }),
  );
});

t.test('every proof of consistency up to 33 leaves holds', async (t) => {
  for (let size = 1; size <= sizeMax; size++) {
    for (let first = 1; first <= size; first++) {
      if (!verifyConsistency(head(first), head(size), PROOF(first, leaves.slice(0, size)))) t.fail(`${first} in ${size}`);
    }
  }
});

t.test('the empty tree is the beginning of every tree, with its own root and an empty proof', async (t) => {
  for (const size of [0, 1, 2, 33]) {
    t.ok(verifyConsistency(head(0), head(size), []));
    t.notOk(verifyConsistency(head(0), head(size), [other]));
    t.notOk(verifyConsistency({ size: 0, root: other }, head(size), []));
  }
});

t.test('trees of one size need one root and no proof', async (t) => {
  t.ok(verifyConsistency(head(7), head(7), []));
  t.notOk(verifyConsistency(head(7), { size: 7, root: other }, []));
  t.notOk(verifyConsistency(head(7), head(7), [other]));
});

t.test('a proof of consistency for other sizes or roots is refused', async (t) => {
  for (let size = 2; size <= sizeMax; size++) {
    for (let first = 1; first < size; first++) {
      const proof = PROOF(first, leaves.slice(0, size));
      const older = head(first);
      const newer = head(size);
      const wrong = [
        verifyConsistency({ ...older, root: other }, newer, proof),
        verifyConsistency(older, { ...newer, root: other }, proof),
        verifyConsistency(newer, older, proof),
        verifyConsistency({ ...older, size: first - 1 }, newer, proof),
        verifyConsistency({ ...older, size: size + 1 }, newer, proof),
        verifyConsistency({ ...older, size: first + 0.5 }, newer, proof),
        verifyConsistency(older, { ...newer, size: 2 ** 53 }, proof),
        verifyConsistency(older, newer, []),
      ];
      if (wrong.some((held) => held)) t.fail(`${first} in ${size}`);
    }
  }
});

t.test('a proof of consistency that is short, long, reordered or changed is refused', async (t) => {
  for (let size = 2; size <= sizeMax; size++) {
    for (let first = 1; first < size; first++) {
      const proof = PROOF(first, leaves.slice(0, size));
      for (const wrong of spoiled(proof)) {
        if (verifyConsistency(head(first), head(size), wrong)) t.fail(`${first} in ${size}`);
      }
    }
  }
});

t.test('any flipped bit of a proof of consistency or its roots is refused', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: sizeMax }), fc.nat(), fc.nat(), fc.nat(255), (size, a, b, bit) => {
      const first = 1 + (a % (size - 1));
      const all = [head(first).root, head(size).root, ...PROOF(first, leaves.slice(0, size))];
      const [older, newer, ...rest] = all.with(b % all.length, flipBit(all[b % all.length] as Uint8Array, bit));
      return !verifyConsistency({ size: first, root: older as Buffer }, { size, root: newer as Buffer }, rest);
    }),
  );
});

t.test('the older tree of a fork is no beginning of the other branch', async (t) => {
  const forked = leaves.with(5, Buffer.from('rewritten'));
  for (const first of [6, 7, 8, 20]) {
    const branch = { size: 33, root: MTH(forked) };
    t.notOk(verifyConsistency(head(first), branch, PROOF(first, forked)));
    t.notOk(verifyConsistency(head(first), branch, PROOF(first, leaves)));
  }
  t.ok(verifyConsistency(head(5), { size: 33, root: MTH(forked) }, PROOF(5, forked)), 'before the fork both agree');
});
