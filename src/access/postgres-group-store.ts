import type { Page } from '../catalog/catalog.ts';
import type { GroupId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import type { AddOutcome, Group, GroupMember, GroupStore, NewGroup } from './group-store.ts';
import { askOutcome, pageOf } from './postgres-rows.ts';

interface GroupRow {
  readonly id: GroupId;
  readonly name: string;
  readonly created_at_ms: number;
}

/** The functions of migrations/000009-access.sql, one round trip each. */
export class PostgresGroupStore implements GroupStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  createGroup(scope: Scope, { groupId, name, atMs }: NewGroup): Promise<'created' | 'name_taken' | 'groups_full'> {
    const values = [scope.orgId, scope.principalId, groupId, name, limits.groupsMax, atMs];
    return askOutcome(this.#queries, 'core.create_group($1, $2, $3, $4, $5, $6)', values);
  }

  deleteGroup(scope: Scope, groupId: GroupId): Promise<'deleted' | 'group_missing'> {
    return askOutcome(this.#queries, 'core.delete_group($1, $2)', [scope.orgId, groupId]);
  }

  addMember(scope: Scope, groupId: GroupId, { kind, id }: GroupMember): Promise<AddOutcome> {
    if (kind === 'principal') return askOutcome(this.#queries, 'core.add_member($1, $2, $3)', [scope.orgId, groupId, id]);
    return askOutcome(this.#queries, 'core.nest_group($1, $2, $3, $4)', [scope.orgId, groupId, id, limits.groupDepthMax]);
  }

  removeMember(scope: Scope, groupId: GroupId, memberId: GroupMember['id']): Promise<'removed' | 'unchanged'> {
    return askOutcome(this.#queries, 'core.remove_member($1, $2, $3)', [scope.orgId, groupId, memberId]);
  }

  async listGroups(
    scope: Scope,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<Group>> {
    const values = [scope.orgId, after ?? null, limit + 1];
    const { rows } = await this.#queries.query<GroupRow>('SELECT * FROM core.list_groups($1, $2, $3)', values);
    return pageOf(rows, limit, ({ id, name, created_at_ms }) => ({ groupId: id, name, createdAtMs: created_at_ms }));
  }

  async listMembers(
    scope: Scope,
    groupId: GroupId,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<GroupMember>> {
    const values = [scope.orgId, groupId, after ?? null, limit + 1];
    const { rows } = await this.#queries.query<GroupMember>('SELECT * FROM core.list_members($1, $2, $3, $4)', values);
    return pageOf(rows, limit, ({ kind, id }) => ({ kind, id }) as GroupMember);
  }
}
