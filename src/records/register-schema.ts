import type { StoredSchema } from '../catalog/schema-store.ts';
import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import type { SchemaState } from '../core/schema-state.ts';
import type { Iri } from '../metadata/iri.ts';
import { twinKey } from '../metadata/iri-twin.ts';
import type { JsonValue } from '../metadata/json-value.ts';
import { checkSchema } from '../metadata/schema-check.ts';
import { changeState } from '../metadata/schema-lifecycle.ts';
import type { SchemaUrn } from '../metadata/schema-urn.ts';
import type { RecordDeps } from './record-deps.ts';

export interface SchemaWish {
  readonly urn: SchemaUrn;
  readonly namespace: Iri;
  readonly state: Extract<SchemaState, 'draft' | 'active'>;
  readonly schema: JsonValue;
}

/**
 * Adds a schema under its URN; the same content again changes nothing, not even its state.
 * @throws QuasarError `schema_invalid`, `metadata_too_large`; `schema_differs` when the URN means something else;
 * `namespace_twin` when a namespace that looks like this one is there.
 */
export async function registerSchema(
  by: Actor,
  wish: SchemaWish,
  { schemas, validator, clock }: RecordDeps,
): Promise<{ readonly schema: StoredSchema; readonly added: boolean }> {
  const op = 'schema.register';
  const { urn } = wish.urn;
  const checked = checkSchema(wish.schema, urn);
  await validator.compile(checked, by);
  const digest = checked.hash.slice('sha256:'.length);
  await by.confirm?.();
  const { namespace, state } = wish;
  const atMs = clock.now();
  const facts = { urn, namespace, state, body: checked.text, digest };
  const outcome = await schemas.addSchema(by, { ...facts, twinKey: twinKey(namespace) }, atMs);
  // Not read again: what took place is not answered as what failed.
  if (outcome === 'added') return { schema: { ...facts, createdAtMs: atMs, changedAtMs: atMs }, added: true };
  if (outcome === 'namespace_twin') throw new QuasarError('namespace_twin', { op, details: { namespace } });
  const schema = await schemas.findSchema(by, urn);
  if (schema === undefined) throw new QuasarError('internal', { op });
  if (outcome === 'schema_differs') {
    throw new QuasarError('schema_differs', { op, details: { urn, canonicalHash: `sha256:${schema.digest}` } });
  }
  return { schema, added: false };
}

/** @throws QuasarError `schema_not_found`; `schema_state` when the state cannot follow the one it has. */
export async function changeSchemaState(
  by: Actor,
  { urn, to }: { readonly urn: string; readonly to: SchemaState },
  { schemas, clock }: RecordDeps,
): Promise<StoredSchema> {
  for (;;) {
    const schema = await findSchema(by, urn, { schemas });
    if (changeState(schema.state, to) === schema.state) return schema;
    assert(to !== 'draft', 'nothing becomes a draft again');
    // Somebody may have been faster: then the rules are asked again, of the state it has now. States only go forward.
    const atMs = clock.now();
    const { kind } = await schemas.changeState(by, { urn, from: schema.state, to, atMs });
    if (kind === 'changed') return { ...schema, state: to, changedAtMs: atMs };
  }
}

/** @throws QuasarError `schema_not_found`. */
export async function findSchema(scope: Scope, urn: string, { schemas }: Pick<RecordDeps, 'schemas'>): Promise<StoredSchema> {
  const schema = await schemas.findSchema(scope, urn);
  if (schema === undefined) throw new QuasarError('schema_not_found', { op: 'schema.find', details: { urn } });
  return schema;
}
