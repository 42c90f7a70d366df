import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, UploadId } from '../core/ids.ts';

/** Why something is done to a document, and when. */
export interface DisposalWish {
  readonly documentId: DocumentId;
  readonly reason: string;
  readonly atMs: number;
  /** What the document must still be. All changes @throws QuasarError `precondition_failed` when it is not. */
  readonly guard?: DocumentGuard | undefined;
}

export interface RetentionWish {
  readonly documentId: DocumentId;
  readonly untilMs: number;
  readonly reason: string | undefined;
  readonly guard?: DocumentGuard | undefined;
}

export type DisposeOutcome =
  /** With the upload sessions that this ended. */
  | { readonly kind: 'disposed'; readonly uploadIds: readonly UploadId[] }
  /** It was before. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'document_held' }
  | { readonly kind: 'document_retained'; readonly untilMs: number }
  | { readonly kind: 'document_missing' };

export type RetentionOutcome =
  /** With the time that stands: of 'retention_shortened' a later one than was asked for. */
  | { readonly kind: 'changed' | 'unchanged' | 'retention_shortened'; readonly untilMs: number }
  | { readonly kind: 'document_missing' };

export type HoldOutcome =
  | { readonly kind: 'changed' | 'unchanged'; readonly setAtMs: number }
  | { readonly kind: 'document_missing' };

/**
 * The end of documents, and what keeps them from it. One that is disposed of is missing for every change, also for those
 * under way; what it was stays. Its external references are free again, and its open upload sessions have failed.
 */
export interface DisposalStore {
  /** Refused under a hold, and before the end of its retention. */
  disposeDocument(by: Actor, wish: DisposalWish): Promise<DisposeOutcome>;
  /** Only ever later. */
  setRetention(by: Actor, wish: RetentionWish): Promise<RetentionOutcome>;
  /** One hold at most: another reason takes the place of the one before. `unchanged`: it is held for this one. */
  setHold(by: Actor, wish: DisposalWish): Promise<HoldOutcome>;
  /** The reason is for the audit log. `unchanged`: there was none. */
  releaseHold(by: Actor, wish: DisposalWish): Promise<'changed' | 'unchanged' | 'document_missing'>;
}
