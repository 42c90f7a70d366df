import type { Loop } from '../plan/plan.ts';
import { Dice } from './dice.ts';

/** The times at which one worker's requests are due, in milliseconds from the start of the run, rising. */
export class Arrivals {
  readonly #gapMs: number;
  readonly #dice: Dice | undefined;
  #next: number;

  constructor(
    loop: Extract<Loop, { kind: 'open' }>,
    { seed, worker, workers }: { seed: number; worker: number; workers: number },
  ) {
    this.#gapMs = (1000 * workers) / loop.rate;
    this.#dice = loop.arrivals === 'poisson' ? new Dice(seed, ARRIVALS + worker) : undefined;
    // Workers take turns.
    this.#next = this.#dice === undefined ? (this.#gapMs * worker) / workers : this.#gap();
  }

  /** When the next one is due. */
  get next(): number {
    return this.#next;
  }

  /** Goes on to the one after. */
  advance(): void {
    this.#next += this.#gap();
  }

  #gap(): number {
    return this.#dice === undefined ? this.#gapMs : this.#gapMs * this.#dice.exponential();
  }
}

/** Apart from the numbers of requests and documents. */
const ARRIVALS = 2 ** 50;
