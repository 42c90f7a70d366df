import type { GroupId, PrincipalId, Scope } from '../core/ids.ts';
import { type ConnectionPool, withSnapshot } from '../database/transaction.ts';
import type { Directory } from './directory.ts';
import type { Group } from './group-store.ts';
import { type OrgRow, toOrg } from './org-row.ts';
import type { Org } from './org-store.ts';
import { type PrincipalRow, toPrincipal } from './principal-row.ts';
import type { Principal } from './principal-store.ts';

interface GroupRow {
  readonly id: GroupId;
  readonly name: string;
  readonly created_at_ms: number;
}

/** Asked for by people, now and then: a transaction each, whose org is set by a statement of its own. */
export class PostgresDirectory implements Directory {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async findOrg(scope: Scope): Promise<Org | undefined> {
    const text = `SELECT id, name, quasar.to_ms(created_at) AS created_at_ms, quasar.to_ms(suspended_at) AS suspended_at_ms
      FROM core.org WHERE id = $1`;
    const row = await this.#findRow<OrgRow>(scope, text, [scope.orgId]);
    return row && toOrg(row);
  }

  async findPrincipal(scope: Scope, principalId: PrincipalId): Promise<Principal | undefined> {
    const text = `SELECT id, kind, name, subject, roles, quasar.to_ms(created_at) AS created_at_ms,
        quasar.to_ms(suspended_at) AS suspended_at_ms
      FROM core.principal WHERE org_id = $1 AND id = $2`;
    const row = await this.#findRow<PrincipalRow>(scope, text, [scope.orgId, principalId]);
    return row && toPrincipal(row);
  }

  async findGroup(scope: Scope, groupId: GroupId): Promise<Group | undefined> {
    const text = `SELECT id, name, quasar.to_ms(created_at) AS created_at_ms FROM core.principal_group
      WHERE org_id = $1 AND id = $2`;
    const row = await this.#findRow<GroupRow>(scope, text, [scope.orgId, groupId]);
    return row && { groupId: row.id, name: row.name, createdAtMs: row.created_at_ms };
  }

  #findRow<Row extends object>(scope: Scope, text: string, values: readonly unknown[]): Promise<Row | undefined> {
    return withSnapshot(this.#pool, scope, async ({ query }) => (await query<Row>(text, values)).rows[0]);
  }
}
