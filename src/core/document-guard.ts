import type { DocumentId, VersionId } from './ids.ts';

/**
 * What a document must still be when a change to it is made: one of these versions is current, or its state is one of
 * these (`DocumentShown.state`). Checked under the lock of its row, in the transaction of the change.
 */
export interface DocumentGuard {
  readonly documentId: DocumentId;
  readonly versions: readonly VersionId[];
  readonly states: readonly string[];
}
