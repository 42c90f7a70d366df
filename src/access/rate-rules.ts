import type { Config } from '../config/config.ts';
import type { RateLimit } from '../volatile/rate-limiter.ts';
import type { RateRules } from './rate-guard.ts';

/** How many credentials that nobody is known by one address may try. */
export function refusalRateOf({ rates }: Pick<Config, 'rates'>): RateLimit | undefined {
  return limitOf(rates.refusalsPerAddress, rates.burstMs);
}

/** The limits that the configuration sets: its rates, each with the burst of `rates.burst`. */
export function rateRulesOf({ rates }: Pick<Config, 'rates'>): RateRules {
  return {
    requestsPerCredential: limitOf(rates.requestsPerKey, rates.burstMs),
    requestsPerOrg: limitOf(rates.requestsPerOrg, rates.burstMs),
    bytesPerCredential: limitOf(rates.bytesPerKey, rates.burstMs),
    bytesPerOrg: limitOf(rates.bytesPerOrg, rates.burstMs),
  };
}

function limitOf(perSecond: number, burstMs: number): RateLimit | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst: Math.max(1, (perSecond * burstMs) / 1000) };
}
