import type { RateDecision, RateLimit } from './rate-limiter.ts';

export interface RateStep {
  readonly decision: RateDecision;
  /** Milliseconds, as `now`: when the key has its whole burst again. Unchanged when nothing was taken. */
  readonly fullAt: number;
}

/**
 * One step of the generic cell rate algorithm. Pure.
 * @param fullAt of the step before; anything up to `now` for a key that was never seen.
 */
export function stepOf(fullAt: number, now: number, cost: number, { perSecond, burst }: RateLimit): RateStep {
  const unitMs = 1000 / perSecond;
  const burstMs = burst * unitMs;
  const from = Math.max(fullAt, now);
  const needMs = Math.min(cost, burst) * unitMs;
  // Times of this size have steps of a millionth of a millisecond or less: a unit that is due must not fail by one.
  const waitMs = from + needMs - burstMs - now - ROUNDING_MS;
  if (cost > 0 && waitMs > 0) {
    const decision = { allowed: false, retryAfterMs: Math.ceil(waitMs), remaining: unitsIn(now + burstMs - from, unitMs) };
    return { decision, fullAt: from };
  }
  const next = from + cost * unitMs;
  return { decision: { allowed: true, retryAfterMs: 0, remaining: unitsIn(now + burstMs - next, unitMs) }, fullAt: next };
}

function unitsIn(ms: number, unitMs: number): number {
  return Math.max(0, Math.floor((ms + ROUNDING_MS) / unitMs));
}

const ROUNDING_MS = 1e-5;
