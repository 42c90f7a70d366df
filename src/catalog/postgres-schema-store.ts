import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { Scope } from '../core/ids.ts';
import type { SchemaState } from '../core/schema-state.ts';
import { askNoted } from '../database/noted.ts';
import type { Queries } from '../database/transaction.ts';
import type { Page } from './catalog.ts';
import { schemaDeed, schemaStateDeed } from './deeds.ts';
import type { AddOutcome, NewSchema, SchemaFacts, SchemaStore, StateChange, StateOutcome, StoredSchema } from './schema-store.ts';

interface SchemaFactsRow {
  readonly urn: string;
  readonly namespace: string;
  readonly state: SchemaState;
  readonly digest: string;
  readonly created_at_ms: number;
  readonly changed_at_ms: number;
}

interface SchemaRow extends SchemaFactsRow {
  readonly body: string;
}

/** The functions of migrations/000008-records.sql and what followed, one round trip each. */
export class PostgresSchemaStore implements SchemaStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async addSchema(by: Actor, schema: NewSchema, atMs: number): Promise<AddOutcome> {
    const { urn, namespace, twinKey, state, body, digest } = schema;
    const row = await askNoted<{ outcome: AddOutcome }>(this.#queries, {
      orgId: by.orgId,
      text: 'SELECT quasar.add_schema($1, $2, $3, $4, $5, $6, $7, $8, $9) AS outcome',
      values: [by.orgId, by.principalId, urn, namespace, twinKey, state, body, digest, atMs],
      when: ['added'],
      notes: [by.note(schemaDeed(schema))],
      done: { outcome: 'added' },
    });
    return row.outcome;
  }

  async changeState(by: Actor, { urn, from, to, atMs }: StateChange): Promise<StateOutcome> {
    const row = await askNoted<{ outcome: StateOutcome['kind']; state: SchemaState | null }>(this.#queries, {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.change_schema_state($1, $2, $3, $4, $5, $6)',
      values: [by.orgId, by.principalId, urn, from, to, atMs],
      when: ['changed'],
      notes: [by.note(schemaStateDeed(urn, from, to))],
      done: { outcome: 'changed', state: null },
    });
    if (row.outcome !== 'state_differs') return { kind: row.outcome };
    assert(row.state !== null, 'a schema has a state');
    return { kind: 'state_differs', state: row.state };
  }

  async findSchema(scope: Scope, urn: string): Promise<StoredSchema | undefined> {
    const { rows } = await this.#queries.query<SchemaRow>('SELECT * FROM quasar.find_schema($1, $2)', [scope.orgId, urn]);
    const [row] = rows;
    return row && toSchema(row);
  }

  async listSchemas(
    scope: Scope,
    {
      namespace,
      limit,
      after,
    }: { readonly namespace: string | undefined; readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<SchemaFacts>> {
    const values = [scope.orgId, namespace ?? null, after ?? null, limit + 1];
    const { rows } = await this.#queries.query<SchemaFactsRow>('SELECT * FROM quasar.page_of_schemas($1, $2, $3, $4)', values);
    const shown = rows.slice(0, limit);
    return { items: shown.map(toFacts), next: rows.length > limit ? shown.at(-1)?.urn : undefined };
  }
}

function toSchema(row: SchemaRow): StoredSchema {
  return { ...toFacts(row), body: row.body };
}

function toFacts({ urn, namespace, state, digest, created_at_ms, changed_at_ms }: SchemaFactsRow): SchemaFacts {
  return { urn, namespace, state, digest, createdAtMs: created_at_ms, changedAtMs: changed_at_ms };
}
