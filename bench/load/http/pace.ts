/** Holds one direction of a slow client at its speed, evenly and without a burst at the start. */
export class Pace {
  readonly #bytesPerMs: number;
  #clearAt = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Counts bytes that moved at `now` and returns for how many milliseconds nothing may move. */
  moved(size: number, now: number): number {
    this.#clearAt = Math.max(this.#clearAt, now) + size / this.#bytesPerMs;
    return this.#clearAt - now;
  }
}
