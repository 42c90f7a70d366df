import type { CommitOutcome, VersionFacts } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { newId, type Scope, type VersionId } from '../core/ids.ts';
import { checkDigests, commitBlob } from './commit.ts';
import type { LiveUpload } from './live-upload.ts';
import { readPiece } from './piece.ts';
import type { AnnouncedDigests, UploadSession } from './session.ts';
import type { Finalized, UploadsDeps } from './uploads.ts';

export interface FinalizeWish {
  readonly labels: readonly string[];
  readonly reason: string | undefined;
  /** Versions it comes from besides the current one. */
  readonly parents: readonly VersionId[];
  readonly digests: AnnouncedDigests;
  /** Of the arguments in canonical form: the same wish has the same fingerprint. */
  readonly fingerprint: string;
  /**
   * A session for a new document may add a version to one that somebody else has made since; without, that is
   * `version_conflict`, and the session stays open.
   */
  readonly mayAdd?: boolean;
}

/** Last cut, digests, one commit. A check that fails leaves the session open and nothing visible. */
export async function finalizeUpload(
  by: Actor,
  session: UploadSession,
  live: LiveUpload,
  wish: FinalizeWish,
  deps: UploadsDeps,
): Promise<Finalized> {
  const op = 'upload.finalize';
  const { uploadId } = session;
  if (session.size !== undefined && live.offset < session.size) {
    throw new QuasarError('upload_incomplete', { op, details: { offset: live.offset, size: session.size } });
  }
  live.sound = false;
  await deps.sessions.seal(by, uploadId, live.fence);
  try {
    await cutPiece(live, deps);
    const digests = await live.digests();
    checkDigests(digests, [session.digests, wish.digests]);
    const blob = { blocks: live.blocks, digests, chunker: session.chunker, unstored: [] };
    const version = {
      documentId: session.documentId,
      newDocument: session.newDocument && wish.mayAdd !== true,
      expectedVersionId: undefined,
      versionId: newId<VersionId>(deps.clock),
      filename: session.filename,
      contentType: session.contentType,
      reason: wish.reason,
      parents: wish.parents,
      labels: wish.labels,
      idempotency: undefined,
      upload: { uploadId, fence: live.fence, fingerprint: wish.fingerprint },
    };
    const outcome = await commitBlob(by, blob, version, deps);
    return { version: versionOf(outcome, op), repeated: outcome.kind === 'repeated' };
  } catch (error) {
    await reopen(by, live, deps);
    throw error;
  }
}

/** After a failed check the session takes bytes again. One that was cancelled or taken over meanwhile is left as it is. */
async function reopen(scope: Scope, { uploadId, fence }: LiveUpload, { sessions, log }: UploadsDeps): Promise<void> {
  try {
    await sessions.reopen(scope, uploadId, fence);
  } catch (error) {
    if (isQuasarError(error) && error.kind === 'conflict') return;
    log.warn({ uploadId, error }, 'a session stays sealing after a failed finalize; the next call takes it over');
  }
}

/** What a commit made, or the failure its outcome means. */
export function versionOf(outcome: CommitOutcome, op: string): VersionFacts {
  switch (outcome.kind) {
    case 'committed':
    case 'repeated':
      return outcome.version;
    case 'idempotency_mismatch':
      throw new QuasarError('idempotency_mismatch', { op });
    case 'document_missing':
      throw new QuasarError('document_not_found', { op });
    case 'parent_missing':
      throw new QuasarError('version_not_found', { op });
    case 'folder_missing':
      throw new QuasarError('folder_not_found', { op });
    case 'document_exists':
      throw new QuasarError('version_conflict', { op });
    case 'version_changed':
      throw new QuasarError('precondition_failed', { op });
    case 'ref_taken':
      throw new QuasarError('ref_taken', { op });
    case 'fence_lost':
      throw new QuasarError('upload_taken_over', { op });
    case 'suspended':
      throw new QuasarError('unauthenticated', { op, details: { reason: 'token_revoked' } });
  }
}

/** The bytes after the last cut become the last block. */
async function cutPiece(live: LiveUpload, deps: UploadsDeps): Promise<void> {
  const { piece } = live;
  if (piece === undefined) return;
  // A reader's slot: an upload that has all its bytes is not kept from its end by those that still send theirs.
  const slot = await deps.slab.acquire();
  try {
    const whole = live.hashedUpToDate;
    const size = await readPiece(piece, slot, deps);
    const blocks = await live.stream.cut({ ranges: [{ at: slot.at, size }], final: true, whole });
    await deps.node.putBlocks(
      blocks.map(({ id, at, size: length }) => ({ kind: 'data', id, bytes: deps.slab.bytes.subarray(at, at + length) })),
    );
    for (const { id, size: length } of blocks) live.blocks.push(id, length);
    if (whole) live.markHashed();
    live.piece = undefined;
  } finally {
    slot.release();
  }
}
