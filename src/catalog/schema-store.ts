import type { Actor } from '../core/actor.ts';
import type { Scope } from '../core/ids.ts';
import type { SchemaState } from '../core/schema-state.ts';
import type { Page } from './catalog.ts';

export interface StoredSchema {
  readonly urn: string;
  /** The namespace its data belongs to. */
  readonly namespace: string;
  readonly state: SchemaState;
  /** RFC 8785. */
  readonly body: string;
  /** SHA-256 of the body, in hex. */
  readonly digest: string;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
}

/** What lists tell of a schema. */
export type SchemaFacts = Omit<StoredSchema, 'body'>;

export type NewSchema = Omit<StoredSchema, 'createdAtMs' | 'changedAtMs'> & {
  /** Equal for namespaces that a reader could take for each other. */
  readonly twinKey: string;
};

/**
 * `unchanged` when the same content is there, whatever its state; `schema_differs` when other content is; `namespace_twin`
 * when the org has another namespace with the same twin key.
 */
export type AddOutcome = 'added' | 'unchanged' | 'schema_differs' | 'namespace_twin';

export interface StateChange {
  readonly urn: string;
  readonly from: SchemaState;
  /** Nothing becomes a draft again. */
  readonly to: Exclude<SchemaState, 'draft'>;
  readonly atMs: number;
}

export type StateOutcome =
  | { readonly kind: 'changed' }
  | { readonly kind: 'state_differs'; readonly state: SchemaState }
  | { readonly kind: 'schema_missing' };

/** The schemas of an org, by URN. What a URN means never changes; its state does. */
export interface SchemaStore {
  addSchema(by: Actor, schema: NewSchema, atMs: number): Promise<AddOutcome>;
  changeState(by: Actor, change: StateChange): Promise<StateOutcome>;
  findSchema(scope: Scope, urn: string): Promise<StoredSchema | undefined>;
  /** In the order of URNs; `after` is a `next` of an earlier page. */
  listSchemas(
    scope: Scope,
    options: { readonly namespace: string | undefined; readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<SchemaFacts>>;
}
