import { allCapabilities, type CapabilitySet, capabilitySet, noCapabilities, unionOf } from '../core/capability.ts';

/**
 * What roles give everywhere in their org. Few and fixed: whatever is finer is said by rules. The names are stored, and known to the
 * database (migrations/000009-access.sql); what they give is here alone, so that an administrator also has what is new.
 */
export const roles = ['admin', 'clerk', 'reader', 'auditor'] as const;

export type Role = (typeof roles)[number];

const given: Readonly<Record<Role, CapabilitySet>> = {
  admin: allCapabilities,
  clerk: capabilitySet('blob.read', 'blob.write', 'doc.read', 'doc.write', 'doc.export', 'workflow.run'),
  reader: capabilitySet('blob.read', 'doc.read'),
  auditor: capabilitySet('audit.read', 'observability.read'),
};

/** Of all of them together. */
export function capabilitiesOf(names: readonly Role[]): CapabilitySet {
  return names.reduce((all, name) => unionOf(all, given[name]), noCapabilities);
}
