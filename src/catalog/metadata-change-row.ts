import type { MetadataChange } from './metadata-store.ts';

/** Fields of quasar.metadata_change. */
export function toChangeRow({ layer, namespace, base, entry }: MetadataChange): Record<string, unknown> {
  return {
    layer,
    namespace,
    checked: base !== undefined,
    base_id: base ?? null,
    metadata_id: entry?.metadataId,
    schema: entry?.schema,
    status: entry?.status,
    data: entry?.data,
    provenance: entry?.provenance,
    faults: entry?.faults,
  };
}
