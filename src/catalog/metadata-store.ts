import type { Actor } from '../core/actor.ts';
import type { AuditAction } from '../core/audit-action.ts';
import type { DocumentId, MetadataId, PrincipalId, Scope, VersionId } from '../core/ids.ts';
import type { MetadataLayer } from '../core/metadata-layer.ts';

/** One namespace of one layer, as it is stored; never changed. The texts are JSON. */
export interface StoredMetadata {
  readonly metadataId: MetadataId;
  readonly layer: MetadataLayer;
  readonly namespace: string;
  readonly schema: string;
  readonly status: 'valid' | 'quarantined';
  /** RFC 8785. */
  readonly data: string;
  /** Of derived metadata. */
  readonly provenance: string | undefined;
  /** What the schema has against quarantined data. */
  readonly faults: string | undefined;
}

export type FoundMetadata = StoredMetadata & { readonly createdBy: PrincipalId; readonly createdAtMs: number };

/** What one namespace of one layer becomes. */
export interface MetadataChange {
  readonly layer: MetadataLayer;
  readonly namespace: string;
  /** The entry it replaces, null for none; undefined when it may be any. */
  readonly base: MetadataId | null | undefined;
  /** Undefined takes the namespace out. */
  readonly entry: StoredMetadata | undefined;
}

export interface MetadataWish {
  /** What it is in the audit log. */
  readonly action: Extract<AuditAction, 'metadata.replace' | 'metadata.patch' | 'metadata.migrate'>;
  readonly documentId: DocumentId;
  /** Of the version this makes: the bytes of the current one, and its metadata with the changes. */
  readonly versionId: VersionId;
  /** What the current version must be; undefined when any will do. */
  readonly expectedVersionId: VersionId | undefined;
  /** At least one; no namespace of a layer twice. */
  readonly changes: readonly MetadataChange[];
  /** The layer that keeps nothing but what the changes put there. */
  readonly replaces: MetadataLayer | undefined;
  readonly reason: string | undefined;
  readonly atMs: number;
}

export type MetadataOutcome =
  | { readonly kind: 'committed' }
  /** Another entry is there than the base of a change. */
  | { readonly kind: 'metadata_changed'; readonly namespace: string; readonly current: MetadataId | undefined }
  | { readonly kind: 'version_changed'; readonly current: VersionId }
  | { readonly kind: 'document_missing' };

/** The metadata of versions. A version without any, or one that is absent, has none. */
export interface MetadataStore {
  /** In the order of layers and namespaces. */
  listMetadata(scope: Scope, documentId: DocumentId, versionId: VersionId): Promise<readonly FoundMetadata[]>;
  commitMetadata(by: Actor, wish: MetadataWish): Promise<MetadataOutcome>;
}
