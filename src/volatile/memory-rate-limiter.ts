import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { stepOf } from './gcra.ts';
import type { RateDecision, RateLimit, RateLimiter } from './rate-limiter.ts';

export interface MemoryRateLimiterOptions {
  readonly clock: Clock;
  /** Keys remembered at once. */
  readonly keysMax: number;
}

/**
 * Rate limits of one process. Keeps only keys that have taken something they have not yet got back: each new key makes a hand
 * go round over a few of the others, and those that are full again are forgotten. Should more keys than `keysMax` be short of
 * something at once, the one of those few that is nearest to full is forgotten, and gets the rest of its burst as a present.
 */
export class MemoryRateLimiter implements RateLimiter {
  readonly #options: MemoryRateLimiterOptions;
  readonly #startedAt: number;
  /** When each key is full again, in milliseconds since the start, whose smallness keeps fractions exact. */
  readonly #fullAt = new Map<string, number>();
  /** Goes on where it stopped, whatever was added or removed: beginning anew each time would pass all that was removed. */
  #hand: MapIterator<[string, number]>;

  constructor(options: MemoryRateLimiterOptions) {
    assert(options.keysMax > 0, 'a rate limiter remembers a key at least');
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#hand = this.#fullAt.entries();
  }

  get count(): number {
    return this.#fullAt.size;
  }

  async take(key: string, cost: number, limit: RateLimit): Promise<RateDecision> {
    assert(Number.isFinite(cost) && cost >= 0, 'a cost is a number from 0');
    assert(Number.isFinite(limit.perSecond) && limit.perSecond > 0, 'what was taken comes back');
    assert(Number.isFinite(limit.burst) && limit.burst >= 1, 'a burst holds one unit at least');
    // Monotonic: a clock that is set must neither open nor close a key.
    const now = this.#options.clock.monotonic() - this.#startedAt;
    const known = this.#fullAt.get(key);
    const { decision, fullAt } = stepOf(known ?? now, now, cost, limit);
    if (fullAt <= now) {
      this.#fullAt.delete(key);
    } else {
      if (known === undefined) this.#makeRoom(now);
      this.#fullAt.set(key, fullAt);
    }
    return decision;
  }

  giveBack(key: string, cost: number, { perSecond }: RateLimit): void {
    const known = this.#fullAt.get(key);
    if (known === undefined) return;
    const fullAt = known - (cost * 1000) / perSecond;
    if (fullAt <= this.#options.clock.monotonic() - this.#startedAt) this.#fullAt.delete(key);
    else this.#fullAt.set(key, fullAt);
  }

  #makeRoom(now: number): void {
    let nearest: string | undefined;
    let nearestAt = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < LOOK_AT && this.#fullAt.size > 0; looked++) {
      const [key, fullAt] = this.#next();
      if (fullAt <= now) this.#fullAt.delete(key);
      else if (fullAt < nearestAt) [nearest, nearestAt] = [key, fullAt];
    }
    if (this.#fullAt.size >= this.#options.keysMax && nearest !== undefined) this.#fullAt.delete(nearest);
  }

  /** The key after the last one; there is one at least. */
  #next(): [string, number] {
    for (;;) {
      const { done, value } = this.#hand.next();
      if (done !== true) return value;
      this.#hand = this.#fullAt.entries();
    }
  }
}

/** More than one, so that forgetting is faster than remembering. */
const LOOK_AT = 4;
