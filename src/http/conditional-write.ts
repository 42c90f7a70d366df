import type { VersionFacts } from '../catalog/catalog.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import { type DocumentId, isId, type VersionId } from '../core/ids.ts';
import { opaqueOf } from './conditional.ts';
import { etagOf } from './content-headers.ts';
import type { WriteConditions } from './preconditions.ts';

/** Names a version of a document, as its current one. Taken by If-Match, and part of the document's own ETag. */
export function versionEtagOf(versionId: VersionId): string {
  return `"v-${versionId}"`;
}

/** Of a document as it is shown: its current version, and what else is said of it. */
export function documentEtagOf(versionId: VersionId, state: string): string {
  return `"v-${versionId}.${state}"`;
}

/**
 * What the conditions ask of a write that makes a version: the version that must still be current when it is committed, or
 * undefined when any will do. The document's ETag names that version, and the content's ETag the one that has those bytes
 * now. `NO_VERSION` when a condition does not hold already.
 */
export function expectedVersionOf({ ifMatch, ifNoneMatch }: WriteConditions, current: VersionFacts): VersionId | undefined {
  const { versionId, blob } = current;
  const named = (tag: string) => tag === etagOf(blob.key) || versionOfTag(tag)?.versionId === versionId;
  if (ifMatch !== undefined && ifMatch !== '*' && !ifMatch.some(named)) return NO_VERSION;
  if (ifNoneMatch === undefined) return ifMatch === undefined || ifMatch === '*' ? undefined : versionId;
  const taken = ifNoneMatch === '*' || ifNoneMatch.some((tag) => named(opaqueOf(tag)));
  // What is current must not become one of those that were named either.
  return taken ? NO_VERSION : versionId;
}

/**
 * What If-Match asks of a document that is changed; undefined when it asks for nothing. `current` is its current version,
 * whose content's ETag may be named too.
 */
export function documentGuardOf(
  documentId: DocumentId,
  { ifMatch }: WriteConditions,
  current: VersionFacts | undefined,
): DocumentGuard | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const versions: VersionId[] = [];
  const states: string[] = [];
  for (const tag of ifMatch) {
    const named = versionOfTag(tag);
    if (named?.state !== undefined) states.push(named.state);
    else if (named !== undefined) versions.push(named.versionId);
    else if (current !== undefined && tag === etagOf(current.blob.key)) versions.push(current.versionId);
  }
  return { documentId, versions, states };
}

/** Undefined for a tag that is weak or none of these. */
function versionOfTag(tag: string): { readonly versionId: VersionId; readonly state: string | undefined } | undefined {
  const [, id, state] = VERSION_TAG.exec(tag) ?? [];
  return id !== undefined && isId(id) ? { versionId: id as VersionId, state } : undefined;
}

const VERSION_TAG = /^"v-([0-9a-f-]{36})(?:\.([0-9a-f]{32}))?"$/;

/** No version has this id: a commit that expects it changes nothing, and only a repeat of an earlier one succeeds. */
export const NO_VERSION = '00000000-0000-0000-0000-000000000000' as VersionId;
