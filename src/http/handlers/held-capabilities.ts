import { withinOrg } from '../../access/operators-only.ts';
import type { RuledThing } from '../../access/rule-store.ts';
import { type CapabilitySet, capabilityNames, differenceOf } from '../../core/capability.ts';
import { isQuasarError, QuasarError } from '../../core/errors.ts';
import type { Caller } from '../caller.ts';
import type { Services } from './services.ts';

export const WHOLE_ORG: RuledThing = { kind: 'org' };

/** Refuses as `requireHeldOn`, by what the caller may do in the whole org. */
export function requireHeld(caller: Caller, wanted: CapabilitySet, services: Services, op: string): Promise<void> {
  return requireHeldOn(WHOLE_ORG, caller, wanted, services, op);
}

/**
 * Nobody hands on what he has not: refused unless the caller may do all of `wanted` to the thing, with the credentials of
 * this request. What only the operator's org can do counts there alone: elsewhere it means nothing.
 * @throws QuasarError `forbidden` with `details.missing`.
 */
export async function requireHeldOn(
  thing: RuledThing,
  caller: Caller,
  wanted: CapabilitySet,
  services: Services,
  op: string,
): Promise<void> {
  const held = await services.gate.capabilitiesOn(caller, thing);
  const meant = withinOrg(wanted, caller.orgId, services.access.operatorOrgId);
  const missing = capabilityNames(differenceOf(meant, held));
  const [first] = missing;
  if (first === undefined) return;
  try {
    // Notes the refusal, as any other.
    await services.gate.require(caller, thing, first);
  } catch (cause) {
    if (!isQuasarError(cause, 'forbidden')) throw cause;
  }
  throw new QuasarError('forbidden', { op, details: { missing } });
}
