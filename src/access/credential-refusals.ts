import type { EventWindows } from '../audit/event-windows.ts';
import { networkOf } from '../config/ip-address.ts';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { RateLimit, RateLimiter } from '../volatile/rate-limiter.ts';
import type { BearerFault, ClaimedToken } from './bearer-fault.ts';

export interface CredentialRefusalsOptions {
  readonly windows: Pick<EventWindows, 'note'>;
  /** In whose log they stand: nobody knows whose they are. */
  readonly operatorOrgId: OrgId;
  /** Undefined: as many as one likes. */
  readonly rate: { readonly limiter: RateLimiter; readonly rule: RateLimit } | undefined;
  readonly clock: Clock;
}

/** From where a credential came, and under which request. */
export interface Arrival {
  readonly requestId: string;
  readonly address: string | undefined;
}

export interface CredentialRefusal extends Arrival {
  readonly kind: 'api-key' | 'token' | 'malformed';
  readonly reason: BearerFault;
  /** What the first of them said about itself. */
  readonly claims?: { readonly keyId: string } | ClaimedToken | undefined;
}

/**
 * Credentials that nobody is known by. How many an address may try is limited before anything is looked up; those that were
 * tried leave one event for each address and reason within five minutes, and are counted.
 */
export class CredentialRefusals {
  readonly #options: CredentialRefusalsOptions;
  /** Until when an address has a window of its own, in the order in which they end. */
  readonly #addresses = new Map<string, number>();

  constructor(options: CredentialRefusalsOptions) {
    this.#options = options;
  }

  /** Before a credential is looked at that was not good here before. @throws QuasarError `rate_limited`. */
  async admit({ address }: Arrival): Promise<void> {
    const { rate } = this.#options;
    if (rate === undefined) return;
    const { allowed, retryAfterMs } = await rate.limiter.take(accountOf(address), 1, rate.rule);
    if (allowed) return;
    throw new QuasarError('rate_limited', {
      op: 'access.authenticate',
      details: { limit: 'refused_credentials_per_address', retryAfterMs },
    });
  }

  /** It was not refused: only those that are count. */
  giveBack({ address }: Arrival): void {
    const { rate } = this.#options;
    rate?.limiter.giveBack(accountOf(address), 1, rate.rule);
  }

  /** @throws QuasarError when it cannot be stored; then it is not answered either. */
  async note({ kind, reason, requestId, address, claims }: CredentialRefusal): Promise<void> {
    const { windows, operatorOrgId: orgId } = this.#options;
    const principal = { kind: 'anonymous', id: kind } as const;
    const own = address !== undefined && this.#hasWindow(`${address} ${reason}`);
    const deed = {
      action: 'session.authenticate',
      resource: { kind: 'org', id: orgId },
      ...(claims === undefined ? {} : { detail: { first: { ...claims } } }),
    } as const;
    const context = { orgId, principal, outcome: 'denied', reason, requestId } as const;
    await windows.note(own ? { ...context, address } : context, deed, 0);
  }

  /** With too many addresses at once the rest share a window that names none. */
  #hasWindow(key: string): boolean {
    const now = this.#options.clock.monotonic();
    for (const [other, endsAt] of this.#addresses) {
      if (endsAt > now) break;
      this.#addresses.delete(other);
    }
    if (this.#addresses.has(key)) return true;
    if (this.#addresses.size >= limits.refusalWindowsMax) return false;
    this.#addresses.set(key, now + limits.auditWindowMs);
    return true;
  }
}

function accountOf(address: string | undefined): string {
  return `refusals/address/${address === undefined ? 'unknown' : networkOf(address)}`;
}
