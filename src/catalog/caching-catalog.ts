import type { Actor } from '../core/actor.ts';
import type { BlobKey } from '../core/digest.ts';
import { isQuasarError } from '../core/errors.ts';
import type { DocumentId, Scope, VersionId } from '../core/ids.ts';
import { LeastRecentlyUsed } from '../core/least-recently-used.ts';
import { limits } from '../core/limits.ts';
import type { BlobFacts, Catalog, CommitOutcome, VersionCommit, VersionCommitter, VersionFacts } from './catalog.ts';
import type { DisposalStore, DisposalWish, DisposeOutcome } from './disposal-store.ts';
import type { LabelOutcome, LabelStore, LabelWish } from './label-store.ts';
import type { FoundMetadata, MetadataOutcome, MetadataStore, MetadataWish } from './metadata-store.ts';

export interface CachingCatalogOptions {
  readonly catalog: Catalog;
  readonly committer: VersionCommitter;
  readonly labels: LabelStore;
  readonly metadata: MetadataStore;
  readonly disposals: DisposalStore;
  readonly entriesMax: number;
}

/**
 * A catalog that remembers versions and blobs it was asked for and the documents it made, so that a range read, or the
 * first read of what was just stored, costs no round trip. Versions are immutable but for their labels; what a document's
 * current version is, a commit, a move of a label or a disposal through this object forgets. Nothing absent is remembered.
 *
 * Holds only where all changes of the deployment pass through this one process.
 */
export class CachingCatalog implements Catalog, VersionCommitter, LabelStore, MetadataStore, DisposalStore {
  readonly #catalog: Catalog;
  readonly #committer: VersionCommitter;
  readonly #labels: LabelStore;
  readonly #metadata: MetadataStore;
  readonly #disposals: DisposalStore;
  /** Current versions by document; apart from those asked for by id, which are few and searched when a document changes. */
  readonly #current: LeastRecentlyUsed<VersionFacts>;
  readonly #versions: LeastRecentlyUsed<VersionFacts>;
  readonly #blobs: LeastRecentlyUsed<BlobFacts>;
  /** What versions say of themselves, by version. */
  readonly #bundles: LeastRecentlyUsed<readonly FoundMetadata[]>;
  /** Documents with a commit that may still happen without our hearing of it: nothing of them is remembered any more. */
  readonly #doubtful = new Set<DocumentId>();
  readonly #entriesMax: number;
  /** Look-ups under way, by document: a commit in the meantime keeps their answers out of the cache. */
  readonly #finding = new Map<DocumentId, Set<{ stale: boolean }>>();

  constructor({ catalog, committer, labels, metadata, disposals, entriesMax }: CachingCatalogOptions) {
    this.#catalog = catalog;
    this.#committer = committer;
    this.#labels = labels;
    this.#metadata = metadata;
    this.#disposals = disposals;
    this.#entriesMax = entriesMax;
    this.#current = new LeastRecentlyUsed(entriesMax);
    this.#versions = new LeastRecentlyUsed(entriesMax);
    this.#blobs = new LeastRecentlyUsed(entriesMax);
    this.#bundles = new LeastRecentlyUsed(entriesMax, { max: limits.metadataCacheSize, weigh: weightOf });
  }

  /** What `findVersion` would answer, when that is known now. */
  peekVersion(scope: Scope, documentId: DocumentId, versionId: VersionId | undefined): VersionFacts | undefined {
    const key = documentKey(scope, documentId);
    return versionId === undefined ? this.#current.get(key) : this.#versions.get(key + versionId);
  }

  async findVersion(scope: Scope, documentId: DocumentId, versionId?: VersionId): Promise<VersionFacts | undefined> {
    const known = this.peekVersion(scope, documentId, versionId);
    if (known !== undefined) return known;
    const token = this.#startFinding(documentId);
    try {
      const version = await this.#catalog.findVersion(scope, documentId, versionId);
      if (version !== undefined) this.#remember(scope, versionId, version, token);
      return version;
    } finally {
      this.#endFinding(documentId, token);
    }
  }

  async findBlob(scope: Scope, key: BlobKey): Promise<BlobFacts | undefined> {
    const cacheKey = `${scope.orgId}/${key}`;
    const known = this.#blobs.get(cacheKey);
    if (known !== undefined) return known;
    const blob = await this.#catalog.findBlob(scope, key);
    if (blob !== undefined) this.#blobs.set(cacheKey, blob);
    return blob;
  }

  async commit(by: Actor, wish: VersionCommit): Promise<CommitOutcome> {
    try {
      return wish.newDocument ? await this.#commitNew(by, wish) : await this.#committer.commit(by, wish);
    } catch (error) {
      if (isQuasarError(error, 'commit_unknown')) this.#doubt(wish.documentId);
      throw error;
    } finally {
      if (!wish.newDocument) this.#forget(by, wish.documentId);
    }
  }

  moveLabel(by: Actor, wish: LabelWish): Promise<LabelOutcome> {
    return this.#change(by, wish.documentId, () => this.#labels.moveLabel(by, wish));
  }

  commitMetadata(by: Actor, wish: MetadataWish): Promise<MetadataOutcome> {
    return this.#change(by, wish.documentId, () => this.#metadata.commitMetadata(by, wish));
  }

  disposeDocument(by: Actor, wish: DisposalWish): Promise<DisposeOutcome> {
    return this.#change(by, wish.documentId, () => this.#disposals.disposeDocument(by, wish));
  }

  setRetention(...wish: Parameters<DisposalStore['setRetention']>): ReturnType<DisposalStore['setRetention']> {
    return this.#disposals.setRetention(...wish);
  }

  setHold(...wish: Parameters<DisposalStore['setHold']>): ReturnType<DisposalStore['setHold']> {
    return this.#disposals.setHold(...wish);
  }

  releaseHold(...wish: Parameters<DisposalStore['releaseHold']>): ReturnType<DisposalStore['releaseHold']> {
    return this.#disposals.releaseHold(...wish);
  }

  /** Of one version it never changes. That there is none is not remembered: the version may be to come. */
  async listMetadata(scope: Scope, documentId: DocumentId, versionId: VersionId): Promise<readonly FoundMetadata[]> {
    const key = `${documentKey(scope, documentId)}${versionId}`;
    const known = this.#bundles.get(key);
    if (known !== undefined) return known;
    const entries = await this.#metadata.listMetadata(scope, documentId, versionId);
    if (entries.length > 0) this.#bundles.set(key, entries);
    return entries;
  }

  findLabel(...question: Parameters<LabelStore['findLabel']>): ReturnType<LabelStore['findLabel']> {
    return this.#labels.findLabel(...question);
  }

  listLabelMoves(...question: Parameters<LabelStore['listLabelMoves']>): ReturnType<LabelStore['listLabelMoves']> {
    return this.#labels.listLabelMoves(...question);
  }

  /** Whoever stores a document often reads it next. A further version may be there already: its answer may overtake ours. */
  async #commitNew(by: Actor, wish: VersionCommit): Promise<CommitOutcome> {
    const { documentId } = wish;
    const token = this.#startFinding(documentId);
    try {
      const outcome = await this.#committer.commit(by, wish);
      if (outcome.kind === 'committed') this.#remember(by, undefined, outcome.version, token);
      return outcome;
    } finally {
      this.#endFinding(documentId, token);
    }
  }

  #remember(scope: Scope, asked: VersionId | undefined, version: VersionFacts, token: { readonly stale: boolean }): void {
    if (token.stale || this.#doubtful.has(version.documentId)) return;
    const key = documentKey(scope, version.documentId);
    if (asked === undefined) this.#current.set(key, version);
    else this.#versions.set(key + asked, version);
  }

  findByIdempotencyKey(scope: Scope, key: string): ReturnType<VersionCommitter['findByIdempotencyKey']> {
    return this.#committer.findByIdempotencyKey(scope, key);
  }

  findDocument(scope: Scope, documentId: DocumentId): ReturnType<Catalog['findDocument']> {
    return this.#catalog.findDocument(scope, documentId);
  }

  showDocument(...question: Parameters<Catalog['showDocument']>): ReturnType<Catalog['showDocument']> {
    return this.#catalog.showDocument(...question);
  }

  findBlobDocuments(...question: Parameters<Catalog['findBlobDocuments']>): ReturnType<Catalog['findBlobDocuments']> {
    return this.#catalog.findBlobDocuments(...question);
  }

  findManifestPage(scope: Scope, key: BlobKey, pageIndex: number): Promise<Uint8Array | undefined> {
    return this.#catalog.findManifestPage(scope, key, pageIndex);
  }

  listDocuments(...question: Parameters<Catalog['listDocuments']>): ReturnType<Catalog['listDocuments']> {
    return this.#catalog.listDocuments(...question);
  }

  listVersions(
    scope: Scope,
    documentId: DocumentId,
    options: { limit: number; after: string | undefined },
  ): ReturnType<Catalog['listVersions']> {
    return this.#catalog.listVersions(scope, documentId, options);
  }

  /** One that failed may have happened, or may still happen. */
  async #change<T>(scope: Scope, documentId: DocumentId, change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      if (!isQuasarError(error, 'precondition_failed')) this.#doubt(documentId);
      throw error;
    } finally {
      this.#forget(scope, documentId);
    }
  }

  /** The oldest doubt goes first: no statement runs for as long as it takes that many others to break. */
  #doubt(documentId: DocumentId): void {
    this.#doubtful.delete(documentId);
    this.#doubtful.add(documentId);
    const [oldest] = this.#doubtful;
    if (this.#doubtful.size > this.#entriesMax && oldest !== undefined) this.#doubtful.delete(oldest);
  }

  /** The current version moves and takes its labels along; older ones asked for by id lose theirs. */
  #forget(scope: Scope, documentId: DocumentId): void {
    const key = documentKey(scope, documentId);
    this.#current.delete(key);
    this.#versions.deleteWhere(key);
    for (const token of this.#finding.get(documentId) ?? []) token.stale = true;
  }

  #startFinding(documentId: DocumentId): { stale: boolean } {
    const token = { stale: false };
    const tokens = this.#finding.get(documentId);
    if (tokens === undefined) this.#finding.set(documentId, new Set([token]));
    else tokens.add(token);
    return token;
  }

  #endFinding(documentId: DocumentId, token: { stale: boolean }): void {
    const tokens = this.#finding.get(documentId);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#finding.delete(documentId);
  }
}

function documentKey(scope: Scope, documentId: DocumentId): string {
  return `${scope.orgId}/${documentId}/`;
}

/** Bytes, near enough: texts are all that can be large. */
function weightOf(entries: readonly FoundMetadata[]): number {
  return entries.reduce(
    (sum, { data, provenance = '', faults = '' }) => sum + data.length + provenance.length + faults.length + 500,
    0,
  );
}
