/**
 * Chance that can be repeated: the same seed and index give the same throws, in any process and in any order.
 * The generator is Mulberry32, started from both mixed by MurmurHash3's last step; good enough for choices, not for secrets.
 */
export class Dice {
  #state: number;

  /** `seed` and `index` are whole numbers below 2^53. */
  constructor(seed: number, index: number) {
    let state = 0x9e3779b9;
    for (const word of [seed >>> 0, Math.floor(seed / 2 ** 32), index >>> 0, Math.floor(index / 2 ** 32)])
      state = mix((state ^ word) + 0x9e3779b9);
    this.#state = state;
  }

  /** Even in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** Mean 0, deviation 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Mean 1. */
  exponential(): number {
    return -Math.log(1 - this.next());
  }
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
