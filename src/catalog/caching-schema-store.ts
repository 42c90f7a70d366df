import type { Actor } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import type { Scope } from '../core/ids.ts';
import { LeastRecentlyUsed } from '../core/least-recently-used.ts';
import { limits } from '../core/limits.ts';
import type { AddOutcome, NewSchema, SchemaStore, StateChange, StateOutcome, StoredSchema } from './schema-store.ts';

interface Kept {
  readonly schema: StoredSchema;
  readonly untilMs: number;
}

/**
 * Spares most of those who pin metadata to a schema the look-up. A schema's state that another process changed is noticed
 * within `limits.schemaCacheMs`; one that this process changes, at once.
 */
export class CachingSchemaStore implements SchemaStore {
  readonly #store: SchemaStore;
  readonly #clock: Clock;
  readonly #kept = new LeastRecentlyUsed<Kept>(limits.schemaCacheEntriesMax);
  /** Counts changes of this process: what was asked before one is not kept after it. */
  #changes = 0;

  constructor(store: SchemaStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  addSchema(by: Actor, schema: NewSchema, atMs: number): Promise<AddOutcome> {
    return this.#store.addSchema(by, schema, atMs);
  }

  async changeState(by: Actor, change: StateChange): Promise<StateOutcome> {
    try {
      return await this.#store.changeState(by, change);
    } finally {
      this.#changes += 1;
      this.#kept.delete(keyOf(by, change.urn));
    }
  }

  async findSchema(scope: Scope, urn: string): Promise<StoredSchema | undefined> {
    const key = keyOf(scope, urn);
    const kept = this.#kept.get(key);
    // What is found is as old as the question.
    const askedAtMs = this.#clock.monotonic();
    if (kept !== undefined && askedAtMs < kept.untilMs) return kept.schema;
    const changes = this.#changes;
    const schema = await this.#store.findSchema(scope, urn);
    this.#kept.delete(key);
    if (schema !== undefined && changes === this.#changes)
      this.#kept.set(key, { schema, untilMs: askedAtMs + limits.schemaCacheMs });
    return schema;
  }

  listSchemas(...question: Parameters<SchemaStore['listSchemas']>): ReturnType<SchemaStore['listSchemas']> {
    return this.#store.listSchemas(...question);
  }
}

function keyOf({ orgId }: Scope, urn: string): string {
  return `${orgId} ${urn}`;
}
