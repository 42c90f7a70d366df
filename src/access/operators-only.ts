import { type CapabilitySet, capabilitySet, differenceOf } from '../core/capability.ts';
import type { OrgId } from '../core/ids.ts';

/**
 * About the server and all orgs on it: what nobody has outside the org that operates it, whatever roles and rules say. Figures
 * are among it because they are of all orgs together: how many bytes a write added tells whether somebody had stored them before.
 */
export const operatorsOnly = capabilitySet('cluster.admin', 'observability.read');

/** What is left of a set in an org. */
export function withinOrg(set: CapabilitySet, orgId: OrgId, operatorOrgId: OrgId): CapabilitySet {
  return orgId === operatorOrgId ? set : differenceOf(set, operatorsOnly);
}
