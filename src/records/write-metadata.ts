import type { FoundMetadata, MetadataChange, MetadataOutcome, MetadataWish, StoredMetadata } from '../catalog/metadata-store.ts';
import type { StoredSchema } from '../catalog/schema-store.ts';
import type { Actor } from '../core/actor.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { QuasarError } from '../core/errors.ts';
import { type DocumentId, type MetadataId, newId, type Scope, type VersionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { MetadataLayer } from '../core/metadata-layer.ts';
import { entryOf, type SubmittedBundle } from '../metadata/envelope.ts';
import type { Iri } from '../metadata/iri.ts';
import { applyPatch } from '../metadata/json-patch.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../metadata/json-value.ts';
import { metadataInvalid } from '../metadata/metadata-fault.ts';
import type { JsonPatch } from '../metadata/patch-operation.ts';
import type { Provenance } from '../metadata/provenance.ts';
import { requireUsable } from '../metadata/schema-lifecycle.ts';
import { findPinnedSchema } from './pinned-schema.ts';
import type { RecordDeps } from './record-deps.ts';
import { findSchema } from './register-schema.ts';

export interface WrittenMetadata {
  /** The version that has it. */
  readonly versionId: VersionId;
  readonly entries: readonly StoredMetadata[];
}

/**
 * Makes a version whose layer holds these namespaces and no others. Canonical data that does not fit its schema is refused,
 * derived data is kept in quarantine.
 * @throws QuasarError `document_not_found`, `metadata_invalid`, `schema_state`, `validation_stopped`, `validation_busy`;
 * `precondition_failed` when the current version is not the expected one.
 */
export async function replaceBundle(
  by: Actor,
  wish: {
    readonly documentId: DocumentId;
    readonly bundle: SubmittedBundle;
    readonly expectedVersionId: VersionId | undefined;
    readonly reason: string | undefined;
  },
  deps: RecordDeps,
): Promise<WrittenMetadata> {
  const { documentId, bundle, expectedVersionId, reason } = wish;
  const entries = await makeEntries(by, bundle, deps);
  const changes = entries.map((entry) => ({ layer: bundle.layer, namespace: entry.namespace, base: undefined, entry }));
  return await commit(
    by,
    { action: 'metadata.replace', documentId, changes, expectedVersionId, replaces: bundle.layer, reason },
    deps,
  );
}

/**
 * What is to be stored of a bundle, validated.
 * @throws QuasarError `metadata_invalid`, `schema_state`, `validation_stopped`, `validation_busy`.
 */
export async function makeEntries(scope: Scope, bundle: SubmittedBundle, deps: RecordDeps): Promise<readonly StoredMetadata[]> {
  const entries: StoredMetadata[] = [];
  for (const entry of bundle.entries) {
    const { namespace, data } = entry;
    const schema = await findPinnedSchema(scope, entry, deps);
    entries.push(await makeEntry(scope, { ...bundle, namespace, data, schema }, deps));
  }
  return entries;
}

export interface PatchWish extends EntryPlace {
  /** The entry the patch was written against. */
  readonly base: MetadataId;
  readonly patch: JsonPatch;
  /** Of what a program made; people patch canonical metadata. */
  readonly provenance: Provenance | undefined;
  readonly reason: string | undefined;
}

/**
 * Makes a version whose namespace holds the patched data, under the schema it was pinned to.
 * @throws QuasarError `document_not_found`, `metadata_not_found`; `metadata_conflict` with the current entry when another one
 * than `base` is there; `patch_failed`, `metadata_invalid`, `metadata_too_large`, `schema_state`, `validation_stopped`,
 * `validation_busy`.
 */
export async function patchMetadata(by: Actor, wish: PatchWish, deps: RecordDeps): Promise<WrittenMetadata> {
  const { documentId, layer, namespace, base, patch, provenance, reason } = wish;
  const there = await findEntry(by, wish, deps);
  if (there.metadataId !== base) throw conflict(namespace, there.metadataId);
  const schema = await findSchema(by, there.schema, deps);
  requireUsable(schema.state, 'patch');
  const data = requireObject(applyPatch(JSON.parse(there.data) as JsonValue, patch));
  const made = { documentId, layer, namespace, base, data, schema, provenance, reason };
  return putEntry(by, { action: 'metadata.patch', ...made }, deps);
}

/**
 * Makes a version whose namespace holds this data, if the entry it replaces is still `base`.
 * @throws QuasarError `document_not_found`, `metadata_conflict`, `metadata_invalid`, `validation_stopped`, `validation_busy`.
 */
export async function putEntry(
  by: Actor,
  wish: EntryPlace & {
    readonly action: MetadataWish['action'];
    readonly base: MetadataId;
    readonly data: JsonObject;
    readonly schema: StoredSchema;
    readonly provenance: Provenance | undefined;
    readonly reason: string | undefined;
  },
  deps: RecordDeps,
): Promise<WrittenMetadata> {
  const { action, documentId, layer, namespace, base, reason } = wish;
  const entry = await makeEntry(by, wish, deps);
  await requireRoom(by, wish, entry, deps);
  const changes = [{ layer, namespace, base, entry }];
  return await commit(by, { action, documentId, changes, expectedVersionId: undefined, replaces: undefined, reason }, deps);
}

export interface EntryPlace {
  readonly documentId: DocumentId;
  readonly layer: MetadataLayer;
  readonly namespace: Iri;
}

/** What the current version has there. @throws QuasarError `document_not_found`, `metadata_not_found`. */
export async function findEntry(
  scope: Scope,
  { documentId, layer, namespace }: EntryPlace,
  deps: RecordDeps,
): Promise<FoundMetadata> {
  const entries = await currentLayer(scope, { documentId, layer }, deps);
  const entry = entries.find((one) => one.namespace === namespace);
  if (entry === undefined) throw new QuasarError('metadata_not_found', { op: 'metadata.find', details: { namespace } });
  return entry;
}

async function currentLayer(
  scope: Scope,
  { documentId, layer }: Omit<EntryPlace, 'namespace'>,
  { catalog, metadata }: RecordDeps,
): Promise<readonly FoundMetadata[]> {
  const current = await catalog.findVersion(scope, documentId);
  if (current === undefined) throw new QuasarError('document_not_found', { op: 'metadata.find' });
  const entries = await metadata.listMetadata(scope, documentId, current.versionId);
  return entries.filter((entry) => entry.layer === layer);
}

/** A layer that grows entry by entry stays one that an answer can show. */
async function requireRoom(scope: Scope, place: EntryPlace, entry: StoredMetadata, deps: RecordDeps): Promise<void> {
  const others = (await currentLayer(scope, place, deps)).filter(({ namespace }) => namespace !== place.namespace);
  const size = [...others, entry].reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
  const max = limits.metadataLayerSizeMax;
  if (size <= max) return;
  throw new QuasarError('metadata_too_large', {
    op: 'metadata.write',
    message: `The ${place.layer} metadata of the document would have ${size} bytes in all namespaces together; the limit is ${max}.`,
    details: { bound: 'layer', is: size, max },
  });
}

async function makeEntry(
  asker: Scope,
  made: {
    readonly layer: MetadataLayer;
    readonly namespace: Iri;
    readonly data: JsonObject;
    readonly schema: StoredSchema;
    readonly provenance: Provenance | undefined;
  },
  { validator, clock }: RecordDeps,
): Promise<StoredMetadata> {
  const { layer, namespace, data, schema, provenance } = made;
  const faults = await validator.validate({ text: schema.body, hash: `sha256:${schema.digest}` }, data, asker);
  const { status, errors } = entryOf({ layer, namespace, schema: schema.urn as Iri, data, faults });
  return {
    metadataId: newId<MetadataId>(clock),
    layer,
    namespace,
    schema: schema.urn,
    status,
    data: canonicalJson(data),
    provenance: provenance && canonicalJson(provenance),
    faults: status === 'valid' ? undefined : canonicalJson(errors),
  };
}

async function commit(
  by: Actor,
  wish: Omit<MetadataWish, 'versionId' | 'atMs' | 'changes'> & {
    readonly changes: readonly (MetadataChange & { readonly entry: StoredMetadata })[];
  },
  { metadata, clock }: RecordDeps,
): Promise<WrittenMetadata> {
  const versionId = newId<VersionId>(clock);
  // Checks by schemas may have waited for their turn.
  await by.confirm?.();
  refuse(await metadata.commitMetadata(by, { ...wish, versionId, atMs: clock.now() }));
  return { versionId, entries: wish.changes.map(({ entry }) => entry) };
}

function refuse(outcome: MetadataOutcome): void {
  const op = 'metadata.commit';
  switch (outcome.kind) {
    case 'document_missing':
      throw new QuasarError('document_not_found', { op });
    case 'version_changed':
      throw new QuasarError('precondition_failed', { op, details: { versionId: outcome.current } });
    case 'metadata_changed':
      throw conflict(outcome.namespace, outcome.current);
    case 'committed':
  }
}

function conflict(namespace: string, current: MetadataId | undefined): QuasarError {
  return new QuasarError('metadata_conflict', { op: 'metadata.commit', details: { namespace, metadataId: current ?? null } });
}

function requireObject(data: JsonValue): JsonObject {
  if (isJsonObject(data)) return data;
  throw metadataInvalid('metadata.patch', [{ path: '', code: 'type', message: 'The patch leaves no object' }]);
}
