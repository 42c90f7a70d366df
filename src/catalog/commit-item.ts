import { blake3Of } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { VersionCommit } from './catalog.ts';
import { toChangeRow } from './metadata-change-row.ts';

/**
 * One item of a batch as quasar.commit_versions reads it (its fields are those of quasar.commit_item); `n` tells the
 * answers apart. Manifest pages travel beside the items as one run of bytes, for JSON would double them.
 */
export function toCommitItem(wish: VersionCommit, n: number, pagesAt: number): Record<string, unknown> {
  return {
    n,
    document_id: wish.documentId,
    new_document: wish.newDocument,
    folder_id: wish.folderId,
    version_id: wish.versionId,
    expected_version_id: wish.expectedVersionId,
    key: blake3Of(wish.blob.key),
    size: wish.blob.size,
    sha256: wish.blob.sha256,
    chunker: wish.blob.chunker,
    manifest_root: wish.blob.manifestRoot,
    block_count: wish.blob.blockCount,
    pages_at: pagesAt,
    page_sizes: wish.pages.map((page) => page.length),
    filename: wish.filename,
    content_type: wish.contentType,
    reason: wish.reason,
    parents: wish.parents,
    labels: ownLabels(wish),
    metadata: wish.metadata?.map((entry) => toChangeRow({ ...entry, base: undefined, entry })),
    created_at_ms: wish.createdAtMs,
    idempotency_key: wish.idempotency?.key,
    idempotency_fingerprint: wish.idempotency?.fingerprint,
    idempotency_lifetime_ms: limits.idempotencyLifetimeMs,
    upload_id: wish.upload?.uploadId,
    upload_fence: wish.upload?.fence,
    upload_fingerprint: wish.upload?.fingerprint,
  };
}

export function pagesSizeOf(wish: VersionCommit): number {
  return wish.pages.reduce((size, page) => size + page.length, 0);
}

/** Those to be written: CURRENT is not a row but the document's current version. */
export function ownLabels(wish: VersionCommit): readonly string[] {
  return [...new Set(wish.labels)].filter((name) => name !== 'CURRENT').sort();
}
