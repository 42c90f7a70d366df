import type { ChunkerName } from '../chunker/hasher.ts';
import type { Actor } from '../core/actor.ts';
import type { BlobKey, ManifestRoot, Sha256 } from '../core/digest.ts';
import type { DocumentId, FolderId, Scope, UploadId, VersionId } from '../core/ids.ts';
import type { StoredMetadata } from './metadata-store.ts';
import type { ExternalRef } from './ref-store.ts';

/** What an org knows of a blob. `blockCount` 0 is the empty blob, 1 needs no manifest page: its only entry is its key. */
export interface BlobFacts {
  readonly key: BlobKey;
  readonly size: number;
  readonly sha256: Sha256;
  readonly chunker: ChunkerName;
  readonly manifestRoot: ManifestRoot;
  readonly blockCount: number;
}

export interface DocumentFacts {
  readonly documentId: DocumentId;
  readonly currentVersionId: VersionId;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A document with where it lies, and what keeps it from being disposed of. */
export interface DocumentDetails extends DocumentFacts {
  readonly folderId: FolderId | undefined;
  readonly retainUntilMs: number | undefined;
  readonly hold: { readonly reason: string; readonly setAtMs: number } | undefined;
}

/** All that is said of a document beside its versions, of one moment. */
export interface DocumentShown extends DocumentDetails {
  /** By system and value. */
  readonly refs: readonly ExternalRef[];
  /** 32 hex digits: another one as soon as anything that is shown of the document, labels included, is another. */
  readonly state: string;
}

export interface VersionFacts {
  readonly versionId: VersionId;
  readonly documentId: DocumentId;
  readonly parents: readonly VersionId[];
  readonly labels: readonly string[];
  readonly blob: BlobFacts;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly reason: string | undefined;
  readonly createdAtMs: number;
}

/** Which documents; what is undefined asks for nothing. */
export interface DocumentFilter {
  /** One of its versions has it. */
  readonly label: string | undefined;
  /** Its current version has canonical metadata of it. */
  readonly namespace: string | undefined;
  /** Made at this time or later, and before that one. */
  readonly createdFromMs: number | undefined;
  readonly createdBeforeMs: number | undefined;
}

export interface BlobDocumentsWish {
  /** Of a principal: its id, and those of its groups. */
  readonly names: readonly string[];
  readonly documentId: DocumentId | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page starts; undefined on the last one. Sealed before clients see it (http/cursor.ts). */
  readonly next: string | undefined;
}

/** A document in a list, by its current version. */
export type ListedDocument = DocumentFacts & {
  readonly current: VersionFacts;
  /** Where a page that ends with it ends. */
  readonly position: string;
};

/** What exists, as one org sees it. Reads only what is committed; `find` returns undefined for what is absent or another org's. */
export interface Catalog {
  /** Disposed of or not, like the versions: whether it may be shown is for others to say. */
  findDocument(scope: Scope, documentId: DocumentId): Promise<DocumentDetails | undefined>;
  /** As `findDocument`, with its external references and its state. */
  showDocument(scope: Scope, documentId: DocumentId): Promise<DocumentShown | undefined>;
  /** The version given, or the one labelled CURRENT. */
  findVersion(scope: Scope, documentId: DocumentId, versionId?: VersionId): Promise<VersionFacts | undefined>;
  findBlob(scope: Scope, key: BlobKey): Promise<BlobFacts | undefined>;
  /**
   * Documents that have it in one version at least and are not disposed of, newest first, as far as decisions about somebody
   * with these names tell them apart: of those that only the org's rules have a say about, and of those in one folder without
   * rules of their own for them, one stands for all. Looks at `limits.blobDocumentsExaminedMax` and answers
   * `limits.accessListBatchMax` at most, however many there are; with `documentId` at that one alone.
   */
  findBlobDocuments(scope: Scope, key: BlobKey, options: BlobDocumentsWish): Promise<readonly DocumentId[]>;
  /** Encoded manifest page (core/manifest.ts), for blobs of two blocks or more. Not verified here. */
  findManifestPage(scope: Scope, key: BlobKey, pageIndex: number): Promise<Uint8Array | undefined>;
  /** Those that fit and are not disposed of, by their current version, the one committed last first, whatever clocks said. `after` is a `next` of an earlier page. */
  listDocuments(
    scope: Scope,
    options: { limit: number; after: string | undefined; filter?: DocumentFilter },
  ): Promise<Page<ListedDocument>>;
  /** The one committed last first. */
  listVersions(
    scope: Scope,
    documentId: DocumentId,
    options: { limit: number; after: string | undefined },
  ): Promise<Page<VersionFacts>>;
}

/** Everything one commit makes true at once. */
export interface VersionCommit {
  readonly documentId: DocumentId;
  /** True makes the document; false requires it and puts the current version into `parents`. */
  readonly newDocument: boolean;
  /** Where a new document is to lie, when no session says it; undefined: in no folder. */
  readonly folderId?: FolderId | undefined;
  /** Of a further version: what the current one must be when it is committed; undefined when any will do. */
  readonly expectedVersionId: VersionId | undefined;
  readonly versionId: VersionId;
  readonly blob: BlobFacts;
  /** Encoded manifest pages in order; none for blobs of one block or less. */
  readonly pages: readonly Uint8Array[];
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly reason: string | undefined;
  /** Of a further version, besides the current one: versions of its document. */
  readonly parents?: readonly VersionId[] | undefined;
  /** Besides CURRENT, which always moves. */
  readonly labels: readonly string[];
  /** A further version is stamped later than the change before it, by a millisecond at least. */
  readonly createdAtMs: number;
  /** The answer to repeat when the same request comes again. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | undefined;
  /** Checked already; undefined or empty for none of its own, and for a session, which has its own. */
  readonly metadata?: readonly StoredMetadata[] | undefined;
  /** The session this finishes: its row must be `sealing` under this fence, and becomes `committed`. */
  readonly upload: { readonly uploadId: UploadId; readonly fence: number; readonly fingerprint: string } | undefined;
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly version: VersionFacts }
  /** The idempotency key was used for the same request: nothing was written, this is what it made. */
  | { readonly kind: 'repeated'; readonly version: VersionFacts }
  | { readonly kind: 'idempotency_mismatch' }
  /** Or disposed of. */
  | { readonly kind: 'document_missing' }
  | { readonly kind: 'document_exists' }
  /** The folder it was to lie in has gone. */
  | { readonly kind: 'folder_missing' }
  /** One of the further parents is no version of the document. */
  | { readonly kind: 'parent_missing' }
  /** The current version is not the expected one. */
  | { readonly kind: 'version_changed' }
  /** Another document has an external reference that the session brought along. */
  | { readonly kind: 'ref_taken' }
  | { readonly kind: 'fence_lost' }
  /** Whoever wants it, or his org, was suspended meanwhile. */
  | { readonly kind: 'suspended' };

/**
 * Commits versions. Calls made while a commit is under way share the next round trip (commit-queue in the adapter).
 * @throws QuasarError `database_unavailable` or `storage_full` when nothing was written; `commit_unknown` when the connection died
 * after the statement was sent: the caller re-reads (`findVersion` by `versionId`).
 */
export interface VersionCommitter {
  commit(by: Actor, wish: VersionCommit): Promise<CommitOutcome>;
  /** What an earlier request with this key made, if it is committed and not expired. */
  findByIdempotencyKey(
    scope: Scope,
    key: string,
  ): Promise<{ readonly fingerprint: string; readonly version: VersionFacts } | undefined>;
}
