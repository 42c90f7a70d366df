import type { BlockId } from '../core/digest.ts';

/**
 * Many block ids in 8 bytes each, to tell whether a block is there at all. Compares the first 64 bits: ids are hashes,
 * so two blocks that share them do not happen by chance.
 */
export class IdSet {
  #prefixes = new BigUint64Array(1024);
  #count = 0;
  #sorted = true;

  add(id: BlockId): void {
    if (this.#count === this.#prefixes.length) {
      const larger = new BigUint64Array(this.#count * 2);
      larger.set(this.#prefixes);
      this.#prefixes = larger;
    }
    this.#prefixes[this.#count] = prefixOf(id);
    this.#count += 1;
    this.#sorted = false;
  }

  has(id: BlockId): boolean {
    if (!this.#sorted) this.#prefixes.subarray(0, this.#count).sort();
    this.#sorted = true;
    const wanted = prefixOf(id);
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#prefixes[middle] as bigint) < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#prefixes[low] === wanted;
  }
}

function prefixOf(id: BlockId): bigint {
  return BigInt(`0x${id.slice(0, 16)}`);
}
