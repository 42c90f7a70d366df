import { TextFault } from './text-fault.ts';

/** Semantic Versioning 2.0.0 without build metadata: two versions that differ only there would have no order. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** The parts of a pre-release, those of digits as numbers; none for a release. */
  readonly preRelease: readonly (string | number)[];
}

export function readVersion(text: string): Version | TextFault {
  if (text.includes('+')) return new TextFault('has build metadata in its version');
  const [, major, minor, patch, preRelease] = VERSION.exec(text) ?? [];
  if (major === undefined) return new TextFault('has no version of the form 1.2.3 or 1.2.3-draft.4');
  const version = {
    ...{ major: Number(major), minor: Number(minor), patch: Number(patch) },
    preRelease: preRelease === undefined ? [] : preRelease.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  };
  const numbers = [version.major, version.minor, version.patch, ...version.preRelease];
  const large = numbers.some((part) => typeof part === 'number' && !Number.isSafeInteger(part));
  return large ? new TextFault('has a number beyond 2^53-1 in its version') : version;
}

/** Negative when `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  const core = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (core !== 0) return core;
  if (a.preRelease.length === 0 || b.preRelease.length === 0) return b.preRelease.length - a.preRelease.length;
  for (const [index, part] of a.preRelease.entries()) {
    const other = b.preRelease[index];
    if (other === undefined) return 1;
    if (part !== other) return compareParts(part, other);
  }
  return a.preRelease.length - b.preRelease.length;
}

export function formatVersion({ major, minor, patch, preRelease }: Version): string {
  return `${major}.${minor}.${patch}${preRelease.length === 0 ? '' : `-${preRelease.join('.')}`}`;
}

/** Numbers before words, words in ASCII order. */
function compareParts(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}

const NUMBER = '(0|[1-9][0-9]*)';
const PART = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${PART}(?:\\.${PART})*))?$`);
