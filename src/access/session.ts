import type { EventCredential } from '../audit/event-origin.ts';
import type { OrgId, PrincipalId } from '../core/ids.ts';
import type { Requester } from './decide.ts';
import type { PrincipalKind } from './principal-store.ts';
import type { RateAccount } from './rate-guard.ts';
import type { Role } from './role.ts';

/** A credential that was taken: who uses it, with all that bears on decisions, as it stood when it was looked up. */
export interface Session {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly kind: PrincipalKind;
  /** As events and the log of requests name it. */
  readonly credential: EventCredential;
  readonly roles: readonly Role[];
  readonly requester: Requester;
  readonly account: RateAccount;
}
