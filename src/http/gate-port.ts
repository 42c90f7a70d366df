import type { Explanation } from '../access/explain.ts';
import type { RuledThing } from '../access/rule-store.ts';
import type { Capability, CapabilitySet } from '../core/capability.ts';
import type { OrgId, PrincipalId } from '../core/ids.ts';
import type { Caller } from './caller.ts';

/** Who may, as handlers ask for it. All things are of the caller's org: what another org has is missing. */
export interface Gate {
  /**
   * Decides, and sees to it that the decision is noted: an allowed one with what the caller goes on to change or read.
   * Resolves when it is allowed.
   * @throws QuasarError `document_not_found`, `folder_not_found` for what is missing or hidden, else `forbidden`.
   */
  require(caller: Caller, thing: RuledThing, capability: Capability): void | Promise<void>;

  /** All the caller may do to the thing with the credentials of this request. Nothing, when it is missing. */
  capabilitiesOn(caller: Caller, thing: RuledThing): Promise<CapabilitySet>;

  /** Whether the caller may read each, in their order; nothing is noted. */
  readable(caller: Caller, things: readonly RuledThing[]): Promise<boolean[]>;

  /**
   * How a decision about a principal falls, credentials without a scope assumed, and why.
   * @throws QuasarError `document_not_found`, `folder_not_found`, `principal_not_found`.
   */
  explain(caller: Caller, thing: RuledThing, principalId: PrincipalId, action: Capability): Promise<Explanation>;

  /** Principals, groups, keys, folders or rules of the org are others now: this process forgets what it knew of them at once. */
  changed(orgId: OrgId): void;
}
