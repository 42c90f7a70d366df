import { assert } from '../core/assert.ts';
import type { OrgId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { Revocation } from './revocations.ts';
import type { VerifiedToken } from './token-claims.ts';

interface RevocationRow {
  readonly kind: Revocation['kind'];
  readonly org_id: OrgId;
  readonly id: string;
  readonly until_ms: number | null;
}

/** The functions of migrations/000009-access.sql, one round trip each. */
export class PostgresRevocationStore implements RevocationStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async revokeToken(
    scope: Scope,
    { jti, untilMs, atMs }: { readonly jti: string; readonly untilMs: number; readonly atMs: number },
  ): Promise<void> {
    const values = [scope.orgId, scope.principalId, jti, untilMs, limits.tokensForgottenMax, atMs];
    await this.#queries.query('SELECT core.revoke_token($1, $2, $3, $4, $5, $6)', values);
  }

  async isRevoked({ orgId, jti, subject }: Pick<VerifiedToken, 'orgId' | 'jti' | 'subject'>): Promise<boolean> {
    const text = 'SELECT core.is_token_revoked($1, $2, $3) AS revoked';
    const { rows } = await this.#queries.query<{ revoked: boolean }>(text, [orgId, jti, subject]);
    assert(rows[0] !== undefined, 'a token is revoked or not');
    return rows[0].revoked;
  }

  async listRevocations(nowMs: number): Promise<Revocation[]> {
    const text = 'SELECT * FROM core.list_revocations($1, $2)';
    const { rows } = await this.#queries.query<RevocationRow>(text, [limits.revocationsMax + 1, nowMs]);
    return rows.map(({ kind, org_id, id, until_ms }) => ({
      kind,
      orgId: org_id,
      id,
      untilMs: until_ms ?? Number.POSITIVE_INFINITY,
    }));
  }
}
