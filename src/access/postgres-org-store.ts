import type { Page } from '../catalog/catalog.ts';
import type { Actor, Deed } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { OrgId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction } from '../database/transaction.ts';
import { noteForBoth } from './note-for-both.ts';
import { type OrgRow, toOrg } from './org-row.ts';
import type { FirstKey, NewOrg, Org, OrgStore } from './org-store.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { askOutcome, pageOf } from './postgres-rows.ts';

/** The functions of migrations/. A change and its notes in two logs are one transaction. */
export class PostgresOrgStore implements OrgStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  createOrg(by: Actor, org: NewOrg, first?: FirstKey): Promise<'created' | 'name_taken'> {
    const { orgId, name, principalId, principalName, atMs } = org;
    return inTransaction(this.#pool, async (connection) => {
      const values = [orgId, name, principalId, principalName, atMs];
      const call = 'core.create_org($1, $2, $3, $4, $5)';
      const outcome = await askOutcome<'created' | 'name_taken'>(connection, call, values);
      if (outcome === 'name_taken') return outcome;
      await noteForBoth(connection, by, { action: 'org.create', ...about(orgId), detail: { name, principalId } });
      if (first !== undefined) {
        const made = await new PostgresKeyStore(connection).createKey(first.by, first.key);
        assert(made === 'created', 'an administrator who was just made takes a key');
      }
      return outcome;
    });
  }

  async listOrgs({ limit, after }: { readonly limit: number; readonly after: string | undefined }): Promise<Page<Org>> {
    const { rows } = await this.#pool.query<OrgRow>('SELECT * FROM core.list_orgs($1, $2)', [after ?? null, limit + 1]);
    return pageOf(rows, limit, toOrg);
  }

  suspendOrg(
    by: Actor,
    orgId: OrgId,
    { suspended, atMs }: { readonly suspended: boolean; readonly atMs: number },
  ): Promise<'changed' | 'unchanged' | 'org_missing'> {
    return inTransaction(this.#pool, async (connection) => {
      const call = 'core.suspend_org($1, $2, $3)';
      const outcome = await askOutcome<'changed' | 'unchanged' | 'org_missing'>(connection, call, [orgId, suspended, atMs]);
      const action = suspended ? 'org.delete' : 'org.resume';
      if (outcome === 'changed') await noteForBoth(connection, by, { action, ...about(orgId) });
      return outcome;
    });
  }
}

function about(orgId: OrgId): Pick<Deed, 'resource'> {
  return { resource: { kind: 'org', id: orgId } };
}
