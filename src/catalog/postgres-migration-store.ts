import type { Actor } from '../core/actor.ts';
import type { Scope } from '../core/ids.ts';
import { askNoted } from '../database/noted.ts';
import type { Queries } from '../database/transaction.ts';
import { migrationDeed } from './deeds.ts';
import type { MigrationStore, StoredMigration } from './migration-store.ts';

type Added = Awaited<ReturnType<MigrationStore['addMigration']>>;

/** The functions of migrations/000008-records.sql, one round trip each. */
export class PostgresMigrationStore implements MigrationStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async addMigration(by: Actor, migration: StoredMigration & { readonly samples: string }, atMs: number): Promise<Added> {
    const { from, to, forward, inverse, samples } = migration;
    const row = await askNoted<{ outcome: Added }>(this.#queries, {
      orgId: by.orgId,
      text: 'SELECT quasar.add_migration($1, $2, $3, $4, $5, $6, $7, $8) AS outcome',
      values: [by.orgId, by.principalId, from, to, forward, inverse, samples, atMs],
      when: ['added'],
      notes: [by.note(migrationDeed(migration))],
      done: { outcome: 'added' },
    });
    return row.outcome;
  }

  async findMigration(
    scope: Scope,
    { from, to }: { readonly from: string; readonly to: string },
  ): Promise<StoredMigration | undefined> {
    const { rows } = await this.#queries.query<{ forward: string; inverse: string }>(
      'SELECT * FROM quasar.find_migration($1, $2, $3)',
      [scope.orgId, from, to],
    );
    const [row] = rows;
    return row && { from, to, ...row };
  }
}
