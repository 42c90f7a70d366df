import { assert } from '../core/assert.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import { askOutcome } from './postgres-rows.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { VerifiedToken } from './token-claims.ts';

/** The functions of migrations/, one round trip each. */
export class PostgresRevocationStore implements RevocationStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  revokeToken(
    scope: Scope,
    { jti, untilMs, atMs }: { readonly jti: string; readonly untilMs: number; readonly atMs: number },
  ): Promise<'revoked' | 'unchanged'> {
    const values = [scope.orgId, scope.principalId, jti, untilMs, limits.tokensForgottenMax, atMs];
    return askOutcome(this.#queries, 'core.revoke_token($1, $2, $3, $4, $5, $6)', values);
  }

  async isRevoked({ orgId, jti, subject }: Pick<VerifiedToken, 'orgId' | 'jti' | 'subject'>): Promise<boolean> {
    const text = 'SELECT core.is_token_revoked($1, $2, $3) AS revoked';
    const { rows } = await this.#queries.query<{ revoked: boolean }>(text, [orgId, jti, subject]);
    assert(rows[0] !== undefined, 'a token is revoked or not');
    return rows[0].revoked;
  }
}
