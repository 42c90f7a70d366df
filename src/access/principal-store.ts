import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { OrgId, PrincipalId, Scope } from '../core/ids.ts';
import type { Requester } from './decide.ts';
import type { Role } from './role.ts';

export type PrincipalKind = 'user' | 'service';

export interface NewPrincipal {
  readonly principalId: PrincipalId;
  readonly kind: PrincipalKind;
  /** 1 to 200 characters, unique in the org. */
  readonly name: string;
  /** What the issuer of its tokens calls it, unique in the org; undefined: it has no tokens, only keys. */
  readonly subject: string | undefined;
  readonly roles: readonly Role[];
  readonly atMs: number;
}

export interface Principal {
  readonly principalId: PrincipalId;
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly subject: string | undefined;
  readonly roles: readonly Role[];
  readonly createdAtMs: number;
  readonly suspendedAtMs: number | undefined;
}

/** A requester but for the scope of its token or key, which comes with the request. */
export type KnownRequester = Omit<Requester, 'tokenScope'>;

export interface LoadedRequester {
  readonly roles: readonly Role[];
  readonly requester: KnownRequester;
  readonly kind: PrincipalKind;
}

/**
 * `unchanged`: it was so already. `last_administrator`: no other administrator may act whom the org's rules let change them.
 * `stands_above`: only administrators suspend administrators or take their role.
 */
export type PrincipalOutcome = 'changed' | 'unchanged' | 'last_administrator' | 'stands_above' | 'principal_missing';

/** What is undefined stays as it is. */
export interface PrincipalChange {
  readonly roles: readonly Role[] | undefined;
  readonly suspended: boolean | undefined;
  readonly atMs: number;
}

/** Users and service accounts. None is ever deleted: rows name them for ever. What another org has is missing here. Changes are noted. */
export interface PrincipalStore {
  createPrincipal(by: Actor, principal: NewPrincipal): Promise<'created' | 'name_taken' | 'subject_taken'>;
  /** By id. `after` is a `next` of an earlier page. */
  listPrincipals(scope: Scope, options: { readonly limit: number; readonly after: string | undefined }): Promise<Page<Principal>>;
  setRoles(by: Actor, principalId: PrincipalId, roles: readonly Role[]): Promise<PrincipalOutcome>;
  /** Suspends, or lets in again. */
  suspendPrincipal(
    by: Actor,
    principalId: PrincipalId,
    change: { readonly suspended: boolean; readonly atMs: number },
  ): Promise<PrincipalOutcome>;
  /** Roles, suspension or both: all that is asked for, or nothing. */
  changePrincipal(by: Actor, principalId: PrincipalId, change: PrincipalChange): Promise<PrincipalOutcome>;
  /** Whose token it is. `suspended` is also said of everybody in a suspended org. */
  findPrincipal(
    orgId: OrgId,
    subject: string,
  ): Promise<{ readonly principalId: PrincipalId; readonly suspended: boolean } | undefined>;
  /** As it stands at one moment. A suspended org suspends everybody in it. */
  loadRequester(scope: Scope, principalId: PrincipalId): Promise<LoadedRequester | undefined>;
}
