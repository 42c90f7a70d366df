/** A request that is due. */
export interface DueRequest {
  readonly index: number;
  /** In milliseconds from the start of the run. */
  readonly plannedAt: number;
}

/** Where connections get their requests from. */
export interface RequestSource {
  /** Resolves when there is a request for one more connection; undefined when there will be none. */
  take(): Promise<DueRequest | undefined>;
  /** There will be no further ones; those that are due already are still given out. */
  end(): void;
  /** How many were due and waited for a connection, at most. */
  readonly queueMax: number;
  /** How many a free connection sent later than planned by more than `LATE_MS`: our own fault. */
  readonly lateCount: number;
  /** Gives out what still waits, for it to be counted. */
  rest(): DueRequest[];
}

/** Timers are good to a millisecond or two; what is later than this waited for this process. */
export const LATE_MS = 5;

/** Warm-up requests have numbers of their own, so that the measured ones are the same whatever was done before. */
const FIRST_WARM_UP = 2 ** 40;

export function isMeasured({ index }: DueRequest): boolean {
  return index < FIRST_WARM_UP;
}

/** Deals the numbers of requests to one of several workers, each in turn. */
export class RequestNumbers {
  readonly #workers: number;
  readonly #limit: number;
  #measured: number;
  #warmUp: number;

  /** `limit` is the number of measured requests of all workers. */
  constructor({
    worker,
    workers,
    limit = Number.MAX_SAFE_INTEGER,
  }: { worker: number; workers: number; limit: number | undefined }) {
    this.#workers = workers;
    this.#limit = limit;
    this.#measured = worker;
    this.#warmUp = FIRST_WARM_UP + worker;
  }

  /** Undefined when all have been dealt. */
  next(isWarmUp: boolean): number | undefined {
    if (isWarmUp) {
      this.#warmUp += this.#workers;
      return this.#warmUp - this.#workers;
    }
    if (this.#measured >= this.#limit) return undefined;
    this.#measured += this.#workers;
    return this.#measured - this.#workers;
  }
}
