import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { GroupId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import type { AddOutcome, Group, GroupMember, GroupStore, NewGroup } from './group-store.ts';
import { askChange, pageOf } from './postgres-rows.ts';

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

  createGroup(by: Actor, { groupId, name, atMs }: NewGroup): Promise<'created' | 'name_taken' | 'groups_full'> {
    return askChange(this.#queries, by, {
      call: 'core.create_group($1, $2, $3, $4, $5, $6)',
      values: [by.orgId, by.principalId, groupId, name, limits.groupsMax, atMs],
      when: ['created'],
      deed: { action: 'group.create', resource: { kind: 'group', id: groupId }, detail: { name } },
    });
  }

  deleteGroup(by: Actor, groupId: GroupId): Promise<'deleted' | 'group_missing'> {
    return askChange(this.#queries, by, {
      call: 'core.delete_group($1, $2)',
      values: [by.orgId, groupId],
      when: ['deleted'],
      deed: { action: 'group.delete', resource: { kind: 'group', id: groupId } },
    });
  }

  addMember(by: Actor, groupId: GroupId, { kind, id }: GroupMember): Promise<AddOutcome> {
    const values = [by.orgId, by.principalId, groupId, id];
    return askChange(this.#queries, by, {
      ...(kind === 'principal'
        ? { call: 'core.add_member($1, $2, $3, $4)', values }
        : { call: 'core.nest_group($1, $2, $3, $4, $5)', values: [...values, limits.groupDepthMax] }),
      when: ['added'],
      deed: { action: 'group.add', resource: { kind: 'group', id: groupId }, detail: { kind, memberId: id } },
    });
  }

  removeMember(by: Actor, groupId: GroupId, memberId: GroupMember['id']): Promise<'removed' | 'unchanged'> {
    return askChange(this.#queries, by, {
      call: 'core.remove_member($1, $2, $3)',
      values: [by.orgId, groupId, memberId],
      when: ['removed'],
      deed: { action: 'group.remove', resource: { kind: 'group', id: groupId }, detail: { memberId } },
    });
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
