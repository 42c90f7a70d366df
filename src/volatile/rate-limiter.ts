/** How much of something (requests, bytes) may be taken. */
export interface RateLimit {
  /** Units that come back each second; above 0, fractions are fine. */
  readonly perSecond: number;
  /** Units that may be taken at once after a pause; at least 1. */
  readonly burst: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  /** Whole milliseconds, rounded up, after which the same request would be allowed if nothing else were taken; 0 when it is. */
  readonly retryAfterMs: number;
  /** Whole units that could be taken right now. */
  readonly remaining: number;
}

/**
 * Counts what each key takes, by the generic cell rate algorithm (ITU-T I.371, in its form as a virtual schedule): one number a
 * key, the time at which it will have its whole burst again. What is counted may be lost with a restart.
 * Implementations pass test/contract/rate-limiter.contract.ts.
 */
export interface RateLimiter {
  /**
   * Takes `cost` units, or nothing when that is too many. The decision for one key is one step: two callers never get the
   * same units. A cost of 0 takes nothing and tells what remains.
   *
   * A cost above the burst could never be paid at once. It is allowed when the whole burst is there, and the key then waits
   * until all of it has come back: 100 MB at 10 MB/s close the key for 10 s.
   * @param key at most a few hundred characters; says what is counted and for whom, as `bytes/org/<id>`. A key has one limit;
   * when that is changed, what was taken under the old one keeps its time.
   */
  take(key: string, cost: number, limit: RateLimit): Promise<RateDecision>;

  /** Puts back what was taken and turned out not to count. Nobody waits for it, and it may be lost. */
  giveBack(key: string, cost: number, limit: RateLimit): void;
}
