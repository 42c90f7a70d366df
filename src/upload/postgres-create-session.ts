import { toChangeRow } from '../catalog/metadata-change-row.ts';
import type { AuditNote } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { standsAbove } from '../core/stands-above.ts';
import { findNoted } from '../database/noted.ts';
import type { Transaction } from '../database/transaction.ts';
import type { UploadSession } from './session.ts';
import { isPastItsTime, SESSION_COLUMNS, type SessionRow, toSession } from './session-row.ts';
import type { AttachedRecords, AttachedRule, CreateOutcome, NewSession } from './session-store.ts';

/** How often a rival's session may come and go between our look and our insert. */
const ATTEMPTS_MAX = 8;

/** Stored when the session is made. */
type NotedSession = NewSession & { readonly note: AuditNote };

/** The key first, then the document: a key that was used answers for its own request, whatever the document does now. */
export async function createSession(transaction: Transaction, wish: NotedSession, nowMs: number): Promise<CreateOutcome> {
  const { idempotency, attached } = wish;
  if (idempotency !== undefined && !(await claimKey(transaction, wish, idempotency, nowMs))) {
    return answerForKey(transaction, idempotency, nowMs);
  }
  if (wish.idChosen === true && wish.session.newDocument) await requireFreeId(transaction, wish.session);
  if (attached !== undefined) await requireFit(transaction, wish.session, attached);
  const session = await insertOrFind(transaction, wish, nowMs);
  await requireUndisposed(transaction, session);
  if (session.uploadId === wish.session.uploadId) return { kind: 'created', session };
  if (idempotency !== undefined) await pointKeyAt(transaction, idempotency.key, session);
  return { kind: 'resumed', session };
}

/** Ids of an org name one thing each; and that one is taken shall not tell of what. */
async function requireFreeId({ scope, query }: Transaction, { documentId }: UploadSession): Promise<void> {
  const { rows } = await query<{ used: boolean }>('SELECT quasar.is_id_used($1, $2) AS used', [scope.orgId, documentId]);
  if (rows[0]?.used !== false) throw new QuasarError('id_not_available', { op: 'upload.create' });
}

async function requireFit(
  transaction: Transaction,
  session: UploadSession,
  { folderId, rules, refs }: AttachedRecords,
): Promise<void> {
  if (!session.newDocument && (folderId !== undefined || rules !== undefined)) {
    const message = 'The document is there already: a folder and initial permissions are for a new one.';
    throw new QuasarError('version_conflict', { op: 'upload.create', message });
  }
  if (rules !== undefined) {
    await requireSubjects(transaction, rules);
    await requireNobodyShutOut(transaction, session, rules);
  }
  if (refs.length > 0) await requireFree(transaction, session, refs);
}

/** Before a byte is sent. The commit asks again. */
async function requireFree(
  { scope, query }: Transaction,
  { documentId }: UploadSession,
  refs: AttachedRecords['refs'],
): Promise<void> {
  const { rows } = await query<{ system: string; value: string }>(
    `SELECT system, value FROM quasar.external_ref held JOIN jsonb_to_recordset($2) AS wish (system text, value text) USING (system, value)
      WHERE held.org_id = $1 AND held.document_id <> $3 ORDER BY system, value LIMIT 1`,
    [scope.orgId, JSON.stringify(refs.map(({ system, value }) => ({ system, value }))), documentId],
  );
  const [taken] = rows;
  if (taken !== undefined) throw new QuasarError('ref_taken', { op: 'upload.create', details: { ...taken } });
}

/** Whoever is named is not looked at again: principals stay, and rules about a group that has gone are about nobody. */
async function requireSubjects({ scope, query }: Transaction, rules: readonly AttachedRule[]): Promise<void> {
  const text = 'SELECT quasar.find_stranger($1, $2) AS subject_id';
  const { rows } = await query<{ subject_id: string | null }>(text, [scope.orgId, JSON.stringify(rules)]);
  const subjectId = rows[0]?.subject_id ?? undefined;
  if (subjectId !== undefined) throw new QuasarError('subject_not_found', { op: 'upload.create', details: { subjectId } });
}

async function requireNobodyShutOut(
  { scope, query }: Transaction,
  { documentId, folderId }: UploadSession,
  rules: readonly AttachedRule[],
): Promise<void> {
  const text = "SELECT quasar.find_shut_out($1, $2, 'document', $3, $4, $5) AS subject_id";
  const values = [scope.orgId, scope.principalId, documentId, folderId ?? null, JSON.stringify(rules)];
  const { rows } = await query<{ subject_id: string | null }>(text, values);
  const subjectId = rows[0]?.subject_id ?? undefined;
  if (subjectId !== undefined) throw standsAbove(subjectId, rules, 'upload.create');
}

/** Behind the session's row, like everybody who locks both: whoever disposes of the document ends this session or is seen. */
async function requireUndisposed({ scope, query }: Transaction, session: UploadSession): Promise<void> {
  if (session.newDocument) return;
  const text = 'SELECT disposed_at IS NOT NULL AS disposed FROM quasar.document WHERE org_id = $1 AND id = $2 FOR KEY SHARE';
  const { rows } = await query<{ disposed: boolean }>(text, [scope.orgId, session.documentId]);
  if (rows[0]?.disposed === true) throw new QuasarError('document_disposed', { op: 'upload.create' });
}

/** False when the key is in use. One past its time is as good as new. */
async function claimKey(
  { scope, query }: Transaction,
  { session }: NewSession,
  { key, fingerprint }: { key: string; fingerprint: string },
  nowMs: number,
): Promise<boolean> {
  const { rows } = await query(
    `INSERT INTO quasar.idempotency AS held (org_id, principal_id, key, fingerprint, document_id, upload_id, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, quasar.from_ms($7))
     ON CONFLICT (org_id, principal_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, document_id = excluded.document_id, upload_id = excluded.upload_id,
           version_id = NULL, expires_at = excluded.expires_at
       WHERE held.expires_at <= quasar.from_ms($8)
     RETURNING key`,
    [
      scope.orgId,
      scope.principalId,
      key,
      fingerprint,
      session.documentId,
      session.uploadId,
      nowMs + limits.idempotencyLifetimeMs,
      nowMs,
    ],
  );
  return rows.length === 1;
}

async function answerForKey(
  { scope, query }: Transaction,
  { key, fingerprint }: { key: string; fingerprint: string },
  nowMs: number,
): Promise<CreateOutcome> {
  const { rows } = await query<SessionRow & { used_for: string }>(
    `SELECT held.fingerprint AS used_for, found.*
       FROM quasar.idempotency AS held
       LEFT JOIN LATERAL (SELECT ${SESSION_COLUMNS} FROM quasar.upload WHERE org_id = held.org_id AND id = held.upload_id) AS found ON true
      WHERE held.org_id = $1 AND held.principal_id = $2 AND held.key = $3`,
    [scope.orgId, scope.principalId, key],
  );
  const [row] = rows;
  assert(row !== undefined, 'a key that is in use is there');
  if (row.used_for !== fingerprint || row.id === null) return { kind: 'idempotency_mismatch' };
  return { kind: 'resumed', session: toSession(row, nowMs) };
}

/** The unique index on live sessions decides between rivals; whoever loses finds the other's. */
async function insertOrFind(transaction: Transaction, wish: NotedSession, nowMs: number): Promise<UploadSession> {
  const { session } = wish;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (await insert(transaction, wish)) return session;
    const live = await findLive(transaction, session);
    if (live === undefined) continue;
    if (!isPastItsTime(live, nowMs)) return toSession(live, nowMs);
    await expire(transaction, live);
  }
  throw new Error('Sessions of one document come and go too fast.');
}

async function insert(transaction: Transaction, { session, attached, note }: NotedSession): Promise<boolean> {
  const { orgId, principalId } = transaction.scope;
  const made = await findNoted(transaction, {
    orgId,
    text: `INSERT INTO quasar.upload (org_id, id, principal_id, document_id, new_document, state, fence, durable_offset, block_count,
                                size, filename, content_type, announced_blake3, announced_sha256, chunker, idempotency_key,
                                created_at, expires_at, attached)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, decode($12, 'hex'), decode($13, 'hex'), $14, $15,
             quasar.from_ms($16), quasar.from_ms($17), $18)
     ON CONFLICT (org_id, document_id, principal_id) WHERE state IN ('open', 'sealing') DO NOTHING
     RETURNING 'created' AS outcome`,
    values: [
      orgId,
      session.uploadId,
      principalId,
      session.documentId,
      session.newDocument,
      session.state,
      session.fence,
      session.offset,
      session.size ?? null,
      session.filename ?? null,
      session.contentType,
      session.digests.blake3 ?? null,
      session.digests.sha256 ?? null,
      session.chunker,
      session.idempotencyKey ?? null,
      session.createdAtMs,
      session.expiresAtMs,
      attached === undefined ? null : JSON.stringify(toAttachedRow(attached)),
    ],
    when: ['created'],
    notes: [note],
  });
  return made !== undefined;
}

function toAttachedRow({ refs, metadata, folderId, rules = [] }: AttachedRecords): Record<string, unknown> {
  const changes = metadata.map((entry) =>
    toChangeRow({ layer: entry.layer, namespace: entry.namespace, base: undefined, entry }),
  );
  return {
    refs,
    ...(metadata.length === 0 ? {} : { metadata: changes }),
    folder_id: folderId,
    ...(rules.length === 0 ? {} : { rules }),
  };
}

async function findLive({ scope, query }: Transaction, session: UploadSession): Promise<SessionRow | undefined> {
  const { rows } = await query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM quasar.upload
      WHERE org_id = $1 AND document_id = $2 AND principal_id = $3 AND state IN ('open', 'sealing') FOR UPDATE`,
    [scope.orgId, session.documentId, scope.principalId],
  );
  return rows[0];
}

async function expire({ scope, query }: Transaction, row: SessionRow): Promise<void> {
  await query("UPDATE quasar.upload SET state = 'expired', fence = fence + 1 WHERE org_id = $1 AND id = $2", [
    scope.orgId,
    row.id,
  ]);
  await query('DELETE FROM quasar.upload_checkpoint WHERE org_id = $1 AND upload_id = $2', [scope.orgId, row.id]);
}

async function pointKeyAt({ scope, query }: Transaction, key: string, session: UploadSession): Promise<void> {
  await query(
    'UPDATE quasar.idempotency SET document_id = $4, upload_id = $5 WHERE org_id = $1 AND principal_id = $2 AND key = $3',
    [scope.orgId, scope.principalId, key, session.documentId, session.uploadId],
  );
}
