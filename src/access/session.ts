import type { OrgId, PrincipalId } from '../core/ids.ts';
import type { Requester } from './decide.ts';
import type { PrincipalKind } from './principal-store.ts';
import type { RateAccount } from './rate-guard.ts';

/** A credential that was taken: who uses it, with all that bears on decisions, as it stood when it was looked up. */
export interface Session {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly kind: PrincipalKind;
  readonly requester: Requester;
  readonly account: RateAccount;
}
