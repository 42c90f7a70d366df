import type { GroupId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import { type ConnectionPool, withTransaction } from '../database/transaction.ts';
import type { Directory } from './directory.ts';
import type { Group } from './group-store.ts';
import type { Org } from './org-store.ts';
import type { Principal, PrincipalKind } from './principal-store.ts';
import type { Role } from './role.ts';

interface EntryRow<Id> {
  readonly id: Id;
  readonly name: string;
  readonly created_at_ms: number;
}

interface OrgRow extends EntryRow<OrgId> {
  readonly suspended_at_ms: number | null;
}

interface PrincipalRow extends EntryRow<PrincipalId> {
  readonly kind: PrincipalKind;
  readonly subject: string | null;
  readonly roles: readonly Role[];
  readonly suspended_at_ms: number | null;
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
    if (row === undefined) return undefined;
    return {
      orgId: row.id,
      name: row.name,
      createdAtMs: row.created_at_ms,
      suspendedAtMs: row.suspended_at_ms ?? undefined,
    };
  }

  async findPrincipal(scope: Scope, principalId: PrincipalId): Promise<Principal | undefined> {
    const text = `SELECT id, kind, name, subject, roles, quasar.to_ms(created_at) AS created_at_ms,
        quasar.to_ms(suspended_at) AS suspended_at_ms
      FROM core.principal WHERE org_id = $1 AND id = $2`;
    const row = await this.#findRow<PrincipalRow>(scope, text, [scope.orgId, principalId]);
    if (row === undefined) return undefined;
    return {
      principalId: row.id,
      kind: row.kind,
      name: row.name,
      subject: row.subject ?? undefined,
      roles: row.roles,
      createdAtMs: row.created_at_ms,
      suspendedAtMs: row.suspended_at_ms ?? undefined,
    };
  }

  async findGroup(scope: Scope, groupId: GroupId): Promise<Group | undefined> {
    const text = `SELECT id, name, quasar.to_ms(created_at) AS created_at_ms FROM core.principal_group
      WHERE org_id = $1 AND id = $2`;
    const row = await this.#findRow<EntryRow<GroupId>>(scope, text, [scope.orgId, groupId]);
    return row && { groupId: row.id, name: row.name, createdAtMs: row.created_at_ms };
  }

  #findRow<Row extends object>(scope: Scope, text: string, values: readonly unknown[]): Promise<Row | undefined> {
    return withTransaction(this.#pool, scope, async ({ query }) => (await query<Row>(text, values)).rows[0]);
  }
}
