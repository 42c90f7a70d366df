import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentId, MetadataId, PrincipalId, Scope, VersionId } from '../core/ids.ts';
import type { MetadataLayer } from '../core/metadata-layer.ts';
import { askNoted } from '../database/noted.ts';
import type { Queries } from '../database/transaction.ts';
import { metadataNotes } from './deeds.ts';
import { toChangeRow } from './metadata-change-row.ts';
import type { FoundMetadata, MetadataOutcome, MetadataStore, MetadataWish } from './metadata-store.ts';

interface MetadataRow {
  readonly metadata_id: MetadataId;
  readonly layer: MetadataLayer;
  readonly namespace: string;
  readonly schema: string;
  readonly status: 'valid' | 'quarantined';
  readonly data: string;
  readonly provenance: string | null;
  readonly faults: string | null;
  readonly created_by: PrincipalId;
  readonly created_at_ms: number;
}

interface OutcomeRow {
  readonly outcome: MetadataOutcome['kind'];
  readonly namespace: string | null;
  readonly found_id: string | null;
}

/** The functions of migrations/000008-records.sql, one round trip each. */
export class PostgresMetadataStore implements MetadataStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async listMetadata(scope: Scope, documentId: DocumentId, versionId: VersionId): Promise<readonly FoundMetadata[]> {
    const values = [scope.orgId, documentId, versionId];
    const { rows } = await this.#queries.query<MetadataRow>('SELECT * FROM quasar.list_metadata($1, $2, $3)', values);
    return rows.map(toMetadata);
  }

  async commitMetadata(by: Actor, wish: MetadataWish): Promise<MetadataOutcome> {
    const { documentId, versionId, expectedVersionId, changes, replaces, reason, atMs } = wish;
    const row = await askNoted<OutcomeRow>(this.#queries, {
      orgId: by.orgId,
      text: 'SELECT * FROM quasar.commit_metadata($1, $2, $3, $4, $5, $6, $7, $8, $9)',
      values: [
        by.orgId,
        by.principalId,
        documentId,
        versionId,
        expectedVersionId ?? null,
        JSON.stringify(changes.map(toChangeRow)),
        replaces ?? null,
        reason ?? null,
        atMs,
      ],
      when: ['committed'],
      notes: metadataNotes(by, wish),
      done: { outcome: 'committed', namespace: null, found_id: null },
    });
    return toOutcome(row);
  }
}

function toOutcome({ outcome, namespace, found_id: found }: OutcomeRow): MetadataOutcome {
  switch (outcome) {
    case 'metadata_changed':
      assert(namespace !== null, 'a conflict names its namespace');
      return { kind: outcome, namespace, current: (found as MetadataId | null) ?? undefined };
    case 'version_changed':
      return { kind: outcome, current: found as VersionId };
    default:
      return { kind: outcome };
  }
}

function toMetadata(row: MetadataRow): FoundMetadata {
  return {
    metadataId: row.metadata_id,
    layer: row.layer,
    namespace: row.namespace,
    schema: row.schema,
    status: row.status,
    data: row.data,
    provenance: row.provenance ?? undefined,
    faults: row.faults ?? undefined,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
  };
}
