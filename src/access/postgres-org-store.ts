import type { Page } from '../catalog/catalog.ts';
import type { Actor, Deed } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { OrgId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction, type Queries } from '../database/transaction.ts';
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
    return this.#change(
      by,
      { action: 'org.create', ...about(orgId), detail: { name, principalId } },
      async (connection, note) => {
        const values = [orgId, name, principalId, principalName, atMs];
        const call = 'core.create_org($1, $2, $3, $4, $5)';
        const outcome = await askOutcome<'created' | 'name_taken'>(connection, call, values);
        if (outcome === 'name_taken') return outcome;
        await note();
        if (first !== undefined) {
          const made = await new PostgresKeyStore(connection).createKey(first.by, first.key);
          assert(made === 'created', 'an administrator who was just made takes a key');
        }
        return outcome;
      },
    );
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
    return this.#change(by, { action: suspended ? 'org.delete' : 'org.resume', ...about(orgId) }, async (connection, note) => {
      const call = 'core.suspend_org($1, $2, $3)';
      const outcome = await askOutcome<'changed' | 'unchanged' | 'org_missing'>(connection, call, [orgId, suspended, atMs]);
      if (outcome === 'changed') await note();
      return outcome;
    });
  }

  /** `work` notes the deed when it has done it: the note then also tells what became of a commit whose answer is lost. */
  #change<T>(by: Actor, deed: Deed, work: (connection: Queries, note: () => Promise<void>) => Promise<T>): Promise<T> {
    const note = by.note(deed);
    const proof = { orgId: by.orgId, eventIds: [note.id] };
    return inTransaction(this.#pool, (connection) => work(connection, () => noteForBoth(connection, by, deed, note)), { proof });
  }
}

function about(orgId: OrgId): Pick<Deed, 'resource'> {
  return { resource: { kind: 'org', id: orgId } };
}
