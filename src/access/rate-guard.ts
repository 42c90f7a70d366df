import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';
import type { RateLimit, RateLimiter } from '../volatile/rate-limiter.ts';

/** Undefined where nothing is limited. */
export interface RateRules {
  readonly requestsPerCredential: RateLimit | undefined;
  readonly requestsPerOrg: RateLimit | undefined;
  readonly bytesPerCredential: RateLimit | undefined;
  readonly bytesPerOrg: RateLimit | undefined;
}

/** On whose account something is taken. */
export interface RateAccount {
  readonly orgId: OrgId;
  /** The id of the API key, or the subject of the token: a new token is no new account. */
  readonly credential: string;
}

/**
 * What a credential and its organisation may ask for within a time. The credential is asked first: one that is over its own
 * limit must not use up what is everybody's. What it was charged is not given back when the organisation then refuses.
 */
export class RateGuard {
  readonly #limiter: RateLimiter;
  readonly #rules: RateRules;

  constructor(limiter: RateLimiter, rules: RateRules) {
    this.#limiter = limiter;
    this.#rules = rules;
  }

  /** Bytes have to be known before they are sent then. */
  get limitsBytes(): boolean {
    return this.#rules.bytesPerCredential !== undefined || this.#rules.bytesPerOrg !== undefined;
  }

  /** Once a request, before anything is done for it. @throws QuasarError `rate_limited`. */
  async takeRequest(account: RateAccount): Promise<void> {
    await this.#take('requests', 1, account);
  }

  /**
   * `size` bytes that will be sent or received, when their number is known and before the first of them.
   * @throws QuasarError `rate_limited`.
   */
  async takeBytes(account: RateAccount, size: number): Promise<void> {
    await this.#take('bytes', size, account);
  }

  async #take(unit: 'requests' | 'bytes', cost: number, { orgId, credential }: RateAccount): Promise<void> {
    const { requestsPerCredential, requestsPerOrg, bytesPerCredential, bytesPerOrg } = this.#rules;
    const [ofCredential, ofOrg] =
      unit === 'requests' ? [requestsPerCredential, requestsPerOrg] : [bytesPerCredential, bytesPerOrg];
    await this.#takeOne(`${unit}/credential/${orgId}/${credential}`, cost, ofCredential, `${unit}_per_credential`);
    await this.#takeOne(`${unit}/org/${orgId}`, cost, ofOrg, `${unit}_per_org`);
  }

  async #takeOne(key: string, cost: number, rule: RateLimit | undefined, limit: string): Promise<void> {
    if (rule === undefined) return;
    const { allowed, retryAfterMs } = await this.#limiter.take(key, cost, rule);
    if (!allowed) throw new QuasarError('rate_limited', { op: 'access.takeRate', details: { limit, retryAfterMs } });
  }
}
