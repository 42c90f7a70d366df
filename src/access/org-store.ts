import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { OrgId, PrincipalId } from '../core/ids.ts';
import type { NewKey } from './key-store.ts';

export interface NewOrg {
  readonly orgId: OrgId;
  /** 1 to 200 characters, unique. */
  readonly name: string;
  /** The service account that administers it. */
  readonly principalId: PrincipalId;
  /** 1 to 200 characters. */
  readonly principalName: string;
  readonly atMs: number;
}

/** With which the administrator comes in. */
export interface FirstKey {
  /** The administrator. */
  readonly by: Actor;
  readonly key: NewKey;
}

export interface Org {
  readonly orgId: OrgId;
  readonly name: string;
  readonly createdAtMs: number;
  readonly suspendedAtMs: number | undefined;
}

/**
 * All orgs there are. Nothing here asks whether `by` is of the operator's org, which alone may: whoever calls has. Changes are
 * noted in the log of both, the actor's org and the one that is changed.
 */
export interface OrgStore {
  /** All of it or nothing: an org without a key would be one that nobody enters. */
  createOrg(by: Actor, org: NewOrg, first?: FirstKey): Promise<'created' | 'name_taken'>;
  /** By id. `after` is a `next` of an earlier page. */
  listOrgs(options: { readonly limit: number; readonly after: string | undefined }): Promise<Page<Org>>;
  /** Suspends everybody in the org at once, or lets them in again. */
  suspendOrg(
    by: Actor,
    orgId: OrgId,
    change: { readonly suspended: boolean; readonly atMs: number },
  ): Promise<'changed' | 'unchanged' | 'org_missing'>;
}
