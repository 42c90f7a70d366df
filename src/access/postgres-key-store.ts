import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { capabilityNames, parseCapabilityMask } from '../core/capability.ts';
import { toTimestamp } from '../core/clock.ts';
import type { KeyId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import type { FoundKey, KeyStore, ListedKey, NewKey } from './key-store.ts';
import { askChange, pageOf } from './postgres-rows.ts';

interface KeyRow {
  readonly id: KeyId;
  readonly principal_id: PrincipalId;
  readonly name: string;
  readonly scope: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly last_used_at_ms: number | null;
}

interface FoundRow {
  readonly org_id: OrgId;
  readonly principal_id: PrincipalId;
  readonly scope: number;
  readonly mac: Buffer;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly last_used_at_ms: number | null;
  readonly suspended: boolean;
}

/** The functions of migrations/000009-access.sql, one round trip each. */
export class PostgresKeyStore implements KeyStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  createKey(by: Actor, key: NewKey): Promise<'created' | 'principal_missing' | 'keys_full'> {
    const { keyId, principalId, name, scope, expiresAtMs, atMs } = key;
    const mac = Buffer.from(key.mac).toString('hex');
    const ends = expiresAtMs ?? null;
    const expiresAt = ends === null ? null : toTimestamp(ends);
    return askChange(this.#queries, by, {
      call: 'core.create_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
      values: [by.orgId, by.principalId, keyId, principalId, name, scope, mac, ends, limits.apiKeysMax, atMs],
      when: ['created'],
      deed: {
        action: 'key.create',
        resource: { kind: 'key', id: keyId },
        detail: { principalId, name, scope: capabilityNames(scope), expiresAt },
      },
    });
  }

  revokeKey(by: Actor, keyId: KeyId, atMs: number): Promise<'revoked' | 'unchanged' | 'key_missing'> {
    return askChange(this.#queries, by, {
      call: 'core.revoke_key($1, $2, $3, $4)',
      values: [by.orgId, by.principalId, keyId, atMs],
      when: ['revoked'],
      deed: { action: 'key.revoke', resource: { kind: 'key', id: keyId } },
    });
  }

  async listKeys(
    scope: Scope,
    principalId: PrincipalId | undefined,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<ListedKey>> {
    const values = [scope.orgId, principalId ?? null, after ?? null, limit + 1];
    const { rows } = await this.#queries.query<KeyRow>('SELECT * FROM core.list_keys($1, $2, $3, $4)', values);
    return pageOf(rows, limit, toListedKey);
  }

  async findKey(keyId: KeyId): Promise<FoundKey | undefined> {
    const { rows } = await this.#queries.query<FoundRow>('SELECT * FROM core.find_api_key($1)', [keyId]);
    return rows[0] && toFoundKey(rows[0]);
  }

  async noteUse(orgId: OrgId, keyId: KeyId, atMs: number): Promise<boolean> {
    const text = 'SELECT core.note_key_use($1, $2, $3, $4) AS noted';
    const { rows } = await this.#queries.change<{ noted: boolean }>(text, [orgId, keyId, atMs, limits.keyUseIntervalMs]);
    assert(rows[0] !== undefined, 'a use was noted or not');
    return rows[0].noted;
  }
}

function toListedKey(row: KeyRow): ListedKey {
  return {
    keyId: row.id,
    principalId: row.principal_id,
    name: row.name,
    scope: parseCapabilityMask(row.scope),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms ?? undefined,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
  };
}

function toFoundKey(row: FoundRow): FoundKey {
  return {
    orgId: row.org_id,
    principalId: row.principal_id,
    scope: parseCapabilityMask(row.scope),
    mac: row.mac,
    expiresAt: row.expires_at_ms ?? undefined,
    revokedAt: row.revoked_at_ms ?? undefined,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
    suspended: row.suspended,
  };
}
