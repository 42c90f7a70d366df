import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, PrincipalId, Scope, VersionId } from '../core/ids.ts';
import type { Page } from './catalog.ts';

export interface LabelWish {
  readonly documentId: DocumentId;
  readonly label: string;
  /** Where it shall stand. */
  readonly versionId: VersionId;
  /** Where it stands, as far as the caller knows; undefined: nowhere yet. */
  readonly expected: VersionId | undefined;
  readonly reason: string | undefined;
  readonly atMs: number;
  /** What the document must still be. @throws QuasarError `precondition_failed` when it is not. */
  readonly guard?: DocumentGuard | undefined;
}

export type LabelOutcome =
  | { readonly kind: 'moved'; readonly previous: VersionId | undefined; readonly movedAtMs: number }
  /** It stood there already, whatever was expected: a repeat of a move that was made. */
  | { readonly kind: 'unchanged' }
  /** It stands elsewhere than expected. */
  | { readonly kind: 'label_moved'; readonly current: VersionId | undefined }
  | { readonly kind: 'version_missing' }
  | { readonly kind: 'document_missing' };

export interface LabelMove {
  readonly versionId: VersionId;
  readonly previous: VersionId | undefined;
  readonly reason: string | undefined;
  readonly movedBy: PrincipalId;
  readonly movedAtMs: number;
}

/** Labels of documents, CURRENT among them: each names one version and moves by compare-and-set; where it stood is kept. */
export interface LabelStore {
  moveLabel(by: Actor, wish: LabelWish): Promise<LabelOutcome>;
  /**
   * Where the label stood at the end of that millisecond, or stands, when it is undefined. Undefined when it was nowhere, or all
   * is absent. `nowMs`: moves that were put ahead of it, behind the stamp of a wrong clock, count from when the clock said.
   */
  findLabel(
    scope: Scope,
    place: {
      readonly documentId: DocumentId;
      readonly label: string;
      readonly atMs: number | undefined;
      readonly nowMs?: number;
    },
  ): Promise<VersionId | undefined>;
  /** Latest first. `after` is a `next` of an earlier page. Empty for a label nobody ever set. */
  listLabelMoves(
    scope: Scope,
    place: { readonly documentId: DocumentId; readonly label: string },
    options: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<LabelMove>>;
}
