import t from 'tap';
import { MemoryRateLimiter } from '../../src/volatile/memory-rate-limiter.ts';
import { standingClock } from '../helpers/standing-clock.ts';
import { rateLimiterContract } from './rate-limiter.contract.ts';

const clock = standingClock();
rateLimiterContract(t, {
  limiter: new MemoryRateLimiter({ clock, keysMax: 1000 }),
  advance: async (ms) => clock.advance(ms),
});
