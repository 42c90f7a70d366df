import { makeNote } from '../../src/audit/note-maker.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, type MetadataId, newId, type Scope, type VersionId } from '../../src/core/ids.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import type { Queries } from '../../src/database/transaction.ts';
import { type Filing, NAMESPACE } from './records-filing.ts';

/**
 * The statements that Quasar sends for a patch and for a read of metadata, and nothing around them: no HTTP, no decision, no
 * validation, no sharing of statements among requests.
 */
export class BareRecords {
  readonly #actor: Actor;
  readonly #catalog: PostgresCatalog;
  readonly #metadata: PostgresMetadataStore;

  private constructor(scope: Scope, connection: Queries) {
    this.#actor = actorIn(scope);
    this.#catalog = new PostgresCatalog(connection);
    this.#metadata = new PostgresMetadataStore(connection);
  }

  static async open(connection: Queries): Promise<BareRecords> {
    return new BareRecords(await findLocalScope(connection), connection);
  }

  async currentVersion(documentId: DocumentId): Promise<VersionId> {
    const version = await this.#catalog.findVersion(this.#actor, documentId);
    if (version === undefined) throw new Error('a document is not there');
    return version.versionId;
  }

  /** One statement: which version is current Quasar has in memory. */
  async read(documentId: DocumentId, versionId: VersionId): Promise<void> {
    const [entry] = await this.#metadata.listMetadata(this.#actor, documentId, versionId);
    if (entry === undefined) throw new Error('a document has no metadata');
  }

  /** Three statements, the last of which commits. */
  async patch(documentId: DocumentId, title: string): Promise<void> {
    const current = await this.currentVersion(documentId);
    const [there] = await this.#metadata.listMetadata(this.#actor, documentId, current);
    if (there === undefined) throw new Error('a document has no metadata');
    const data = JSON.stringify({ ...(JSON.parse(there.data) as Filing), title });
    const entry = { ...there, metadataId: newId<MetadataId>(systemClock), data };
    const { kind } = await this.#metadata.commitMetadata(this.#actor, {
      action: 'metadata.patch',
      documentId,
      versionId: newId<VersionId>(systemClock),
      expectedVersionId: undefined,
      changes: [{ layer: 'canonical', namespace: NAMESPACE, base: there.metadataId, entry }],
      replaces: undefined,
      reason: undefined,
      atMs: systemClock.now(),
    });
    if (kind !== 'committed') throw new Error(`a patch ended as ${kind}`);
  }
}

/** Notes what it does as Quasar notes it. */
function actorIn({ orgId, principalId }: Scope): Actor {
  const principal = { kind: 'service_account', id: principalId } as const;
  const context = { orgId, principal, outcome: 'allowed', reason: 'role_allows', requestId: 'bench' } as const;
  return { orgId, principalId, note: (deed) => makeNote(context, deed, systemClock) };
}
