import { assert } from '../core/assert.ts';

/**
 * Where the hashes of RFC 9162's proofs come from, as numbers alone. A proof consists of hashes over ranges of leaves; a
 * range is covered by perfect subtrees, and only those are ever stored. Numbers are exact up to 2^53, so nothing here
 * shifts bits: JavaScript's shifts end at 32.
 */

/** The perfect subtree over the 2^level leaves from index × 2^level on. Level 0 is a leaf. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Leaves from `begin`, `end` excluded; at least one. */
export interface LeafRange {
  readonly begin: number;
  readonly end: number;
}

/** The fewest perfect subtrees that cover the range, from left to right. */
export function subtreesOf({ begin, end }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = begin; at < end; ) {
    let level = 0;
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 <= end) {
      level += 1;
      size *= 2;
    }
    subtrees.push({ level, index: at / size });
    at += size;
  }
  return subtrees;
}

/** Of the hashes on the way from a leaf to the root of the first `size` leaves: PATH of RFC 9162 section 2.1.3.1. */
export function inclusionRanges(leaf: number, size: number): LeafRange[] {
  assertSize(size);
  assert(Number.isSafeInteger(leaf) && leaf >= 0 && leaf < size, 'the leaf is in the tree');
  const ranges: LeafRange[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const split = begin + largestPowerBelow(end - begin);
    if (leaf < split) {
      ranges.push({ begin: split, end });
      end = split;
    } else {
      ranges.push({ begin, end: split });
      begin = split;
    }
  }
  return ranges.reverse();
}

/** Of the hashes that show the first `first` leaves of `second` to be unchanged: PROOF of RFC 9162 section 2.1.4.1. */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  assertSize(second);
  assert(Number.isSafeInteger(first) && first >= 0 && first <= second, 'the older tree is not the larger');
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let begin = 0;
  let end = second;
  while (first < end) {
    const split = begin + largestPowerBelow(end - begin);
    if (first <= split) {
      ranges.push({ begin: split, end });
      end = split;
    } else {
      ranges.push({ begin, end: split });
      begin = split;
    }
  }
  // A complete left part needs no hash of its own: its root is what the verifier has.
  if (begin > 0) ranges.push({ begin, end });
  return ranges.reverse();
}

/** The largest power of two below `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function assertSize(size: number): void {
  assert(Number.isSafeInteger(size) && size >= 0, 'a tree has a whole number of leaves below 2^53');
}
