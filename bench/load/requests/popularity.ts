/**
 * Which of `count` documents is read: the k-th has weight 1 / k^exponent (Zipf); exponent 0 makes all alike.
 * Finds by bisection.
 */
export class Popularity {
  readonly #upTo: Float64Array;

  constructor(count: number, exponent: number) {
    this.#upTo = new Float64Array(count);
    let total = 0;
    for (let index = 0; index < count; index += 1) {
      total += 1 / (index + 1) ** exponent;
      this.#upTo[index] = total;
    }
  }

  /** The index that a throw in [0, 1) falls on. */
  pick(thrown: number): number {
    const wanted = thrown * (this.#upTo.at(-1) ?? 0);
    let low = 0;
    let high = this.#upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#upTo[middle] as number) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
