import type { StoredMetadata } from '../catalog/metadata-store.ts';
import type { ExternalRef } from '../catalog/ref-store.ts';
import type { Actor } from '../core/actor.ts';
import type { CapabilitySet } from '../core/capability.ts';
import type { DocumentId, FolderId, GroupId, PrincipalId, RuleId, Scope, UploadId } from '../core/ids.ts';
import type { DurablePrefix, StoredBlock, UploadSession } from './session.ts';

/** An access rule as it is stored. */
export interface AttachedRule {
  readonly id: RuleId;
  readonly effect: 'allow' | 'deny';
  readonly actions: CapabilitySet;
  readonly principals: readonly (PrincipalId | GroupId)[];
}

/**
 * What a session brings along for its version, as quasar.upload keeps it (migrations/000008-records.sql and
 * 000012-disposal.sql). One with a folder or rules makes its document, or fails.
 */
export interface AttachedRecords {
  readonly refs: readonly ExternalRef[];
  readonly metadata: readonly StoredMetadata[];
  readonly folderId?: FolderId | undefined;
  /** The first of the document. Undefined: it begins without any. */
  readonly rules?: readonly AttachedRule[] | undefined;
}

export interface NewSession {
  readonly session: UploadSession;
  /** The client chose the id of the document: a new one must not have that of anything else in the org. */
  readonly idChosen?: boolean;
  readonly attached: AttachedRecords | undefined;
  /** Present when the client sent an Idempotency-Key; lives for `idempotencyLifetimeMs`. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | undefined;
}

export type CreateOutcome =
  | { readonly kind: 'created'; readonly session: UploadSession }
  /** The document has an open upload, or the key was used for the same request. */
  | { readonly kind: 'resumed'; readonly session: UploadSession }
  | { readonly kind: 'idempotency_mismatch' };

/**
 * Upload sessions and their durable block lists. A session belongs to the principal that made it, and is absent for everybody
 * else. Every write names the fence it was made under and fails with
 * `upload_taken_over` when the row has moved on, `upload_closed` when it is no longer open, `upload_expired`, `upload_not_found`.
 * All methods throw QuasarError `database_unavailable` when the database does not answer.
 */
export interface SessionStore {
  /**
   * At most one open upload per document and principal: a second create for it returns the first. Nobody is in anybody else's way.
   * @throws QuasarError `ref_taken` when another document has a reference it brings along; `subject_not_found`
   * when a rule names somebody the org has not, `stands_above` when one shuts out somebody above; `id_not_available`; `document_disposed`; `version_conflict` when a document that is there is to come into a folder or under rules.
   */
  create(by: Actor, wish: NewSession): Promise<CreateOutcome>;

  /** Undefined when there is none of this principal. An idle session past its time comes back as `expired`. */
  find(scope: Scope, uploadId: UploadId): Promise<UploadSession | undefined>;

  findOpenByDocument(scope: Scope, documentId: DocumentId): Promise<UploadSession | undefined>;

  /** Raises the fence and returns the row with its durable prefix; state must be open (or sealing left by a dead process). */
  takeOver(scope: Scope, uploadId: UploadId): Promise<{ readonly session: UploadSession; readonly prefix: DurablePrefix }>;

  /**
   * Moves the durable prefix forward: `blocks` follow those of the last checkpoint (`fromBlock` of them), `piece` replaces its piece.
   * Also extends the session's life.
   */
  checkpoint(scope: Scope, options: CheckpointOptions): Promise<void>;

  /** open → sealing under the fence. */
  seal(scope: Scope, uploadId: UploadId, fence: number): Promise<void>;
  /** sealing → open, after a failed check. */
  reopen(scope: Scope, uploadId: UploadId, fence: number): Promise<void>;
  /** → failed. Raises the fence, so that a running writer stops. False when it was already final. */
  cancel(by: Actor, uploadId: UploadId): Promise<boolean>;
}

export interface CheckpointOptions {
  readonly uploadId: UploadId;
  readonly fence: number;
  readonly offset: number;
  readonly fromBlock: number;
  readonly blocks: readonly StoredBlock[];
  readonly piece: StoredBlock | undefined;
}
