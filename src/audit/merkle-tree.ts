import { assert } from '../core/assert.ts';
import { EMPTY_ROOT, hashNode, type TreeHash } from './merkle-hash.ts';
import { consistencyRanges, inclusionRanges, type LeafRange, type Subtree, subtreesOf } from './tree-ranges.ts';

/**
 * The Merkle tree of RFC 9162 section 2.1 over an audit log.
 *
 * What is kept is the hash of every perfect subtree, one row (level, index, hash) each; level 0 belongs to the leaf's own
 * row, so n events need fewer than n further rows. Such a row never changes once its last leaf is there: the table takes
 * INSERT only, which is also all its role may do, a lost row is computed again from its two children, and every root and
 * proof of any past size is a look-up of O(log n) rows by key. Tiles of 256 hashes would be fewer rows, but the last of each
 * level would be rewritten with every batch.
 */
export interface TreeHashes {
  /**
   * The hashes of perfect subtrees, in the order they are asked for; one call a root or proof.
   * @throws QuasarError when one is missing: a tree of that size does not exist, or rows were lost.
   */
  getSubtrees(subtrees: readonly Subtree[]): Promise<readonly TreeHash[]>;
}

export interface HashedSubtree extends Subtree {
  readonly hash: TreeHash;
}

/** The right edge of a growing tree: what has to be in memory to append to it. O(log n) hashes. */
export class TreeFrontier {
  /** Of `subtreesOf` all leaves so far, so the largest first. */
  readonly #peaks: TreeHash[];
  #size: number;

  private constructor(size: number, peaks: TreeHash[]) {
    this.#size = size;
    this.#peaks = peaks;
  }

  static empty(): TreeFrontier {
    return new TreeFrontier(0, []);
  }

  /** @throws what `hashes` throws. */
  static async load(hashes: TreeHashes, size: number): Promise<TreeFrontier> {
    const peaks = size === 0 ? [] : await hashes.getSubtrees(subtreesOf({ begin: 0, end: size }));
    return new TreeFrontier(size, [...peaks]);
  }

  get size(): number {
    return this.#size;
  }

  /** Returns the subtrees above the leaf that it made complete, lowest first: the rows to store beside the leaf's own. */
  append(leafHash: TreeHash): HashedSubtree[] {
    const completed: HashedSubtree[] = [];
    let hash = leafHash;
    let index = this.#size;
    for (let level = 1; index % 2 === 1; level++) {
      hash = hashNode(this.#peaks.pop() as TreeHash, hash);
      index = (index - 1) / 2;
      completed.push({ level, index, hash });
    }
    this.#peaks.push(hash);
    this.#size += 1;
    return completed;
  }

  root(): TreeHash {
    return this.#peaks.length === 0 ? EMPTY_ROOT : foldPeaks(this.#peaks);
  }

  /** Grows by itself from here on. */
  copy(): TreeFrontier {
    return new TreeFrontier(this.#size, [...this.#peaks]);
  }
}

/** The root over the first `size` leaves. @throws what `hashes` throws. */
export async function rootAt(hashes: TreeHashes, size: number): Promise<TreeHash> {
  return (await TreeFrontier.load(hashes, size)).root();
}

/** Shows that a leaf is in the tree of the first `size` leaves; `leaf` counts from 0 and is below `size`. @throws what `hashes` throws. */
export function proveInclusion(hashes: TreeHashes, leaf: number, size: number): Promise<TreeHash[]> {
  return hashesOf(hashes, inclusionRanges(leaf, size));
}

/** Shows that the tree of `first` leaves is the beginning of that of `second`, which is no smaller. @throws what `hashes` throws. */
export function proveConsistency(hashes: TreeHashes, first: number, second: number): Promise<TreeHash[]> {
  return hashesOf(hashes, consistencyRanges(first, second));
}

async function hashesOf(hashes: TreeHashes, ranges: readonly LeafRange[]): Promise<TreeHash[]> {
  if (ranges.length === 0) return [];
  const covers = ranges.map(subtreesOf);
  const found = await hashes.getSubtrees(covers.flat());
  assert(found.length === covers.flat().length, 'every subtree asked for has an answer');
  let at = 0;
  return covers.map((cover) => {
    at += cover.length;
    return foldPeaks(found.slice(at - cover.length, at));
  });
}

/** The root over perfect subtrees of falling size, from the right: each is the left part beside all smaller ones. */
function foldPeaks(peaks: readonly TreeHash[]): TreeHash {
  return peaks.reduceRight((right, left) => hashNode(left, right));
}
