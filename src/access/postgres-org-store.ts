import { decodeEvent, encodeEvent } from '../audit/event.ts';
import type { Page } from '../catalog/catalog.ts';
import type { Actor, AuditNote, Deed } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { OrgId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction, type Queries } from '../database/transaction.ts';
import { Fault } from '../segment/fault.ts';
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

/** In the log of the actor's org, and in that of the org it is about. */
async function noteForBoth(connection: Queries, by: Actor, deed: Deed): Promise<void> {
  const about = deed.resource.id as OrgId;
  await append(connection, by.orgId, by.note(deed));
  if (about !== by.orgId) await append(connection, about, readdressed(by.note(deed), about));
}

/** Row-level security takes an event only for the org that is set. */
async function append(connection: Queries, orgId: OrgId, { id, bytes }: AuditNote): Promise<void> {
  await connection.query("SELECT set_config('app.org_id', $1, true)", [orgId]);
  await connection.query('SELECT audit.append($1, $2, $3)', [orgId, [id], [Buffer.from(bytes)]]);
}

/** The note as an event of another org's log. */
function readdressed({ id, bytes }: AuditNote, orgId: OrgId): AuditNote {
  const event = decodeEvent(bytes);
  assert(!(event instanceof Fault), 'a note is an event');
  return { id, bytes: encodeEvent({ ...event, orgId }) };
}
