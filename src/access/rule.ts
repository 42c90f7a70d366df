import type { CapabilitySet } from '../core/capability.ts';
import type { FolderId, GroupId, PrincipalId, RuleId } from '../core/ids.ts';

/** Whom a rule is about: a user, a service account, or a group. Their ids never coincide. */
export type SubjectId = PrincipalId | GroupId;

export type RuleEffect = 'allow' | 'deny';

/** Allows or denies some actions to some subjects. Neither list is empty; the order within them means nothing. */
export interface AccessRule {
  readonly id: RuleId;
  readonly effect: RuleEffect;
  readonly actions: CapabilitySet;
  readonly principals: readonly SubjectId[];
}

/** Where a list of rules hangs. What hangs on a folder or an org holds for everything in it. */
export type RulePlace =
  | { readonly kind: 'document' }
  | { readonly kind: 'folder'; readonly folderId: FolderId }
  | { readonly kind: 'org' };
