/** How fast a scrub may and must go. */
export interface PaceRule {
  /** Bytes a second below which it never plans to go: a small store is done soon, and rests. */
  readonly rateMin: number;
  /** Bytes a second it never exceeds, be it late or not. */
  readonly rateMax: number;
}

export interface PaceState {
  /** Bytes of this pass that are still to be read. */
  readonly remainingBytes: number;
  /** Until this pass should be done; zero or less when it is late. */
  readonly remainingMs: number;
}

/** Part of the time in which a scrub expects to get its turn; the rest belongs to requests. */
const SHARE_OF_TIME = 0.5;
/** After a read the disk is left alone for so many times as long. A disk that is busy with others answers slowly. */
const REST_PER_READ = 3;

/** Bytes a second to plan with: enough to be done in time, within the bounds of the rule. */
export function plannedRate({ rateMin, rateMax }: PaceRule, { remainingBytes, remainingMs }: PaceState): number {
  const needed = remainingMs > 0 ? (remainingBytes * 1000) / (remainingMs * SHARE_OF_TIME) : Number.POSITIVE_INFINITY;
  return Math.min(rateMax, Math.max(rateMin, needed));
}

/** How long to rest after `bytes` were read in `readMs`, the hashing and all else included in `spentMs`. */
export function restAfter(rate: number, read: { bytes: number; readMs: number; spentMs: number }): number {
  return Math.max((read.bytes * 1000) / rate - read.spentMs, read.readMs * REST_PER_READ, 0);
}
