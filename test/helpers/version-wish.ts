import { createHash } from 'node:crypto';
import type { VersionCommit } from '../../src/catalog/catalog.ts';
import { systemClock } from '../../src/core/clock.ts';
import { blobKeyOf, type ManifestRoot, type Sha256 } from '../../src/core/digest.ts';
import { type DocumentId, newId, type VersionId } from '../../src/core/ids.ts';

/** A commit of a new document with a small blob of its own; what the test is about is given as `changes`. */
export function versionWish(changes: Partial<VersionCommit> = {}): VersionCommit {
  return {
    documentId: newId<DocumentId>(systemClock),
    newDocument: true,
    expectedVersionId: undefined,
    versionId: newId<VersionId>(systemClock),
    blob: blobFacts(Buffer.from(systemClock.random(16)).toString('hex')),
    pages: [],
    filename: 'scan-0412.pdf',
    contentType: 'application/pdf',
    reason: undefined,
    labels: [],
    createdAtMs: systemClock.now(),
    idempotency: undefined,
    upload: undefined,
    ...changes,
  };
}

/** Facts of a made-up blob; the same seed gives the same blob. */
export function blobFacts(seed: string): VersionCommit['blob'] {
  return {
    key: blobKeyOf(digits(`key ${seed}`)),
    size: 102_400,
    sha256: digits(`sha256 ${seed}`) as Sha256,
    chunker: 'fixed-1m',
    manifestRoot: digits(`root ${seed}`) as ManifestRoot,
    blockCount: 1,
  };
}

/** 64 hex digits that only depend on the seed. */
export function digits(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

/** An id as of `ms`, since ids of one millisecond are in no order. */
export function versionIdAt(ms: number): VersionId {
  return newId<VersionId>({ ...systemClock, now: () => ms });
}
