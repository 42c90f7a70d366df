import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { BlockList } from '../core/block-list.ts';
import type { Clock } from '../core/clock.ts';
import { digestToBytes } from '../core/digest.ts';
import { type ErrorCode, QuasarError } from '../core/errors.ts';
import type { DocumentId, Scope, UploadId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { findNoted } from '../database/noted.ts';
import { type ConnectionPool, type Transaction, withSnapshot, withTransaction } from '../database/transaction.ts';
import { encodeBlockEntries } from './block-entries.ts';
import { createSession } from './postgres-create-session.ts';
import type { DurablePrefix, UploadSession } from './session.ts';
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
    const work = (transaction: Transaction) => createSession(transaction, { ...wish, note }, this.#clock.now());
    return withTransaction(this.#pool, by, work, { proof: { orgId: by.orgId, eventIds: [note.id] } });
  }

  async find(scope: Scope, uploadId: UploadId): Promise<UploadSession | undefined> {
    const text = `SELECT ${SESSION_COLUMNS} FROM quasar.find_upload($1, $2, $3)`;
    const { rows } = await this.#pool.query<SessionRow>(text, [scope.orgId, scope.principalId, uploadId]);
    return rows[0] && toSession(rows[0], this.#clock.now());
  }

  async findOpenByDocument(scope: Scope, documentId: DocumentId): Promise<UploadSession | undefined> {
    const session = await this.#findWhere(scope, "document_id = $3 AND state IN ('open', 'sealing')", documentId);
    return session?.state === 'expired' ? undefined : session;
  }

  async takeOver(scope: Scope, uploadId: UploadId): Promise<{ session: UploadSession; prefix: DurablePrefix }> {
    const now = this.#clock.now();
    const row = await this.#write<HeldRow & { readonly blocks: Buffer | null }>(scope, uploadId, {
      columns: 'blocks, ',
      call: 'quasar.claim_upload($1, $2, $3, $4, $5, $6)',
      values: [now, now + this.#lifetimeMs, limits.checkpointReadEntries],
      demand: { now, op: 'upload.takeOver' },
    });
    return { session: toSession(row, now), prefix: { blocks: await this.#blocksOf(scope, row), piece: toPiece(row) } };
  }

  async checkpoint(scope: Scope, options: CheckpointOptions): Promise<void> {
    const { uploadId, fence, fromBlock, offset, blocks, piece } = options;
    const now = this.#clock.now();
    await this.#write(scope, uploadId, {
      call: 'quasar.checkpoint_upload($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
      values: [
        ...[now, fence, now + this.#lifetimeMs, offset, fromBlock, fromBlock + blocks.length],
        piece === undefined ? null : digestToBytes(piece.id),
        piece?.size ?? null,
        blocks.length === 0 ? null : encodeBlockEntries(blocks),
      ],
      demand: { now, op: 'upload.checkpoint', fence },
    });
  }

  seal(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#move(scope, uploadId, { from: 'open', to: 'sealing', fence, op: 'upload.seal' });
  }

  reopen(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#move(scope, uploadId, { from: 'sealing', to: 'open', fence, op: 'upload.reopen' });
  }

  cancel(by: Actor, uploadId: UploadId): Promise<boolean> {
    const eventIds: string[] = [];
    const work = async (transaction: Transaction) => {
      const row = await lockRow(transaction, uploadId);
      if (row === undefined) throw new QuasarError('upload_not_found', { op: 'upload.cancel' });
      if (!isLive(row.state)) return false;
      const expired = isPastItsTime(row, this.#clock.now());
      const note = by.note(cancelDeed(toSession(row, this.#clock.now())));
      eventIds.push(note.id);
      await findNoted(transaction, {
        orgId: by.orgId,
        text: 'UPDATE quasar.upload SET state = $3, fence = fence + 1 WHERE org_id = $1 AND id = $2 RETURNING state AS outcome',
        values: [by.orgId, uploadId, expired ? 'expired' : 'failed'],
        when: ['failed'],
        notes: [note],
      });
      await transaction.query('DELETE FROM quasar.upload_checkpoint WHERE org_id = $1 AND upload_id = $2', [by.orgId, uploadId]);
      return !expired;
    };
    return withTransaction(this.#pool, by, work, { proof: { orgId: by.orgId, eventIds } });
  }

  async #move(
    scope: Scope,
    uploadId: UploadId,
    move: { from: 'open' | 'sealing'; to: 'open' | 'sealing'; fence: number; op: string },
  ): Promise<void> {
    const { from, to, fence, op } = move;
    const now = this.#clock.now();
    await this.#write(scope, uploadId, {
      call: 'quasar.move_upload($1, $2, $3, $4, $5, $6, $7, $8)',
      values: [now, fence, from, to, now + this.#lifetimeMs],
      demand: { now, op, fence },
    });
  }

  /** One of the functions of migrations/000017-upload-round-trips.sql and what followed. The row as it is then. */
  async #write<Row extends HeldRow>(
    scope: Scope,
    uploadId: UploadId,
    write: { readonly columns?: string; readonly call: string; readonly values: readonly unknown[]; readonly demand: Demand },
  ): Promise<Row> {
    const { columns = '', call, values, demand } = write;
    const text = `SELECT fits, ${columns}${SESSION_COLUMNS} FROM (SELECT f.fits, ${columns}(f.held).* FROM ${call} AS f) AS written`;
    const { rows } = await this.#pool.change<Row>(text, [scope.orgId, scope.principalId, uploadId, ...values]);
    const [row] = rows;
    assert(row !== undefined, 'a write has an outcome');
    if (row.fits) return row;
    throw new QuasarError(row.id === null ? 'upload_not_found' : findFault(row as SessionRow, demand), { op: demand.op });
  }

  /** All durable blocks: the first came with the row, the others are read a few thousand at a time. */
  async #blocksOf(scope: Scope, row: HeldRow & { readonly blocks: Buffer | null }): Promise<BlockList> {
    const blocks = new BlockList(Math.max(4, row.block_count));
    if (row.blocks !== null) blocks.append(row.blocks);
    while (blocks.count < row.block_count) {
      const { rows } = await this.#pool.query<{ readonly blocks: Buffer | null }>(
        'SELECT quasar.upload_blocks($1, $2, $3, $4) AS blocks',
        [scope.orgId, row.id, blocks.count, Math.min(limits.checkpointReadEntries, row.block_count - blocks.count)],
      );
      const entries = rows[0]?.blocks;
      // The session was ended since it was claimed.
      if (entries === undefined || entries === null) throw new QuasarError('upload_closed', { op: 'upload.takeOver' });
      blocks.append(entries);
    }
    assert(blocks.count === row.block_count, 'the checkpoints hold every durable block');
    return blocks;
  }

  async #findWhere(scope: Scope, condition: string, value: string): Promise<UploadSession | undefined> {
    return withSnapshot(this.#pool, scope, async (transaction) => {
      const { rows } = await transaction.query<SessionRow>(
        `SELECT ${SESSION_COLUMNS} FROM quasar.upload WHERE org_id = $1 AND principal_id = $2 AND ${condition}`,
        [scope.orgId, scope.principalId, value],
      );
      return rows[0] && toSession(rows[0], this.#clock.now());
    });
  }
}

/** As `SessionRow`, all null when there is none. */
type HeldRow = SessionRow & { readonly fits: boolean };

interface Demand {
  readonly now: number;
  readonly op: string;
  /** Of the writer; without one any is welcome. */
  readonly fence?: number;
}

/** Why a row is not as demanded, in the order in which a caller can act on it. */
function findFault(row: SessionRow, { now, fence }: Demand): ErrorCode {
  if (row.state === 'expired' || isPastItsTime(row, now)) return 'upload_expired';
  if (!isLive(row.state)) return 'upload_closed';
  if (fence !== undefined && row.fence !== fence) return 'upload_taken_over';
  return 'upload_closed';
}

async function lockRow({ scope, query }: Transaction, uploadId: UploadId): Promise<SessionRow | undefined> {
  const { rows } = await query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM quasar.upload WHERE org_id = $1 AND principal_id = $2 AND id = $3 FOR UPDATE`,
    [scope.orgId, scope.principalId, uploadId],
  );
  return rows[0];
}
