import type { Arrivals } from './arrivals.ts';
import { type DueRequest, LATE_MS, type RequestNumbers, type RequestSource } from './request-source.ts';

export interface OpenLoopOptions {
  readonly numbers: RequestNumbers;
  readonly arrivals: Arrivals;
  /** In milliseconds from the start of the run. */
  readonly now: () => number;
  readonly warmUpMs: number;
  /** Nothing is due from then on. */
  readonly endMs: number;
}

/**
 * Requests become due at their planned times whether or not a connection is free, and wait in line for one. `pump` is
 * called when `nextAt` has come; it gives out all that is due by then with the times that were planned, not the time it is.
 */
export class OpenLoop implements RequestSource {
  readonly #options: OpenLoopOptions;
  readonly #waiting: DueRequest[] = [];
  #first = 0;
  readonly #idle: ((due: DueRequest | undefined) => void)[] = [];
  #isOver = false;
  queueMax = 0;
  lateCount = 0;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
  }

  /** When the next request is due; undefined when there will be none. */
  get nextAt(): number | undefined {
    return this.#isOver ? undefined : this.#options.arrivals.next;
  }

  pump(): void {
    const { arrivals, endMs, now: clock, numbers, warmUpMs } = this.#options;
    const now = clock();
    while (!this.#isOver && arrivals.next <= now) {
      const plannedAt = arrivals.next;
      const index = plannedAt < endMs ? numbers.next(plannedAt < warmUpMs) : undefined;
      if (index === undefined) {
        this.end();
        return;
      }
      arrivals.advance();
      this.#offer({ index, plannedAt }, now);
    }
  }

  async take(): Promise<DueRequest | undefined> {
    const due = this.#shift();
    if (due !== undefined || this.#isOver) return due;
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  end(): void {
    this.#isOver = true;
    for (const resolve of this.#idle.splice(0)) resolve(undefined);
  }

  rest(): DueRequest[] {
    const rest = this.#waiting.splice(0).slice(this.#first);
    this.#first = 0;
    return rest;
  }

  #offer(due: DueRequest, now: number): void {
    const resolve = this.#idle.shift();
    if (resolve === undefined) {
      this.#waiting.push(due);
      this.queueMax = Math.max(this.queueMax, this.#waiting.length - this.#first);
      return;
    }
    if (now - due.plannedAt > LATE_MS) this.lateCount += 1;
    resolve(due);
  }

  /** What has gone from the front is cleared away now and then: a line of many must not cost its length each time. */
  #shift(): DueRequest | undefined {
    const due = this.#waiting[this.#first];
    if (due === undefined) return undefined;
    this.#first += 1;
    if (this.#first === CLEARED_AT) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    return due;
  }
}

const CLEARED_AT = 1024;
