import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { GroupId, PrincipalId, Scope } from '../core/ids.ts';

export interface NewGroup {
  readonly groupId: GroupId;
  /** 1 to 200 characters, unique in the org. */
  readonly name: string;
  readonly atMs: number;
}

export interface Group {
  readonly groupId: GroupId;
  readonly name: string;
  readonly createdAtMs: number;
}

/** Who belongs to a group: a principal, or all who belong to another group. */
export type GroupMember =
  | { readonly kind: 'principal'; readonly id: PrincipalId }
  | { readonly kind: 'group'; readonly id: GroupId };

/**
 * `cycle`: the group would belong to itself. `too_deep`: a line longer than `limits.groupDepthMax`. `last_administrator`: the
 * org's rules would deny the last one changing them, or reading. `stands_above`: rules about the group would deny something to
 * an administrator, and whoever adds him is none.
 */
export type AddOutcome =
  | 'added'
  | 'unchanged'
  | 'group_missing'
  | 'member_missing'
  | 'cycle'
  | 'too_deep'
  | 'last_administrator'
  | 'stands_above';

/** Groups of principals and of groups. What another org has is missing here. Changes are noted. */
export interface GroupStore {
  /** `groups_full`: the org has `limits.groupsMax`. */
  createGroup(by: Actor, group: NewGroup): Promise<'created' | 'name_taken' | 'groups_full'>;
  /** With its memberships. Rules that name it are about nobody from then on, those that deny too. */
  deleteGroup(by: Actor, groupId: GroupId): Promise<'deleted' | 'group_missing'>;
  addMember(by: Actor, groupId: GroupId, member: GroupMember): Promise<AddOutcome>;
  removeMember(by: Actor, groupId: GroupId, memberId: GroupMember['id']): Promise<'removed' | 'unchanged'>;
  /** By id. `after` is a `next` of an earlier page. */
  listGroups(scope: Scope, options: { readonly limit: number; readonly after: string | undefined }): Promise<Page<Group>>;
  /** Its members themselves, not theirs. Empty for a group that is missing. */
  listMembers(
    scope: Scope,
    groupId: GroupId,
    options: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<GroupMember>>;
}
