import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentId, Scope } from '../core/ids.ts';
import type { Queries } from '../database/transaction.ts';
import type { ExternalRef, RefStore } from './ref-store.ts';

type Added = Awaited<ReturnType<RefStore['addRef']>>;

/** The functions of migrations/000008-records.sql, one round trip each. */
export class PostgresRefStore implements RefStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async addRef(by: Actor, documentId: DocumentId, { system, value, meta }: ExternalRef, atMs: number): Promise<Added> {
    const values = [by.orgId, by.principalId, documentId, system, value, meta ?? null, atMs];
    const text = 'SELECT quasar.add_ref($1, $2, $3, $4, $5, $6, $7) AS outcome';
    const { rows } = await this.#queries.query<{ outcome: Added }>(text, values);
    const [row] = rows;
    assert(row !== undefined, 'an addition has an outcome');
    return row.outcome;
  }

  async removeRef(
    by: Actor,
    documentId: DocumentId,
    { system, value }: { readonly system: string; readonly value: string },
  ): Promise<boolean> {
    const values = [by.orgId, documentId, system, value];
    const { rows } = await this.#queries.query<{ removed: boolean }>(
      'SELECT quasar.remove_ref($1, $2, $3, $4) AS removed',
      values,
    );
    return rows[0]?.removed === true;
  }

  async listRefs(scope: Scope, documentId: DocumentId): Promise<readonly ExternalRef[]> {
    const { rows } = await this.#queries.query<{ system: string; value: string; meta: string | null }>(
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
    const { rows } = await this.#queries.query<{ document_id: DocumentId | null }>(text, [scope.orgId, system, value]);
    return rows[0]?.document_id ?? undefined;
  }
}
