import type { VersionFacts } from '../catalog/catalog.ts';
import type { VersionId } from '../core/ids.ts';
import { matchesAny } from './conditional.ts';
import { etagOf } from './content-headers.ts';

/** Of a document: it changes with the current version. */
export function versionEtagOf(versionId: VersionId): string {
  return `"v-${versionId}"`;
}

/**
 * What If-Match asks of a write: the version that must still be current when it is committed, or undefined when any will
 * do. The document's ETag names that version, and the content's ETag the one that has those bytes now. `NO_VERSION` when
 * the condition does not hold already.
 */
export function expectedVersionOf(ifMatch: string | undefined, current: VersionFacts): VersionId | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  return matchesAny(ifMatch, [versionEtagOf(current.versionId), etagOf(current.blob.key)]) ? current.versionId : NO_VERSION;
}

/** No version has this id: a commit that expects it changes nothing, and only a repeat of an earlier one succeeds. */
export const NO_VERSION = '00000000-0000-0000-0000-000000000000' as VersionId;
