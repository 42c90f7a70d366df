import { randomInt } from 'node:crypto';

/** Draws that repeat: the same seed gives the same ones, in the order they are asked for. */
export class Dice {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed;
  }

  /** A number from 0 to below 1 (mulberry32). */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number; both bounds are among them. */
  int(least: number, most: number): number {
    return least + Math.floor(this.roll() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.roll() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)] as T;
  }
}

/** Seeded by QUASAR_TEST_SEED, else anew; the seed is told, so that a run that failed can be repeated. */
export function openDice(tell: (line: string) => void): Dice {
  const given = process.env.QUASAR_TEST_SEED;
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`QUASAR_TEST_SEED must be a whole number, not ${given}`);
  tell(`seed ${seed}`);
  return new Dice(seed);
}
