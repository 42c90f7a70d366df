import { createHash } from 'node:crypto';
import type {
  BlobDocumentsWish,
  BlobFacts,
  Catalog,
  CommitOutcome,
  DocumentDetails,
  DocumentFacts,
  DocumentShown,
  ListedDocument,
  Page,
  VersionCommit,
  VersionCommitter,
  VersionFacts,
} from '../../src/catalog/catalog.ts';
import { commitDeed, labelDeed } from '../../src/catalog/deeds.ts';
import type { LabelMove, LabelOutcome, LabelStore, LabelWish } from '../../src/catalog/label-store.ts';
import type { Actor, AuditNote } from '../../src/core/actor.ts';
import type { BlobKey } from '../../src/core/digest.ts';
import { QuasarError } from '../../src/core/errors.ts';
import type { DocumentId, PrincipalId, Scope, VersionId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { MemorySessionStore } from './memory-session-store.ts';

interface Document {
  readonly createdAtMs: number;
  updatedAtMs: number;
  current: VersionId;
  /** Newest last. */
  readonly versions: Map<VersionId, VersionFacts>;
  readonly labels: Map<string, VersionId>;
  /** Latest last; that of CURRENT begins with the making of the document. */
  readonly moves: Map<string, StampedMove[]>;
}

/** With what the clock said. */
type StampedMove = LabelMove & { readonly stampedAtMs: number };

interface Org {
  readonly documents: Map<DocumentId, Document>;
  readonly blobs: Map<BlobKey, { readonly facts: BlobFacts; readonly pages: readonly Uint8Array[] }>;
  readonly keys: Map<string, { fingerprint: string; documentId: DocumentId; versionId: VersionId; expiresAtMs: number }>;
}

/** A catalog without a database, for tests of what lies above. It passes the catalog's contract. */
export class MemoryCatalog implements Catalog, VersionCommitter, LabelStore {
  /** Called at the start of every method; what it throws comes before anything is changed. */
  before: (method: string) => Promise<void> = async () => {};
  /** Called when a method has its answer; what it throws is an answer that was lost. */
  after: (method: string) => Promise<void> = async () => {};
  finds = 0;
  /** Of the changes, in their order. */
  readonly notes: AuditNote[] = [];
  readonly #now: () => number;
  readonly #sessions: MemorySessionStore | undefined;
  readonly #orgs = new Map<string, Org>();
  /** Of versions, in the order in which they were committed. */
  readonly #numbers = new Map<VersionId, string>();

  constructor(now: () => number, sessions?: MemorySessionStore) {
    this.#now = now;
    this.#sessions = sessions;
  }

  findDocument(scope: Scope, documentId: DocumentId): Promise<DocumentDetails | undefined> {
    return this.#step('findDocument', () => {
      const document = this.#org(scope).documents.get(documentId);
      return document && { ...factsOf(documentId, document), folderId: undefined, retainUntilMs: undefined, hold: undefined };
    });
  }

  async showDocument(scope: Scope, documentId: DocumentId): Promise<DocumentShown | undefined> {
    const found = await this.findDocument(scope, documentId);
    return found && { ...found, refs: [], state: createHash('md5').update(JSON.stringify(found)).digest('hex') };
  }

  findVersion(scope: Scope, documentId: DocumentId, versionId?: VersionId): Promise<VersionFacts | undefined> {
    return this.#step('findVersion', () => {
      this.finds += 1;
      const document = this.#org(scope).documents.get(documentId);
      return document && viewOf(document, versionId ?? document.current);
    });
  }

  findBlob(scope: Scope, key: BlobKey): Promise<BlobFacts | undefined> {
    return this.#step('findBlob', () => this.#org(scope).blobs.get(key)?.facts);
  }

  findBlobDocuments(scope: Scope, key: BlobKey, { documentId }: BlobDocumentsWish): Promise<readonly DocumentId[]> {
    return this.#step('findBlobDocuments', () => {
      const having = [...this.#org(scope).documents].filter(([, { versions }]) =>
        [...versions.values()].some(({ blob }) => blob.key === key),
      );
      // There are no rules here, so nothing tells them apart.
      const ids = having.map(([id]) => id).filter((id) => documentId === undefined || id === documentId);
      return ids.sort().slice(-1);
    });
  }

  findManifestPage(scope: Scope, key: BlobKey, pageIndex: number): Promise<Uint8Array | undefined> {
    return this.#step('findManifestPage', () => this.#org(scope).blobs.get(key)?.pages[pageIndex]);
  }

  listDocuments(scope: Scope, { limit, after }: { limit: number; after: string | undefined }): Promise<Page<ListedDocument>> {
    return this.#step('listDocuments', () => {
      const all = [...this.#org(scope).documents].map(([id, document]) => ({
        ...factsOf(id, document),
        current: viewOf(document, document.current) as VersionFacts,
        position: this.#numberOf(document.current),
      }));
      return pageOf(all, ({ position }) => position, limit, after);
    });
  }

  listVersions(
    scope: Scope,
    documentId: DocumentId,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<Page<VersionFacts>> {
    return this.#step('listVersions', () => {
      const document = this.#org(scope).documents.get(documentId);
      const ids = [...(document?.versions.keys() ?? [])];
      const all = ids.map((id) => viewOf(document as Document, id) as VersionFacts);
      return pageOf(all, ({ versionId }) => this.#numberOf(versionId), limit, after);
    });
  }

  commit(by: Actor, wish: VersionCommit): Promise<CommitOutcome> {
    return this.#step('commit', () => {
      const outcome = this.#commit(by, wish);
      if (outcome.kind === 'committed') this.notes.push(by.note(commitDeed(wish)));
      return outcome;
    });
  }

  findByIdempotencyKey(
    scope: Scope,
    key: string,
  ): Promise<{ readonly fingerprint: string; readonly version: VersionFacts } | undefined> {
    return this.#step('findByIdempotencyKey', () => {
      const held = this.#org(scope).keys.get(`${scope.principalId}/${key}`);
      if (held === undefined || held.expiresAtMs <= this.#now()) return undefined;
      const document = this.#org(scope).documents.get(held.documentId) as Document;
      return { fingerprint: held.fingerprint, version: viewOf(document, held.versionId) as VersionFacts };
    });
  }

  moveLabel(by: Actor, wish: LabelWish): Promise<LabelOutcome> {
    return this.#step('moveLabel', () => {
      const { documentId, label, versionId, expected, reason, atMs } = wish;
      const document = this.#org(by).documents.get(documentId);
      if (document === undefined) return { kind: 'document_missing' };
      if (!document.versions.has(versionId)) return { kind: 'version_missing' };
      const held = label === 'CURRENT' ? document.current : document.labels.get(label);
      if (held === versionId) return { kind: 'unchanged' };
      if (held !== expected) return { kind: 'label_moved', current: held };
      const movedAtMs = Math.max(atMs, document.updatedAtMs);
      document.updatedAtMs = movedAtMs;
      addMove(document, label, { versionId, previous: held, reason, movedBy: by.principalId, movedAtMs, stampedAtMs: atMs });
      this.notes.push(by.note(labelDeed(wish)));
      if (label === 'CURRENT') document.current = versionId;
      else document.labels.set(label, versionId);
      return { kind: 'moved', previous: held, movedAtMs };
    });
  }

  findLabel(
    scope: Scope,
    {
      documentId,
      label,
      atMs = Number.POSITIVE_INFINITY,
      nowMs = Number.POSITIVE_INFINITY,
    }: Parameters<LabelStore['findLabel']>[1],
  ): Promise<VersionId | undefined> {
    return this.#step('findLabel', () => {
      const moves = this.#org(scope).documents.get(documentId)?.moves.get(label) ?? [];
      const stood = moves.findLast(
        ({ movedAtMs, stampedAtMs }) =>
          movedAtMs <= atMs || (movedAtMs > nowMs && stampedAtMs <= atMs && stampedAtMs < movedAtMs),
      );
      return stood?.versionId;
    });
  }

  listLabelMoves(
    scope: Scope,
    { documentId, label }: { documentId: DocumentId; label: string },
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<Page<LabelMove>> {
    return this.#step('listLabelMoves', () => {
      const moves = this.#org(scope).documents.get(documentId)?.moves.get(label) ?? [];
      const end = after === undefined ? moves.length : Number(after);
      const start = Math.max(0, end - limit);
      const items = moves.slice(start, end).map(({ stampedAtMs: _, ...move }) => move);
      return { items: items.reverse(), next: start > 0 ? String(start) : undefined };
    });
  }

  #commit(scope: Scope, wish: VersionCommit): CommitOutcome {
    if (wish.filename?.includes('\0')) throw new QuasarError('bad_parameter', { op: 'catalog.commit' });
    const org = this.#org(scope);
    const { documentId, versionId, idempotency, upload } = wish;
    const keyName = `${scope.principalId}/${idempotency?.key}`;
    const held = idempotency && org.keys.get(keyName);
    if (held !== undefined && held.expiresAtMs > this.#now()) {
      if (held.fingerprint !== idempotency?.fingerprint) return { kind: 'idempotency_mismatch' };
      const made = viewOf(org.documents.get(held.documentId) as Document, held.versionId) as VersionFacts;
      return { kind: 'repeated', version: made };
    }
    const known = org.documents.get(documentId);
    if (wish.newDocument && known !== undefined) return { kind: 'document_exists' };
    if (!wish.newDocument && known === undefined) return { kind: 'document_missing' };
    if (wish.expectedVersionId !== undefined && known !== undefined && known.current !== wish.expectedVersionId)
      return { kind: 'version_changed' };
    if (wish.parents?.some((parent) => known?.versions.has(parent) !== true)) return { kind: 'parent_missing' };
    const result = upload && { versionId, fingerprint: upload.fingerprint };
    if (upload !== undefined && result !== undefined && !this.#sessions?.complete(upload.uploadId, upload.fence, result)) {
      return { kind: 'fence_lost' };
    }
    if (!org.blobs.has(wish.blob.key)) org.blobs.set(wish.blob.key, { facts: wish.blob, pages: wish.pages });
    const createdAtMs = known === undefined ? wish.createdAtMs : Math.max(wish.createdAtMs, known.updatedAtMs + 1);
    this.#numbers.set(versionId, String(this.#numbers.size).padStart(9, '0'));
    const document = known ?? {
      createdAtMs,
      updatedAtMs: createdAtMs,
      current: versionId,
      versions: new Map(),
      labels: new Map(),
      moves: new Map(),
    };
    org.documents.set(documentId, document);
    const stamped = { ...wish, createdAtMs };
    leaveMoves(document, { ...stamped, stampedAtMs: wish.createdAtMs }, scope.principalId);
    addVersion(document, stamped, org.blobs.get(wish.blob.key)?.facts as BlobFacts, known?.current);
    if (idempotency !== undefined) {
      const expiresAtMs = wish.createdAtMs + limits.idempotencyLifetimeMs;
      org.keys.set(keyName, { fingerprint: idempotency.fingerprint, documentId, versionId, expiresAtMs });
    }
    return { kind: 'committed', version: viewOf(document, versionId) as VersionFacts };
  }

  #numberOf(versionId: VersionId): string {
    return this.#numbers.get(versionId) as string;
  }

  async #step<T>(method: string, work: () => T): Promise<T> {
    await this.before(method);
    const result = work();
    await this.after(method);
    return result;
  }

  #org({ orgId }: Scope): Org {
    let org = this.#orgs.get(orgId);
    if (org === undefined) {
      org = { documents: new Map(), blobs: new Map(), keys: new Map() };
      this.#orgs.set(orgId, org);
    }
    return org;
  }
}

function addVersion(document: Document, wish: VersionCommit, blob: BlobFacts, parent: VersionId | undefined): void {
  const { versionId, documentId, filename, contentType, reason, createdAtMs, labels } = wish;
  const parents = parent === undefined ? [] : [...new Set([parent, ...(wish.parents ?? [])])];
  document.versions.set(versionId, {
    versionId,
    documentId,
    parents,
    labels: [],
    blob,
    filename,
    contentType,
    reason,
    createdAtMs,
  });
  document.current = versionId;
  document.updatedAtMs = Math.max(document.updatedAtMs, createdAtMs);
  for (const label of labels) if (label !== 'CURRENT') document.labels.set(label, versionId);
}

function leaveMoves(document: Document, wish: VersionCommit & { readonly stampedAtMs: number }, movedBy: PrincipalId): void {
  const { versionId, reason, createdAtMs: movedAtMs, stampedAtMs } = wish;
  const first = document.versions.size === 0;
  addMove(document, 'CURRENT', {
    versionId,
    previous: first ? undefined : document.current,
    reason: first ? undefined : reason,
    movedBy,
    movedAtMs,
    stampedAtMs,
  });
  for (const label of new Set(wish.labels)) {
    if (label !== 'CURRENT')
      addMove(document, label, { versionId, previous: document.labels.get(label), reason, movedBy, movedAtMs, stampedAtMs });
  }
}

function addMove(document: Document, label: string, move: StampedMove): void {
  document.moves.set(label, [...(document.moves.get(label) ?? []), move]);
}

function viewOf(document: Document, versionId: VersionId): VersionFacts | undefined {
  const version = document.versions.get(versionId);
  if (version === undefined) return undefined;
  const own = [...document.labels].filter(([, holder]) => holder === versionId).map(([label]) => label);
  return { ...version, labels: [...(document.current === versionId ? ['CURRENT'] : []), ...own.sort()] };
}

function factsOf(documentId: DocumentId, { current, createdAtMs, updatedAtMs }: Document): DocumentFacts {
  return { documentId, currentVersionId: current, createdAtMs, updatedAtMs };
}

/** Newest first. */
function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, limit: number, after: string | undefined): Page<T> {
  const sorted = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) < after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rest.length > limit && last !== undefined ? keyOf(last) : undefined };
}
