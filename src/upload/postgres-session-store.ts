import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { digestToBytes } from '../core/digest.ts';
import { type ErrorCode, QuasarError } from '../core/errors.ts';
import type { DocumentId, Scope, UploadId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { findNoted } from '../database/noted.ts';
import { type ConnectionPool, type Transaction, withTransaction } from '../database/transaction.ts';
import { decodeBlockEntries, encodeBlockEntries } from './block-entries.ts';
import { createSession } from './postgres-create-session.ts';
import type { DurablePrefix, StoredBlock, UploadSession } from './session.ts';
import { cancelDeed, createDeed } from './session-deeds.ts';
import { isLive, isPastItsTime, SESSION_COLUMNS, type SessionRow, toPiece, toSession } from './session-row.ts';
import type { CheckpointOptions, CreateOutcome, NewSession, SessionStore } from './session-store.ts';

/** Sessions in quasar.upload. Every write locks the session's row first, so that fence and state hold until it commits. */
export class PostgresSessionStore implements SessionStore {
  readonly #pool: ConnectionPool;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;

  /** `lifetimeMs`: how long a session lives after it was last written to. */
  constructor(options: { pool: ConnectionPool; clock: Clock; lifetimeMs?: number }) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#lifetimeMs = options.lifetimeMs ?? limits.uploadLifetimeMs;
  }

  async create(by: Actor, wish: NewSession): Promise<CreateOutcome> {
    const note = by.note(createDeed(wish));
    return withTransaction(this.#pool, by, (transaction) => createSession(transaction, { ...wish, note }, this.#clock.now()));
  }

  find(scope: Scope, uploadId: UploadId): Promise<UploadSession | undefined> {
    return this.#findWhere(scope, 'id = $3', uploadId);
  }

  async findOpenByDocument(scope: Scope, documentId: DocumentId): Promise<UploadSession | undefined> {
    const session = await this.#findWhere(scope, "document_id = $3 AND state IN ('open', 'sealing')", documentId);
    return session?.state === 'expired' ? undefined : session;
  }

  takeOver(scope: Scope, uploadId: UploadId): Promise<{ session: UploadSession; prefix: DurablePrefix }> {
    const now = this.#clock.now();
    return withTransaction(this.#pool, scope, async (transaction) => {
      await lockLive(transaction, uploadId, { now, op: 'upload.takeOver' });
      const { rows } = await transaction.query<SessionRow>(
        `UPDATE quasar.upload SET state = 'open', fence = fence + 1, expires_at = quasar.from_ms($3)
          WHERE org_id = $1 AND id = $2 RETURNING ${SESSION_COLUMNS}`,
        [scope.orgId, uploadId, now + this.#lifetimeMs],
      );
      const [row] = rows;
      assert(row !== undefined, 'a locked row is there');
      return { session: toSession(row, now), prefix: { blocks: await readBlocks(transaction, row), piece: toPiece(row) } };
    });
  }

  async checkpoint(scope: Scope, options: CheckpointOptions): Promise<void> {
    const { uploadId, fence, fromBlock, offset, blocks, piece } = options;
    const now = this.#clock.now();
    const op = 'upload.checkpoint';
    await withTransaction(this.#pool, scope, async (transaction) => {
      const row = await lockLive(transaction, uploadId, { now, op, fence, state: 'open' });
      // The answer to an earlier try may have been lost.
      if (row.block_count === fromBlock + blocks.length && row.durable_offset === offset) return;
      assert(row.block_count === fromBlock, 'a checkpoint continues the one before');
      assert(row.durable_offset <= offset, 'a durable prefix never shrinks');
      await transaction.query(
        `UPDATE quasar.upload SET durable_offset = $3, block_count = $4, piece_id = $5, piece_size = $6, expires_at = quasar.from_ms($7)
          WHERE org_id = $1 AND id = $2`,
        [
          scope.orgId,
          uploadId,
          offset,
          fromBlock + blocks.length,
          piece === undefined ? null : digestToBytes(piece.id),
          piece?.size ?? null,
          now + this.#lifetimeMs,
        ],
      );
      if (blocks.length === 0) return;
      await transaction.query(
        'INSERT INTO quasar.upload_checkpoint (org_id, upload_id, from_block, blocks) VALUES ($1, $2, $3, $4)',
        [scope.orgId, uploadId, fromBlock, encodeBlockEntries(blocks)],
      );
    });
  }

  seal(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#move(scope, uploadId, { from: 'open', to: 'sealing', fence, op: 'upload.seal' });
  }

  reopen(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#move(scope, uploadId, { from: 'sealing', to: 'open', fence, op: 'upload.reopen' });
  }

  cancel(by: Actor, uploadId: UploadId): Promise<boolean> {
    return withTransaction(this.#pool, by, async (transaction) => {
      const row = await lockRow(transaction, uploadId);
      if (row === undefined) throw new QuasarError('upload_not_found', { op: 'upload.cancel' });
      if (!isLive(row.state)) return false;
      const expired = isPastItsTime(row, this.#clock.now());
      await findNoted(transaction, {
        orgId: by.orgId,
        text: 'UPDATE quasar.upload SET state = $3, fence = fence + 1 WHERE org_id = $1 AND id = $2 RETURNING state AS outcome',
        values: [by.orgId, uploadId, expired ? 'expired' : 'failed'],
        when: ['failed'],
        notes: [by.note(cancelDeed(toSession(row, this.#clock.now())))],
      });
      await transaction.query('DELETE FROM quasar.upload_checkpoint WHERE org_id = $1 AND upload_id = $2', [by.orgId, uploadId]);
      return !expired;
    });
  }

  #move(
    scope: Scope,
    uploadId: UploadId,
    move: { from: 'open' | 'sealing'; to: 'open' | 'sealing'; fence: number; op: string },
  ): Promise<void> {
    const now = this.#clock.now();
    return withTransaction(this.#pool, scope, async (transaction) => {
      await lockLive(transaction, uploadId, { now, op: move.op, fence: move.fence, state: move.from });
      await transaction.query(
        'UPDATE quasar.upload SET state = $3, expires_at = quasar.from_ms($4) WHERE org_id = $1 AND id = $2',
        [scope.orgId, uploadId, move.to, now + this.#lifetimeMs],
      );
    });
  }

  async #findWhere(scope: Scope, condition: string, value: string): Promise<UploadSession | undefined> {
    return withTransaction(this.#pool, scope, async (transaction) => {
      const { rows } = await transaction.query<SessionRow>(
        `SELECT ${SESSION_COLUMNS} FROM quasar.upload WHERE org_id = $1 AND principal_id = $2 AND ${condition}`,
        [scope.orgId, scope.principalId, value],
      );
      return rows[0] && toSession(rows[0], this.#clock.now());
    });
  }
}

interface Demand {
  readonly now: number;
  readonly op: string;
  /** Of the writer; without one any is welcome. */
  readonly fence?: number;
  readonly state?: 'open' | 'sealing';
}

/** Locks the row and returns it if it is as demanded. Why it is not is told in the order in which a caller can act on it. */
async function lockLive(transaction: Transaction, uploadId: UploadId, demand: Demand): Promise<SessionRow> {
  const row = await lockRow(transaction, uploadId);
  const fault = row === undefined ? 'upload_not_found' : findFault(row, demand);
  if (fault !== undefined) throw new QuasarError(fault, { op: demand.op });
  return row as SessionRow;
}

function findFault(row: SessionRow, { now, fence, state }: Demand): ErrorCode | undefined {
  if (row.state === 'expired' || isPastItsTime(row, now)) return 'upload_expired';
  if (!isLive(row.state)) return 'upload_closed';
  if (fence !== undefined && row.fence !== fence) return 'upload_taken_over';
  return state !== undefined && row.state !== state ? 'upload_closed' : undefined;
}

async function lockRow({ scope, query }: Transaction, uploadId: UploadId): Promise<SessionRow | undefined> {
  const { rows } = await query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM quasar.upload WHERE org_id = $1 AND principal_id = $2 AND id = $3 FOR UPDATE`,
    [scope.orgId, scope.principalId, uploadId],
  );
  return rows[0];
}

async function readBlocks({ scope, query }: Transaction, row: SessionRow): Promise<StoredBlock[]> {
  const { rows } = await query<{ blocks: Buffer }>(
    'SELECT blocks FROM quasar.upload_checkpoint WHERE org_id = $1 AND upload_id = $2 ORDER BY from_block',
    [scope.orgId, row.id],
  );
  const blocks: StoredBlock[] = [];
  for (const checkpoint of rows) decodeBlockEntries(checkpoint.blocks, blocks);
  assert(blocks.length === row.block_count, 'the checkpoints hold every durable block');
  return blocks;
}
