import { assert } from './assert.ts';
import { QuasarError } from './errors.ts';
import { nearest } from './nearest.ts';

/**
 * Everything a principal may be allowed to do. The place in this list is the bit in stored and transmitted masks: names are
 * only ever appended, never moved, renamed or reused.
 */
export const capabilities = [
  'blob.read',
  'blob.write',
  'blob.delete',
  'doc.read',
  'doc.write',
  'doc.delete',
  'ns.admin',
  'acl.admin',
  'observability.read',
  'audit.read',
  'legal_hold.write',
  'doc.export',
  'doc.dispose',
  'schema.admin',
  'key.admin',
  'workflow.run',
  'job.admin',
  'cluster.admin',
] as const;

export type Capability = (typeof capabilities)[number];

declare const brand: unique symbol;

/** A set of capabilities as a mask, bit 0 first; a plain number, so it is compared with `===` and stored as an integer. */
export type CapabilitySet = number & { readonly [brand]: 'CapabilitySet' };

// Bitwise operators work on 32 bits with a sign.
assert(capabilities.length <= 31, 'a set of capabilities fits into the bits of a number');

const bitOf: ReadonlyMap<string, number> = new Map(capabilities.map((name, index) => [name, 1 << index]));

export const noCapabilities = 0 as CapabilitySet;
export const allCapabilities = (2 ** capabilities.length - 1) as CapabilitySet;

export function capabilitySet(...names: readonly Capability[]): CapabilitySet {
  return names.reduce((mask, name) => mask | (bitOf.get(name) as number), 0) as CapabilitySet;
}

export function hasCapability(set: CapabilitySet, capability: Capability): boolean {
  return (set & (bitOf.get(capability) as number)) !== 0;
}

export function unionOf(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  return (a | b) as CapabilitySet;
}

export function intersectionOf(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  return (a & b) as CapabilitySet;
}

/** What `a` has and `b` has not. */
export function differenceOf(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  return (a & ~b) as CapabilitySet;
}

/** In the order of their bits. */
export function capabilityNames(set: CapabilitySet): Capability[] {
  return capabilities.filter((_, index) => (set & (1 << index)) !== 0);
}

/** @throws QuasarError `capability_unknown` that names the nearest one there is. */
export function parseCapability(name: string): Capability {
  if (bitOf.has(name)) return name as Capability;
  const meant = nearest(name.slice(0, NAME_SHOWN_MAX), capabilities);
  throw new QuasarError('capability_unknown', {
    op: 'core.parseCapability',
    message: `${JSON.stringify(name.slice(0, NAME_SHOWN_MAX))} is no capability${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    details: { capabilities },
  });
}

/**
 * A mask from outside: a claim of a token, a column. Bits this version does not know are refused, not dropped: they would
 * come to life with a later version.
 * @throws QuasarError `capability_unknown` for anything but a whole number from 0 with known bits only.
 */
export function parseCapabilityMask(value: unknown): CapabilitySet {
  if (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0) && value >= 0 && value <= allCapabilities) {
    return value as CapabilitySet;
  }
  throw new QuasarError('capability_unknown', {
    op: 'core.parseCapabilityMask',
    message: `A mask of capabilities is a whole number from 0 to ${allCapabilities}.`,
    details: { maskMax: allCapabilities },
  });
}

const NAME_SHOWN_MAX = 64;
