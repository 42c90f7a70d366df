import type { ChunkerName } from '../chunker/hasher.ts';
import { type BlockId, digestToHex } from '../core/digest.ts';
import type { DocumentId, FolderId, PrincipalId, UploadId, VersionId } from '../core/ids.ts';
import type { StoredBlock, UploadSession, UploadState } from './session.ts';

/** A row of quasar.upload as SESSION_COLUMNS reads it. */
export interface SessionRow {
  readonly id: UploadId;
  readonly principal_id: PrincipalId;
  readonly document_id: DocumentId;
  readonly new_document: boolean;
  readonly folder_id: FolderId | null;
  readonly brings_rules: boolean;
  readonly state: UploadState;
  readonly fence: number;
  readonly durable_offset: number;
  readonly block_count: number;
  readonly piece_id: Buffer | null;
  readonly piece_size: number | null;
  readonly size: number | null;
  readonly filename: string | null;
  readonly content_type: string;
  readonly blake3: string | null;
  readonly sha256: string | null;
  readonly chunker: ChunkerName;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly idempotency_key: string | null;
  readonly version_id: VersionId | null;
  readonly fingerprint: string | null;
}

export const SESSION_COLUMNS = `
  id, principal_id, document_id, new_document, (attached ->> 'folder_id')::uuid AS folder_id,
  coalesce(attached ? 'rules', false) AS brings_rules, state, fence::double precision AS fence, durable_offset::double precision AS durable_offset,
  block_count, piece_id, piece_size, size::double precision AS size, filename, content_type,
  encode(announced_blake3, 'hex') AS blake3, encode(announced_sha256, 'hex') AS sha256, chunker,
  quasar.to_ms(created_at) AS created_at_ms, quasar.to_ms(expires_at) AS expires_at_ms, idempotency_key, version_id, fingerprint`;

/** A session past its time counts as expired from that moment; its row follows when somebody next touches it. */
export function toSession(row: SessionRow, nowMs: number): UploadSession {
  return {
    uploadId: row.id,
    documentId: row.document_id,
    newDocument: row.new_document,
    folderId: row.folder_id ?? undefined,
    bringsRules: row.brings_rules,
    state: isPastItsTime(row, nowMs) ? 'expired' : row.state,
    fence: row.fence,
    offset: row.durable_offset,
    size: row.size ?? undefined,
    filename: row.filename ?? undefined,
    contentType: row.content_type,
    digests: {
      ...(row.blake3 === null ? {} : { blake3: row.blake3 }),
      ...(row.sha256 === null ? {} : { sha256: row.sha256 }),
    },
    chunker: row.chunker,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    idempotencyKey: row.idempotency_key ?? undefined,
    result:
      row.version_id === null || row.fingerprint === null
        ? undefined
        : { versionId: row.version_id, fingerprint: row.fingerprint },
  };
}

export function isPastItsTime(row: SessionRow, nowMs: number): boolean {
  return isLive(row.state) && row.expires_at_ms <= nowMs;
}

export function isLive(state: UploadState): boolean {
  return state === 'open' || state === 'sealing';
}

export function toPiece(row: SessionRow): StoredBlock | undefined {
  if (row.piece_id === null || row.piece_size === null) return undefined;
  return { id: digestToHex<BlockId>(row.piece_id), size: row.piece_size };
}
