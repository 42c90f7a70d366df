import type { Actor } from '../core/actor.ts';
import type { Scope } from '../core/ids.ts';

/** From one schema to another; the texts are JSON Patches as RFC 8785 writes them. */
export interface StoredMigration {
  readonly from: string;
  readonly to: string;
  readonly forward: string;
  readonly inverse: string;
}

/** How metadata of an org goes from schema to schema. What a pair of schemas means never changes. */
export interface MigrationStore {
  /** `samples`: the data it was shown for, RFC 8785. `unchanged` when the same transforms are there. */
  addMigration(
    by: Actor,
    migration: StoredMigration & { readonly samples: string },
    atMs: number,
  ): Promise<'added' | 'unchanged' | 'migration_differs'>;
  findMigration(scope: Scope, pair: { readonly from: string; readonly to: string }): Promise<StoredMigration | undefined>;
}
