import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { toTimestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import { askChange } from './postgres-rows.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { VerifiedToken } from './token-claims.ts';

/** The functions of migrations/, one round trip each. */
export class PostgresRevocationStore implements RevocationStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  revokeToken(
    by: Actor,
    { jti, untilMs, atMs }: { readonly jti: string; readonly untilMs: number; readonly atMs: number },
  ): Promise<'revoked' | 'unchanged'> {
    return askChange(this.#queries, by, {
      call: 'core.revoke_token($1, $2, $3, $4, $5, $6)',
      values: [by.orgId, by.principalId, jti, untilMs, limits.tokensForgottenMax, atMs],
      when: ['revoked'],
      deed: { action: 'token.revoke', resource: { kind: 'token', id: jti }, detail: { until: toTimestamp(untilMs) } },
    });
  }

  async isRevoked({ orgId, jti, subject }: Pick<VerifiedToken, 'orgId' | 'jti' | 'subject'>): Promise<boolean> {
    const text = 'SELECT core.is_token_revoked($1, $2, $3) AS revoked';
    const { rows } = await this.#queries.query<{ revoked: boolean }>(text, [orgId, jti, subject]);
    assert(rows[0] !== undefined, 'a token is revoked or not');
    return rows[0].revoked;
  }
}
