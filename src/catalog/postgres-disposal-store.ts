import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { auditDetail } from '../core/audit-detail.ts';
import { toTimestamp } from '../core/clock.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { UploadId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { askGuarded, type NotedCall } from '../database/noted.ts';
import { isWorthRetrying } from '../database/postgres-errors.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import type {
  DisposalStore,
  DisposalWish,
  DisposeOutcome,
  HoldOutcome,
  RetentionOutcome,
  RetentionWish,
} from './disposal-store.ts';

interface DisposeRow {
  readonly outcome: DisposeOutcome['kind'];
  readonly retain_until_ms: number | null;
  readonly upload_ids: readonly UploadId[] | null;
}

interface RetentionRow {
  readonly outcome: RetentionOutcome['kind'];
  readonly retain_until_ms: number | null;
}

interface HoldRow {
  readonly outcome: HoldOutcome['kind'];
  readonly set_at_ms: number | null;
}

/** The functions of migrations/, one round trip each unless the document is guarded. */
export class PostgresDisposalStore implements DisposalStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async disposeDocument(by: Actor, { documentId, reason, atMs, guard }: DisposalWish): Promise<DisposeOutcome> {
    const row = await this.#ask<DisposeRow>(guard, {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.dispose_document($1, $2, $3, $4, $5)',
      values: [by.orgId, by.principalId, documentId, reason, atMs],
      when: ['disposed'],
      notes: [
        by.note({ action: 'document.dispose', resource: { kind: 'document', id: documentId }, detail: auditDetail({ reason }) }),
      ],
      done: { outcome: 'disposed', retain_until_ms: null, upload_ids: null },
    });
    switch (row.outcome) {
      case 'disposed':
        return { kind: row.outcome, uploadIds: row.upload_ids ?? [] };
      case 'document_retained':
        assert(row.retain_until_ms !== null, 'a retention has an end');
        return { kind: row.outcome, untilMs: row.retain_until_ms };
      default:
        return { kind: row.outcome };
    }
  }

  async setRetention(by: Actor, { documentId, untilMs, reason, guard }: RetentionWish): Promise<RetentionOutcome> {
    const detail = auditDetail({ retainUntil: toTimestamp(untilMs), reason });
    const row = await this.#ask<RetentionRow>(guard, {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.set_retention($1, $2, $3)',
      values: [by.orgId, documentId, untilMs],
      when: ['changed'],
      notes: [by.note({ action: 'retention.set', resource: { kind: 'document', id: documentId }, detail })],
      done: { outcome: 'changed', retain_until_ms: untilMs },
    });
    if (row.outcome === 'document_missing') return { kind: row.outcome };
    assert(row.retain_until_ms !== null, 'a retention has an end');
    return { kind: row.outcome, untilMs: row.retain_until_ms };
  }

  async setHold(by: Actor, { documentId, reason, atMs, guard }: DisposalWish): Promise<HoldOutcome> {
    const row = await this.#ask<HoldRow>(guard, {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.set_hold($1, $2, $3, $4, $5)',
      values: [by.orgId, by.principalId, documentId, reason, atMs],
      when: ['changed'],
      notes: [by.note({ action: 'hold.set', resource: { kind: 'document', id: documentId }, detail: auditDetail({ reason }) })],
      done: { outcome: 'changed', set_at_ms: atMs },
    });
    if (row.outcome === 'document_missing') return { kind: row.outcome };
    assert(row.set_at_ms !== null, 'a hold has a beginning');
    return { kind: row.outcome, setAtMs: row.set_at_ms };
  }

  async releaseHold(
    by: Actor,
    { documentId, reason, guard }: DisposalWish,
  ): Promise<'changed' | 'unchanged' | 'document_missing'> {
    const { outcome } = await this.#ask<{ readonly outcome: 'changed' | 'unchanged' | 'document_missing' }>(guard, {
      orgId: by.orgId,
      text: 'SELECT quasar.release_hold($1, $2) AS outcome',
      values: [by.orgId, documentId],
      when: ['changed'],
      notes: [
        by.note({ action: 'hold.release', resource: { kind: 'document', id: documentId }, detail: auditDetail({ reason }) }),
      ],
      done: { outcome: 'changed' },
    });
    return outcome;
  }

  /** A commit of several versions locks documents and sessions in an order of its own, so one of us may be the victim. */
  async #ask<Row extends { readonly outcome: string }>(guard: DocumentGuard | undefined, call: NotedCall): Promise<Row> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await askGuarded<Row>(this.#pool, call, guard);
      } catch (error) {
        if (attempt === limits.statementRetriesMax || !isWorthRetrying(error)) throw error;
      }
    }
  }
}
