import type { Deed } from '../core/actor.ts';
import { auditDetail } from '../core/audit-detail.ts';
import { capabilityNames } from '../core/capability.ts';
import type { UploadSession } from './session.ts';
import type { NewSession } from './session-store.ts';

/** What the changes of upload sessions are in the words of the audit log. */

/** `references` and `entries` count what the session brings along for its version; the folder and rules are its document's. */
export function createDeed({ session, attached }: NewSession): Deed {
  const { uploadId, documentId, newDocument, size } = session;
  return {
    action: 'upload.create',
    resource: { kind: 'upload', id: uploadId },
    detail: auditDetail({
      documentId,
      newDocument,
      size,
      references: attached?.refs.length || undefined,
      entries: attached?.metadata.length || undefined,
      folderId: attached?.folderId,
      rules: attached?.rules?.map(({ id, effect, actions, principals }) => ({
        ...{ id, effect, principals },
        actions: capabilityNames(actions),
      })),
    }),
  };
}

export function cancelDeed({ uploadId, documentId, offset }: Pick<UploadSession, 'uploadId' | 'documentId' | 'offset'>): Deed {
  return { action: 'upload.cancel', resource: { kind: 'upload', id: uploadId }, detail: { documentId, offset } };
}
