import type { Actor, AuditNote } from '../../src/core/actor.ts';
import { BlockList } from '../../src/core/block-list.ts';
import type { Clock } from '../../src/core/clock.ts';
import { type ErrorCode, QuasarError } from '../../src/core/errors.ts';
import type { DocumentId, Scope, UploadId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { DurablePrefix, StoredBlock, UploadSession } from '../../src/upload/session.ts';
import { cancelDeed, createDeed } from '../../src/upload/session-deeds.ts';
import type { CheckpointOptions, CreateOutcome, NewSession, SessionStore } from '../../src/upload/session-store.ts';

/** As the session store gives it. */
function blockListOf(blocks: readonly StoredBlock[]): BlockList {
  const list = new BlockList();
  for (const { id, size } of blocks) list.push(id, size);
  return list;
}

interface Row {
  session: UploadSession;
  readonly orgId: string;
  readonly principalId: string;
  blocks: StoredBlock[];
  piece: StoredBlock | undefined;
}

/** Sessions without a database, for tests of what lies above. It passes the session store's contract. */
export class MemorySessionStore implements SessionStore {
  /** Called at the start of every method; what it throws comes before the row is touched. */
  before: (method: string) => Promise<void> = async () => {};
  /** Called when a method has done its work; what it throws is an answer that was lost. */
  after: (method: string) => Promise<void> = async () => {};
  /** Of the changes, in their order. */
  readonly notes: AuditNote[] = [];
  readonly #clock: Clock;
  readonly #rows = new Map<UploadId, Row>();
  readonly #keys = new Map<string, { readonly fingerprint: string; uploadId: UploadId; readonly expiresAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  create(by: Actor, wish: NewSession): Promise<CreateOutcome> {
    const { session, idempotency } = wish;
    return this.#step('create', () => {
      const now = this.#clock.now();
      const name = idempotency && `${by.orgId}/${by.principalId}/${idempotency.key}`;
      const held = name === undefined ? undefined : this.#keys.get(name);
      if (held !== undefined && held.expiresAtMs > now) {
        const row = this.#rows.get(held.uploadId);
        if (held.fingerprint !== idempotency?.fingerprint || row === undefined) return { kind: 'idempotency_mismatch' };
        return { kind: 'resumed', session: this.#view(row) };
      }
      const open = this.#findOpen(by, session.documentId);
      const row = open ?? { session, orgId: by.orgId, principalId: by.principalId, blocks: [], piece: undefined };
      if (open === undefined) this.notes.push(by.note(createDeed(wish)));
      this.#rows.set(row.session.uploadId, row);
      if (name !== undefined && idempotency !== undefined) {
        const { uploadId } = row.session;
        this.#keys.set(name, {
          fingerprint: idempotency.fingerprint,
          uploadId,
          expiresAtMs: now + limits.idempotencyLifetimeMs,
        });
      }
      return { kind: open === undefined ? 'created' : 'resumed', session: this.#view(row) };
    });
  }

  find(scope: Scope, uploadId: UploadId): Promise<UploadSession | undefined> {
    return this.#step('find', () => {
      const row = this.#rows.get(uploadId);
      return row !== undefined && owns(scope, row) ? this.#view(row) : undefined;
    });
  }

  findOpenByDocument(scope: Scope, documentId: DocumentId): Promise<UploadSession | undefined> {
    return this.#step('findOpenByDocument', () => {
      const row = this.#findOpen(scope, documentId);
      return row && this.#view(row);
    });
  }

  takeOver(scope: Scope, uploadId: UploadId): Promise<{ session: UploadSession; prefix: DurablePrefix }> {
    return this.#step('takeOver', () => {
      const row = this.#live(scope, uploadId, {});
      this.#change(row, { state: 'open', fence: row.session.fence + 1 });
      return { session: this.#view(row), prefix: { blocks: blockListOf(row.blocks), piece: row.piece } };
    });
  }

  checkpoint(scope: Scope, { uploadId, fence, offset, fromBlock, blocks, piece }: CheckpointOptions): Promise<void> {
    return this.#step('checkpoint', () => {
      const row = this.#live(scope, uploadId, { fence, state: 'open' });
      if (row.blocks.length === fromBlock + blocks.length && row.session.offset === offset) return;
      if (row.blocks.length !== fromBlock) throw new Error('a checkpoint continues the one before');
      if (row.session.offset > offset) throw new Error('a durable prefix never shrinks');
      row.blocks.push(...blocks);
      row.piece = piece;
      this.#change(row, { offset });
    });
  }

  seal(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#step('seal', () => this.#change(this.#live(scope, uploadId, { fence, state: 'open' }), { state: 'sealing' }));
  }

  reopen(scope: Scope, uploadId: UploadId, fence: number): Promise<void> {
    return this.#step('reopen', () => this.#change(this.#live(scope, uploadId, { fence, state: 'sealing' }), { state: 'open' }));
  }

  cancel(by: Actor, uploadId: UploadId): Promise<boolean> {
    return this.#step('cancel', () => {
      const row = this.#rows.get(uploadId);
      if (row === undefined || !owns(by, row)) throw new QuasarError('upload_not_found', { op: 'upload.cancel' });
      const { state } = this.#view(row);
      if (state !== 'open' && state !== 'sealing') return false;
      row.session = { ...row.session, state: 'failed', fence: row.session.fence + 1 };
      this.notes.push(by.note(cancelDeed(row.session)));
      return true;
    });
  }

  /** The committer's part: sealing → committed under this fence. False when the row has moved on. */
  complete(uploadId: UploadId, fence: number, result: NonNullable<UploadSession['result']>): boolean {
    const row = this.#rows.get(uploadId);
    if (row === undefined || row.session.state !== 'sealing' || row.session.fence !== fence) return false;
    row.session = { ...row.session, state: 'committed', result };
    return true;
  }

  async #step<T>(method: string, work: () => T): Promise<T> {
    await this.before(method);
    const result = work();
    await this.after(method);
    return result;
  }

  #findOpen(scope: Scope, documentId: DocumentId): Row | undefined {
    return [...this.#rows.values()].find((row) => {
      const { state } = this.#view(row);
      return owns(scope, row) && row.session.documentId === documentId && (state === 'open' || state === 'sealing');
    });
  }

  #live(scope: Scope, uploadId: UploadId, { fence, state }: { fence?: number; state?: UploadSession['state'] }): Row {
    const row = this.#rows.get(uploadId);
    const refuse = (code: ErrorCode) => new QuasarError(code, { op: 'upload.store' });
    if (row === undefined || !owns(scope, row)) throw refuse('upload_not_found');
    const now = this.#view(row);
    if (now.state === 'expired') throw refuse('upload_expired');
    if (now.state !== 'open' && now.state !== 'sealing') throw refuse('upload_closed');
    if (fence !== undefined && now.fence !== fence) throw refuse('upload_taken_over');
    if (state !== undefined && now.state !== state) throw refuse('upload_closed');
    return row;
  }

  #change(row: Row, changes: Partial<UploadSession>): void {
    row.session = { ...row.session, ...changes, expiresAtMs: this.#clock.now() + limits.uploadLifetimeMs };
  }

  #view({ session }: Row): UploadSession {
    const live = session.state === 'open' || session.state === 'sealing';
    return live && session.expiresAtMs <= this.#clock.now() ? { ...session, state: 'expired' } : session;
  }
}

function owns({ orgId, principalId }: Scope, row: Row): boolean {
  return row.orgId === orgId && row.principalId === principalId;
}
