import { type Clock, systemClock } from '../../src/core/clock.ts';

/** Moves only when it is told to; its randomness is real. */
export function standingClock(): Clock & { advance(ms: number): void } {
  let now = systemClock.now();
  return {
    ...systemClock,
    now: () => now,
    monotonic: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}
