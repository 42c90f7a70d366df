import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, Scope } from '../core/ids.ts';

/** What another system calls a document. */
export interface ExternalRef {
  readonly system: string;
  readonly value: string;
  /** RFC 8785; undefined for none. */
  readonly meta: string | undefined;
}

/**
 * Names of documents in other systems; of an org at most one document has a name.
 * Changes @throws QuasarError `precondition_failed` when the document is not what `guard` demands.
 */
export interface RefStore {
  /** `unchanged` when it is this document's already; what was said of it then stays. */
  addRef(
    by: Actor,
    documentId: DocumentId,
    ref: ExternalRef,
    atMs: number,
    guard?: DocumentGuard | undefined,
  ): Promise<'added' | 'unchanged' | 'ref_taken' | 'document_missing'>;
  /** False when the document does not have it. */
  removeRef(
    by: Actor,
    documentId: DocumentId,
    ref: { readonly system: string; readonly value: string },
    guard?: DocumentGuard | undefined,
  ): Promise<boolean>;
  /** By system and value. */
  listRefs(scope: Scope, documentId: DocumentId): Promise<readonly ExternalRef[]>;
  findRef(scope: Scope, ref: { readonly system: string; readonly value: string }): Promise<DocumentId | undefined>;
}
