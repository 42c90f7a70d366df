import { isIP } from 'node:net';
import { type Capability, capabilities } from '../core/capability.ts';
import { limits } from '../core/limits.ts';
import { DECISION_WORD, REASON } from './event-grammar.ts';
import { type Check, count, listOf, matching, members, oneOf, uuid } from './shape.ts';

/**
 * With what, from where and by which rule: the members of an event that version 1 did not have. docs/format/audit-v1.md
 * sections 4.5 to 4.7.
 */

/** What the request carried to say who it is; never a secret. */
export interface EventCredential {
  readonly kind: 'api_key' | 'token';
  /** Of the key; of a token its `jti`. */
  readonly id: string;
  /** `iss` of a token that has one. */
  readonly issuer?: string;
}

/** How access was decided, for the capability that was decisive. */
export interface EventDecision {
  readonly reason: string;
  readonly capability?: Capability;
  /** The rule that decided. */
  readonly rule?: EventRule;
  /** Roles of the principal that give the capability, when a role decided. */
  readonly roles?: readonly string[];
  /** Under which rules: of each place around the thing, from it outwards, that ever had some. */
  readonly rules?: readonly EventRulesVersion[];
}

export interface EventRule {
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  readonly place: { readonly kind: 'document' | 'folder' | 'org'; readonly id: string };
}

export interface EventRulesVersion {
  readonly kind: 'document' | 'folder' | 'org';
  readonly id: string;
  /** As `acl.set` noted it when they were made. */
  readonly version: number;
}

const placeKind = oneOf(['document', 'folder', 'org']);

export const credentialCheck: Check = members(
  { kind: oneOf(['api_key', 'token']), id: matching(/^[^\p{Cc}\p{Surrogate}]{1,512}$/u) },
  { issuer: matching(/^[^\p{Cc}\p{Surrogate}]{1,512}$/u) },
);

/** In the one form in which such an address is written: lower case, no zone. */
export const addressCheck: Check = (value) =>
  typeof value === 'string' && isIP(value) !== 0 && value === value.toLowerCase() && !value.includes('%')
    ? undefined
    : 'is no IP address';

export const decisionCheck: Check = members(
  { reason: matching(REASON) },
  {
    capability: oneOf(capabilities),
    rule: members({ id: uuid, effect: oneOf(['allow', 'deny']), place: members({ kind: placeKind, id: uuid }) }),
    roles: listOf(matching(DECISION_WORD), 16),
    rules: listOf(members({ kind: placeKind, id: uuid, version: count(1) }), limits.folderDepthMax + 2),
  },
);
