import type { Actor } from '../core/actor.ts';
import type { VerifiedToken } from './token-claims.ts';

/** Tokens that were revoked before their end. Other processes hear of each (access-change.ts). */
export interface RevocationStore {
  /**
   * Revokes one token. `untilMs`: when nobody would take it any more, as `takenUntilMs` of a verified token; it is forgotten
   * then. Twice is the same; the later end counts, and `unchanged` says that it was known. Noted with the `jti`, which has no
   * control characters.
   */
  revokeToken(
    by: Actor,
    token: { readonly jti: string; readonly untilMs: number; readonly atMs: number },
  ): Promise<'revoked' | 'unchanged'>;
  /** Whether the token itself, its principal or its org is. A subject nobody knows is not. */
  isRevoked(token: Pick<VerifiedToken, 'orgId' | 'jti' | 'subject'>): Promise<boolean>;
}
