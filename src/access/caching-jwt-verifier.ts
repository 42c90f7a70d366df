import { hash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import type { VerifiedToken } from './token-claims.ts';

interface Kept {
  readonly token: VerifiedToken;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Spares tokens that were verified a moment ago another check of their signature. Never keeps a refusal, nor a token itself:
 * only its SHA-256.
 *
 * Holds at most `limits.verifiedTokensMax`, in two halves: when the newer is full, the older is dropped.
 */
export class CachingJwtVerifier implements JwtVerifier {
  readonly #inner: JwtVerifier;
  readonly #clock: Clock;
  #newer = new Map<string, Kept>();
  #older = new Map<string, Kept>();

  constructor(inner: JwtVerifier, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  get count(): number {
    return this.#newer.size + this.#older.size;
  }

  async verify(token: string): Promise<VerifiedToken> {
    const digest = hash('sha256', token, 'base64');
    const kept = this.#newer.get(digest) ?? this.#older.get(digest);
    const now = this.#clock.now();
    // A clock that was set back is for the inner verifier to judge.
    if (kept !== undefined && now >= kept.fromMs && now < kept.untilMs) return kept.token;
    const verified = await this.#inner.verify(token);
    this.#keep(digest, { token: verified, fromMs: now, untilMs: Math.min(now + limits.verifiedTokenMs, verified.takenUntilMs) });
    return verified;
  }

  #keep(digest: string, kept: Kept): void {
    this.#older.delete(digest);
    if (this.#newer.size >= limits.verifiedTokensMax / 2) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(digest, kept);
  }
}
