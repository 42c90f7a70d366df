import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentId, PrincipalId, Scope, VersionId } from '../core/ids.ts';
import { askGuarded } from '../database/noted.ts';
import { tookPlace } from '../database/outcome.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import type { Page } from './catalog.ts';
import { labelDeed } from './deeds.ts';
import type { LabelMove, LabelOutcome, LabelStore, LabelWish } from './label-store.ts';

interface OutcomeRow {
  readonly outcome: LabelOutcome['kind'];
  readonly version_id: VersionId | null;
  readonly previous_version_id: VersionId | null;
  readonly moved_at_ms: number | null;
}

interface MoveRow {
  readonly version_id: VersionId;
  readonly previous_version_id: VersionId | null;
  readonly reason: string | null;
  readonly moved_by: PrincipalId;
  /** Microseconds since the epoch: the cursor of the list. */
  readonly moved_at_us: string;
}

/** The functions of migrations/000007-label-moves.sql, one round trip each unless the document is guarded. */
export class PostgresLabelStore implements LabelStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async moveLabel(by: Actor, wish: LabelWish): Promise<LabelOutcome> {
    const { documentId, label, versionId, expected, reason, atMs } = wish;
    const call = {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.move_label($1, $2, $3, $4, $5, $6, $7, $8)',
      values: [by.orgId, by.principalId, documentId, label, versionId, expected ?? null, reason ?? null, atMs],
      when: ['moved'],
      notes: [by.note(labelDeed(wish))],
    };
    try {
      return toOutcome(await askGuarded<OutcomeRow>(this.#pool, call, wish.guard));
    } catch (error) {
      const move = tookPlace(error) ? await this.#findMove(by, wish) : undefined;
      if (move === undefined) throw error;
      return { kind: 'moved', previous: move.previous, movedAtMs: move.movedAtMs };
    }
  }

  /** The last move there, since it was not long ago. */
  async #findMove(scope: Scope, { documentId, label, versionId }: LabelWish): Promise<LabelMove | undefined> {
    const { items } = await this.listLabelMoves(scope, { documentId, label }, { limit: MOVES_SINCE, after: undefined });
    return items.find((move) => move.versionId === versionId);
  }

  async findLabel(
    scope: Scope,
    { documentId, label, atMs, nowMs }: Parameters<LabelStore['findLabel']>[1],
  ): Promise<VersionId | undefined> {
    const values = [scope.orgId, documentId, label, atMs ?? null, nowMs ?? END_OF_TIME_MS];
    const text = 'SELECT quasar.label_at($1, $2, $3, $4, $5) AS version_id';
    const { rows } = await this.#pool.query<{ version_id: VersionId | null }>(text, values);
    return rows[0]?.version_id ?? undefined;
  }

  async listLabelMoves(
    scope: Scope,
    { documentId, label }: { readonly documentId: DocumentId; readonly label: string },
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<LabelMove>> {
    const values = [scope.orgId, documentId, label, after ?? null, limit + 1];
    const { rows } = await this.#pool.query<MoveRow>('SELECT * FROM quasar.list_label_moves($1, $2, $3, $4, $5)', values);
    const shown = rows.slice(0, limit);
    return { items: shown.map(toMove), next: rows.length > limit ? shown.at(-1)?.moved_at_us : undefined };
  }
}

function toOutcome(row: OutcomeRow): LabelOutcome {
  switch (row.outcome) {
    case 'moved':
      assert(row.moved_at_ms !== null, 'a move has a time');
      return { kind: 'moved', previous: row.previous_version_id ?? undefined, movedAtMs: row.moved_at_ms };
    case 'label_moved':
      return { kind: 'label_moved', current: row.version_id ?? undefined };
    default:
      return { kind: row.outcome };
  }
}

function toMove(row: MoveRow): LabelMove {
  return {
    versionId: row.version_id,
    previous: row.previous_version_id ?? undefined,
    reason: row.reason ?? undefined,
    movedBy: row.moved_by,
    movedAtMs: Math.floor(Number(row.moved_at_us) / 1000),
  };
}

/** Moves that others may have made since. */
const MOVES_SINCE = 20;
/** The last millisecond of the year 9999, the last one a timestamp of ours can name. */
const END_OF_TIME_MS = 253_402_300_799_999;
