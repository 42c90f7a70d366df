import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, Scope } from '../core/ids.ts';
import { askGuarded } from '../database/noted.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import { refDeed } from './deeds.ts';
import type { ExternalRef, RefStore } from './ref-store.ts';

type Added = Awaited<ReturnType<RefStore['addRef']>>;

/** The functions of migrations/000008-records.sql, one round trip each. */
export class PostgresRefStore implements RefStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async addRef(by: Actor, documentId: DocumentId, ref: ExternalRef, atMs: number, guard?: DocumentGuard): Promise<Added> {
    const { system, value, meta } = ref;
    const call = {
      orgId: by.orgId,
      text: 'SELECT quasar.add_ref($1, $2, $3, $4, $5, $6, $7) AS outcome',
      values: [by.orgId, by.principalId, documentId, system, value, meta ?? null, atMs],
      when: ['added'],
      notes: [by.note(refDeed('reference.add', documentId, ref))],
      done: { outcome: 'added' },
    };
    return (await askGuarded<{ outcome: Added }>(this.#pool, call, guard)).outcome;
  }

  async removeRef(
    by: Actor,
    documentId: DocumentId,
    ref: { readonly system: string; readonly value: string },
    guard?: DocumentGuard,
  ): Promise<boolean> {
    const call = {
      orgId: by.orgId,
      text: "SELECT CASE WHEN quasar.remove_ref($1, $2, $3, $4) THEN 'removed' ELSE 'absent' END AS outcome",
      values: [by.orgId, documentId, ref.system, ref.value],
      when: ['removed'],
      notes: [by.note(refDeed('reference.remove', documentId, ref))],
      done: { outcome: 'removed' },
    };
    return (await askGuarded<{ outcome: 'removed' | 'absent' }>(this.#pool, call, guard)).outcome === 'removed';
  }

  async listRefs(scope: Scope, documentId: DocumentId): Promise<readonly ExternalRef[]> {
    const { rows } = await this.#pool.query<{ system: string; value: string; meta: string | null }>(
      'SELECT * FROM quasar.list_refs($1, $2)',
      [scope.orgId, documentId],
    );
    return rows.map(({ system, value, meta }) => ({ system, value, meta: meta ?? undefined }));
  }

  async findRef(
    scope: Scope,
    { system, value }: { readonly system: string; readonly value: string },
  ): Promise<DocumentId | undefined> {
    const text = 'SELECT quasar.find_ref($1, $2, $3) AS document_id';
    const { rows } = await this.#pool.query<{ document_id: DocumentId | null }>(text, [scope.orgId, system, value]);
    return rows[0]?.document_id ?? undefined;
  }
}
