import type { Scope } from '../core/ids.ts';
import type { Revocation } from './revocations.ts';
import type { VerifiedToken } from './token-claims.ts';

/** What is revoked, as the database has it: for when the memory of this process (`Revocations`) cannot tell, and to fill it. */
export interface RevocationStore {
  /**
   * Revokes one token. `untilMs`: when nobody would take it any more, as `takenUntilMs` of a verified token; it is forgotten
   * then. Twice is the same; the later end counts.
   */
  revokeToken(scope: Scope, token: { readonly jti: string; readonly untilMs: number; readonly atMs: number }): Promise<void>;
  /** Whether the token itself, its principal or its org is. A subject nobody knows is not. */
  isRevoked(token: Pick<VerifiedToken, 'orgId' | 'jti' | 'subject'>): Promise<boolean>;
  /** Of all orgs: `Revocations.reload` takes it. One more than `limits.revocationsMax` at most, which tells of those left out. */
  listRevocations(nowMs: number): Promise<Revocation[]>;
}
