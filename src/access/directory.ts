import type { GroupId, PrincipalId, Scope } from '../core/ids.ts';
import type { Group } from './group-store.ts';
import type { Org } from './org-store.ts';
import type { Principal } from './principal-store.ts';

/** Single entries by their id, for those who administer them; what decides is loaded elsewhere. What another org has is missing here. */
export interface Directory {
  /** The org of the scope. */
  findOrg(scope: Scope): Promise<Org | undefined>;
  findPrincipal(scope: Scope, principalId: PrincipalId): Promise<Principal | undefined>;
  findGroup(scope: Scope, groupId: GroupId): Promise<Group | undefined>;
}
