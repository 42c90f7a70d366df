import type { ChunkerName } from '../chunker/hasher.ts';
import { blobKeyOf, type ManifestRoot, type Sha256 } from '../core/digest.ts';
import type { DocumentId, VersionId } from '../core/ids.ts';
import type { BlobFacts, VersionFacts } from './catalog.ts';

/** A blob as the functions of migrations/ return it: digests in hex, numbers as numbers. */
export interface BlobRow {
  readonly blob_key: string;
  readonly blob_size: number;
  readonly blob_sha256: Sha256;
  readonly chunker: ChunkerName;
  readonly manifest_root: ManifestRoot;
  readonly block_count: number;
}

/** A row of quasar.version_facts. */
export interface VersionRow extends BlobRow {
  readonly document_id: DocumentId;
  readonly version_id: VersionId;
  readonly parents: readonly VersionId[];
  readonly labels: readonly string[];
  readonly filename: string | null;
  readonly content_type: string;
  readonly reason: string | null;
  readonly created_at_ms: number;
}

export function toBlobFacts(row: BlobRow): BlobFacts {
  return {
    key: blobKeyOf(row.blob_key),
    size: row.blob_size,
    sha256: row.blob_sha256,
    chunker: row.chunker,
    manifestRoot: row.manifest_root,
    blockCount: row.block_count,
  };
}

export function toVersionFacts(row: VersionRow): VersionFacts {
  return {
    versionId: row.version_id,
    documentId: row.document_id,
    parents: row.parents,
    labels: row.labels,
    blob: toBlobFacts(row),
    filename: row.filename ?? undefined,
    contentType: row.content_type,
    reason: row.reason ?? undefined,
    createdAtMs: row.created_at_ms,
  };
}
