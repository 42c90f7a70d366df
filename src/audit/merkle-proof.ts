import { DIGEST_SIZE } from '../core/digest.ts';
import { EMPTY_ROOT, equalHashes, hashNode } from './merkle-hash.ts';

/**
 * Verification of proofs by RFC 9162, sections 2.1.3.2 and 2.1.4.2. Whatever comes in may be forged: anything odd is
 * `false`, nothing throws. Sizes and numbers of leaves are exact up to 2^53, so halves are taken by division.
 */

export interface InclusionClaim {
  /** From 0. */
  readonly leaf: number;
  /** Leaves of the tree. */
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
}

export function verifyInclusion(claim: InclusionClaim, proof: readonly Uint8Array[]): boolean {
  const { leaf, size } = claim;
  if (!isCount(leaf) || !isCount(size) || leaf >= size) return false;
  if (![claim.leafHash, claim.root, ...proof].every(isHash)) return false;
  let first = leaf;
  let last = size - 1;
  let hash: Uint8Array = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(first) || first === last) {
      hash = hashNode(sibling, hash);
      while (!isOdd(first) && first !== 0) {
        first = half(first);
        last = half(last);
      }
    } else {
      hash = hashNode(hash, sibling);
    }
    first = half(first);
    last = half(last);
  }
  return last === 0 && equalHashes(hash, claim.root);
}

export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Whether the tree of `first` is the beginning of that of `second`. The RFC speaks of 0 < first < second; trees of equal
 * size have to have equal roots, the empty one is the beginning of all, and for both the proof is empty.
 */
export function verifyConsistency(first: TreeHead, second: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isCount(first.size) || !isCount(second.size) || first.size > second.size) return false;
  if (![first.root, second.root, ...proof].every(isHash)) return false;
  if (first.size === second.size) return proof.length === 0 && equalHashes(first.root, second.root);
  if (first.size === 0) return proof.length === 0 && equalHashes(first.root, EMPTY_ROOT);
  return proof.length > 0 && climb(first, second, isPowerOfTwo(first.size) ? [first.root, ...proof] : proof);
}

function climb(first: TreeHead, second: TreeHead, path: readonly Uint8Array[]): boolean {
  let older = first.size - 1;
  let newer = second.size - 1;
  while (isOdd(older)) {
    older = half(older);
    newer = half(newer);
  }
  let olderHash = path[0] as Uint8Array;
  let newerHash = olderHash;
  for (const hash of path.slice(1)) {
    if (newer === 0) return false;
    if (isOdd(older) || older === newer) {
      olderHash = hashNode(hash, olderHash);
      newerHash = hashNode(hash, newerHash);
      while (!isOdd(older) && older !== 0) {
        older = half(older);
        newer = half(newer);
      }
    } else {
      newerHash = hashNode(newerHash, hash);
    }
    older = half(older);
    newer = half(newer);
  }
  return newer === 0 && equalHashes(olderHash, first.root) && equalHashes(newerHash, second.root);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(hash: Uint8Array): boolean {
  return hash.byteLength === DIGEST_SIZE;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}
