import type { Config } from '../config/config.ts';
import type { RateLimit } from '../volatile/rate-limiter.ts';
import type { RateRules } from './rate-guard.ts';

/** The limits that the configuration sets: its rates, each with the burst of `rates.burst`. */
export function rateRulesOf({ rates }: Pick<Config, 'rates'>): RateRules {
  const limitOf = (perSecond: number): RateLimit | undefined =>
    perSecond === 0 ? undefined : { perSecond, burst: Math.max(1, (perSecond * rates.burstMs) / 1000) };
  return {
    requestsPerCredential: limitOf(rates.requestsPerKey),
    requestsPerOrg: limitOf(rates.requestsPerOrg),
    bytesPerCredential: limitOf(rates.bytesPerKey),
    bytesPerOrg: limitOf(rates.bytesPerOrg),
  };
}
