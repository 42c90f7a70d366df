import type { VerifiedToken } from './token-claims.ts';

/** Turns a JWT into what it says, once that can be believed. */
export interface JwtVerifier {
  /**
   * Whether the token or whom it names has been revoked is not looked at here: `RevocationStore.isRevoked` does.
   * @throws QuasarError `unauthenticated` with a reason; `identity_unavailable` when the keys to check it with cannot be had.
   */
  verify(token: string): Promise<VerifiedToken>;
}
