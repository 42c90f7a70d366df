import type { DocumentDetails, DocumentFacts, VersionFacts } from '../../catalog/catalog.ts';
import type { ExternalRef } from '../../catalog/ref-store.ts';
import { toTimestamp } from '../../core/clock.ts';
import { blake3Of } from '../../core/digest.ts';
import type { UploadSession } from '../../upload/session.ts';

/** What the API says about a version, wherever it appears. */
export function versionView(version: VersionFacts): Record<string, unknown> {
  return {
    documentId: version.documentId,
    versionId: version.versionId,
    parents: version.parents,
    labels: version.labels,
    contentRef: { kind: 'blob', key: version.blob.key },
    size: version.blob.size,
    digests: { blake3: blake3Of(version.blob.key), sha256: version.blob.sha256 },
    filename: version.filename ?? null,
    contentType: version.contentType,
    reason: version.reason ?? null,
    createdAt: toTimestamp(version.createdAtMs),
  };
}

export function documentView(document: DocumentFacts, current: VersionFacts): Record<string, unknown> {
  return {
    documentId: document.documentId,
    currentVersionId: document.currentVersionId,
    createdAt: toTimestamp(document.createdAtMs),
    updatedAt: toTimestamp(document.updatedAtMs),
    current: versionView(current),
  };
}

/** Where a document lies, and what keeps it from being disposed of. */
export function detailsView({ folderId, retainUntilMs, hold }: DocumentDetails): Record<string, unknown> {
  return {
    folderId: folderId ?? null,
    retainUntil: retainUntilMs === undefined ? null : toTimestamp(retainUntilMs),
    hold: hold === undefined ? null : { reason: hold.reason, setAt: toTimestamp(hold.setAtMs) },
  };
}

export function refView({ system, value, meta }: ExternalRef): Record<string, unknown> {
  return { system, value, meta: meta === undefined ? null : (JSON.parse(meta) as unknown) };
}

export function sessionView(session: UploadSession, result: VersionFacts | undefined): Record<string, unknown> {
  return {
    uploadId: session.uploadId,
    documentId: session.documentId,
    state: session.state,
    offset: session.offset,
    size: session.size ?? null,
    filename: session.filename ?? null,
    contentType: session.contentType,
    digests: session.digests,
    expiresAt: toTimestamp(session.expiresAtMs),
    result: result === undefined ? null : versionView(result),
  };
}
