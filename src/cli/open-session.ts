import { QuasarError } from '../core/errors.ts';
import type { OpenedSession, SessionRequest } from './upload-client.ts';
import type { UploadTask } from './upload-file.ts';

/**
 * Opens a session, or goes on with one that was opened for the same bytes. A caller has one open session for a document at
 * a time: one for other bytes is another run's. @throws QuasarError `version_conflict` for that, unless --again gives it up.
 */
export async function openSession(request: SessionRequest, task: UploadTask): Promise<OpenedSession> {
  const { client, attempts } = task;
  const session = await attempts.run(() => client.open(request));
  if (!session.found || request.documentId === undefined) return session;
  const announced = await attempts.run(() => client.announced(session.uploadId));
  if (isFor(announced, request)) return session;
  if (!task.again) throw otherUpload(session.uploadId);
  await attempts.run(() => client.cancel(session.uploadId));
  // The key stands for the session that was given up.
  const next = { ...request, idempotencyKey: task.keyOf({ kind: 'session', blake3: request.digests.blake3 ?? '' }) };
  return attempts.run(() => client.open(next));
}

function isFor(announced: Pick<SessionRequest, 'size' | 'digests'>, { size, digests }: SessionRequest): boolean {
  return announced.size === size && announced.digests.blake3 === digests.blake3 && announced.digests.sha256 === digests.sha256;
}

export function otherUpload(uploadId: string): QuasarError {
  return new QuasarError('upload_taken_over', {
    op: 'cli.put',
    message: `Your upload ${uploadId} of other bytes to this document is not finished. Finish that one, or add --again to give it up.`,
    details: { uploadId },
  });
}
