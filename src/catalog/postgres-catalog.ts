import { type BlobKey, blake3Of } from '../core/digest.ts';
import type { DocumentId, FolderId, Scope, VersionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Queries } from '../database/transaction.ts';
import type {
  BlobDocumentsWish,
  BlobFacts,
  Catalog,
  DocumentDetails,
  DocumentFilter,
  DocumentShown,
  ListedDocument,
  Page,
  VersionFacts,
} from './catalog.ts';
import { FindQueue, type QueuedFind } from './find-queue.ts';
import { type BlobRow, toBlobFacts, toVersionFacts, type VersionRow } from './version-row.ts';

interface DocumentRow {
  readonly document_id: DocumentId;
  readonly current_version_id: VersionId;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly folder_id: FolderId | null;
  readonly retain_until_ms: number | null;
  readonly hold_reason: string | null;
  readonly hold_set_at_ms: number | null;
}

type ShownRow = DocumentRow & {
  readonly refs: readonly { readonly system: string; readonly value: string; readonly meta: string | null }[];
  readonly state: string;
};

interface ListedVersionRow extends VersionRow {
  readonly position: string;
}

interface ListedRow extends ListedVersionRow {
  readonly document_created_at_ms: number;
  readonly document_updated_at_ms: number;
}

const FIND_VERSIONS = 'SELECT * FROM quasar.find_versions($1, $2, $3)';

/**
 * One round trip a question: each is a function of migrations/ that also names the org. Versions asked for while other
 * such questions are under way share the next one.
 */
export class PostgresCatalog implements Catalog {
  readonly #queries: Queries;
  readonly #finds = new FindQueue((batch) => this.#findBatch(batch));

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async findDocument(scope: Scope, documentId: DocumentId): Promise<DocumentDetails | undefined> {
    const [row] = await this.#rows<DocumentRow>('SELECT * FROM quasar.find_document($1, $2)', [scope.orgId, documentId]);
    return row && toDetails(row);
  }

  async showDocument(scope: Scope, documentId: DocumentId): Promise<DocumentShown | undefined> {
    const [row] = await this.#rows<ShownRow>('SELECT * FROM quasar.show_document($1, $2)', [scope.orgId, documentId]);
    if (row === undefined) return undefined;
    const refs = row.refs.map(({ system, value, meta }) => ({ system, value, meta: meta ?? undefined }));
    return { ...toDetails(row), refs, state: row.state };
  }

  findVersion(scope: Scope, documentId: DocumentId, versionId?: VersionId): Promise<VersionFacts | undefined> {
    return this.#finds.add(scope.orgId, documentId, versionId);
  }

  async findBlob(scope: Scope, key: BlobKey): Promise<BlobFacts | undefined> {
    const [row] = await this.#rows<BlobRow>('SELECT * FROM quasar.find_blob($1, $2)', [scope.orgId, blake3Of(key)]);
    return row && toBlobFacts(row);
  }

  async findBlobDocuments(scope: Scope, key: BlobKey, { names, documentId }: BlobDocumentsWish): Promise<readonly DocumentId[]> {
    const bounds = [limits.blobDocumentsExaminedMax, limits.accessListBatchMax];
    const values = [scope.orgId, blake3Of(key), names, documentId ?? null, ...bounds];
    const text = 'SELECT * FROM quasar.documents_of_blob($1, $2, $3::uuid[], $4, $5, $6)';
    return (await this.#rows<{ id: DocumentId }>(text, values)).map(({ id }) => id);
  }

  async findManifestPage(scope: Scope, key: BlobKey, pageIndex: number): Promise<Uint8Array | undefined> {
    const values = [scope.orgId, blake3Of(key), pageIndex];
    const [row] = await this.#rows<{ bytes: Buffer }>('SELECT * FROM quasar.find_manifest_page($1, $2, $3)', values);
    return row?.bytes;
  }

  async listDocuments(
    scope: Scope,
    options: { limit: number; after: string | undefined; filter?: DocumentFilter },
  ): Promise<Page<ListedDocument>> {
    const text = `
      SELECT listed.position, listed.created_at_ms AS document_created_at_ms, listed.updated_at_ms AS document_updated_at_ms, (listed.current).*
        FROM quasar.list_documents($1, $2, $3, $4, $5, $6, $7) AS listed`;
    const { label, namespace, createdFromMs, createdBeforeMs } = options.filter ?? ANY;
    const rows = await this.#rows<ListedRow>(text, [
      scope.orgId,
      options.after ?? null,
      options.limit + 1,
      label ?? null,
      namespace ?? null,
      createdFromMs ?? null,
      createdBeforeMs ?? null,
    ]);
    return toPage(rows, options.limit, toListedDocument);
  }

  async listVersions(
    scope: Scope,
    documentId: DocumentId,
    options: { limit: number; after: string | undefined },
  ): Promise<Page<VersionFacts>> {
    const values = [scope.orgId, documentId, options.after ?? null, options.limit + 1];
    const text = 'SELECT listed.position, (listed.version).* FROM quasar.list_versions($1, $2, $3, $4) AS listed';
    const rows = await this.#rows<ListedVersionRow>(text, values);
    return toPage(rows, options.limit, toVersionFacts);
  }

  async #findBatch(batch: readonly QueuedFind[]): Promise<void> {
    const documents = batch.map(({ documentId }) => documentId);
    const versions = batch.map(({ versionId }) => versionId ?? null);
    try {
      const rows = await this.#rows<VersionRow>(FIND_VERSIONS, [batch[0]?.orgId, documents, versions]);
      const found = byQuestion(rows);
      for (const { documentId, versionId, resolve } of batch) resolve(found.get(questionOf(documentId, versionId)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #rows<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const { rows } = await this.#queries.query<Row>(text, values);
    return rows;
  }
}

/** The rows are of one moment: the version labelled CURRENT also answers who asked for none by id. */
function byQuestion(rows: readonly VersionRow[]): ReadonlyMap<string, VersionFacts> {
  const found = new Map<string, VersionFacts>();
  for (const row of rows) {
    const version = toVersionFacts(row);
    found.set(questionOf(version.documentId, version.versionId), version);
    if (version.labels[0] === 'CURRENT') found.set(questionOf(version.documentId, undefined), version);
  }
  return found;
}

function questionOf(documentId: DocumentId, versionId: VersionId | undefined): string {
  return `${documentId}/${versionId ?? ''}`;
}

function toDetails(row: DocumentRow): DocumentDetails {
  const { hold_reason: reason, hold_set_at_ms: setAtMs } = row;
  return {
    documentId: row.document_id,
    currentVersionId: row.current_version_id,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    folderId: row.folder_id ?? undefined,
    retainUntilMs: row.retain_until_ms ?? undefined,
    hold: reason === null || setAtMs === null ? undefined : { reason, setAtMs },
  };
}

function toListedDocument(row: ListedRow): ListedDocument {
  return {
    position: row.position,
    documentId: row.document_id,
    currentVersionId: row.version_id,
    createdAtMs: row.document_created_at_ms,
    updatedAtMs: row.document_updated_at_ms,
    current: toVersionFacts(row),
  };
}

const ANY: DocumentFilter = { label: undefined, namespace: undefined, createdFromMs: undefined, createdBeforeMs: undefined };

/** One row more than wanted was asked for: it tells whether there is a next page. */
function toPage<Row extends ListedVersionRow, T>(rows: readonly Row[], limit: number, convert: (row: Row) => T): Page<T> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(convert), next: rows.length > limit ? shown.at(-1)?.position : undefined };
}
