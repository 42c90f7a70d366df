import type { DueRequest, RequestNumbers, RequestSource } from './request-source.ts';

/** A request is due whenever a connection has time for it. */
export class ClosedLoop implements RequestSource {
  readonly queueMax = 0;
  readonly lateCount = 0;
  readonly #numbers: RequestNumbers;
  readonly #now: () => number;
  readonly #warmUpMs: number;
  #isOver = false;

  /** `now` is in milliseconds from the start of the run. */
  constructor(options: { numbers: RequestNumbers; now: () => number; warmUpMs: number }) {
    this.#numbers = options.numbers;
    this.#now = options.now;
    this.#warmUpMs = options.warmUpMs;
  }

  async take(): Promise<DueRequest | undefined> {
    if (this.#isOver) return undefined;
    const plannedAt = this.#now();
    const index = this.#numbers.next(plannedAt < this.#warmUpMs);
    return index === undefined ? undefined : { index, plannedAt };
  }

  end(): void {
    this.#isOver = true;
  }

  rest(): DueRequest[] {
    return [];
  }
}
