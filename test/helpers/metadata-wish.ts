import type { MetadataChange, MetadataWish, StoredMetadata } from '../../src/catalog/metadata-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, type MetadataId, newId, type VersionId } from '../../src/core/ids.ts';

export const CASE = 'urn:quasar:ns:case';

/** A canonical entry of the namespace `CASE`; what the test is about is given as `changes`. */
export function metadataEntry(changes: Partial<StoredMetadata> = {}): StoredMetadata {
  return {
    metadataId: newId<MetadataId>(systemClock),
    layer: 'canonical',
    namespace: CASE,
    schema: 'urn:quasar:schema:case@1.0.0',
    status: 'valid',
    data: '{"number":"4 K 12/26"}',
    provenance: undefined,
    faults: undefined,
    ...changes,
  };
}

export function putting(made: StoredMetadata, base: MetadataChange['base'] = undefined): MetadataChange {
  return { layer: made.layer, namespace: made.namespace, base, entry: made };
}

export function metadataWish(
  documentId: DocumentId,
  changes: readonly MetadataChange[],
  more: Partial<MetadataWish> = {},
): MetadataWish {
  return {
    action: 'metadata.replace',
    documentId,
    versionId: newId<VersionId>(systemClock),
    expectedVersionId: undefined,
    changes,
    replaces: undefined,
    reason: undefined,
    atMs: systemClock.now(),
    ...more,
  };
}
