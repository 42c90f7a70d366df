import type { ChunkerName } from '../chunker/hasher.ts';
import type { BlockList } from '../core/block-list.ts';
import type { BlockId } from '../core/digest.ts';
import type { DocumentId, FolderId, UploadId, VersionId } from '../core/ids.ts';

/**
 * Upload session states:
 * - `open`: takes bytes. Left by finalize (sealing), cancel (failed) or 7 idle days (expired).
 * - `sealing`: all bytes are in; digests and commit are under way. Left by commit (committed), by a failed check or a
 *   crash (back to open).
 * - `committed`, `failed`, `expired`: final. A committed row keeps its answer.
 */
export type UploadState = 'open' | 'sealing' | 'committed' | 'failed' | 'expired';

/** Digests a client announced; compared at finalize. Hex, without prefixes. */
export interface AnnouncedDigests {
  readonly blake3?: string;
  readonly sha256?: string;
}

export interface UploadSession {
  readonly uploadId: UploadId;
  readonly documentId: DocumentId;
  /** False when the document existed before: finalize then makes a further version. */
  readonly newDocument: boolean;
  /** Where a new document is to lie. */
  readonly folderId: FolderId | undefined;
  /** A new document is to begin under rules that came with the session. */
  readonly bringsRules: boolean;
  readonly state: UploadState;
  /** Raised by every take-over; writes under an older fence are refused. */
  readonly fence: number;
  /** Durable, checkpointed bytes: a promise. */
  readonly offset: number;
  /** Declared size, if any. */
  readonly size: number | undefined;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly digests: AnnouncedDigests;
  readonly chunker: ChunkerName;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly idempotencyKey: string | undefined;
  /** Set once committed. */
  readonly result: { readonly versionId: VersionId; readonly fingerprint: string } | undefined;
}

/** A block of an upload that is durable: manifest entry to be. */
export interface StoredBlock {
  readonly id: BlockId;
  readonly size: number;
}

/** The durable prefix: whole blocks, then at most one piece (the bytes after the last cut). */
export interface DurablePrefix {
  /** Whoever takes the prefix over owns the list. */
  readonly blocks: BlockList;
  readonly piece: StoredBlock | undefined;
}
