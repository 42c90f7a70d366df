import { blake3 } from './blake3.ts';
import { DIGEST_SIZE } from './digest.ts';

/**
 * The Merkle tree of RFC 9162 section 2.1.1 with BLAKE3-256 as its hash: leaf `H(0x00 ‖ content)`, node
 * `H(0x01 ‖ left ‖ right)`, the left part of n leaves being the largest power of two below n; no leaves: `H()`.
 * Takes leaves one by one and keeps one hash per level, so a stream of any length needs O(log n) memory.
 */
export class MerkleTree {
  /** Roots of the full subtrees so far, the largest first: one for each set bit of `#count`. */
  readonly #peaks: Uint8Array[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(leafHash: Uint8Array): void {
    let hash = leafHash;
    for (let bits = this.#count; bits % 2 === 1; bits = Math.floor(bits / 2)) {
      hash = hashNode(this.#peaks.pop() as Uint8Array, hash);
    }
    this.#peaks.push(hash);
    this.#count += 1;
  }

  /** The root over all leaves so far; more may follow. */
  root(): Uint8Array {
    let hash = this.#peaks.at(-1);
    if (hash === undefined) return blake3(new Uint8Array(0));
    for (let level = this.#peaks.length - 2; level >= 0; level--) hash = hashNode(this.#peaks[level] as Uint8Array, hash);
    return hash;
  }
}

/** `prefixed` starts with a spare byte for the leaf's domain, so that no copy is needed. */
export function hashLeaf(prefixed: Uint8Array): Uint8Array {
  prefixed[0] = LEAF;
  return blake3(prefixed);
}

export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const node = new Uint8Array(1 + 2 * DIGEST_SIZE);
  node[0] = NODE;
  node.set(left, 1);
  node.set(right, 1 + DIGEST_SIZE);
  return blake3(node);
}

const LEAF = 0x00;
const NODE = 0x01;
