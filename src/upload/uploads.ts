import type { VersionFacts } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import { QuasarError } from '../core/errors.ts';
import type { Scope, UploadId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { BlockCache } from '../graviton/block-cache.ts';
import { type AppendRequest, type StartedAppend, startAppend } from './append.ts';
import { type FinalizeWish, finalizeUpload } from './finalize.ts';
import { LiveUpload } from './live-upload.ts';
import type { OneShotDeps } from './one-shot.ts';
import type { UploadSession } from './session.ts';
import type { CreateOutcome, NewSession, SessionStore } from './session-store.ts';
import { Turns } from './turns.ts';

export interface UploadsDeps extends OneShotDeps {
  readonly sessions: SessionStore;
  readonly cache: BlockCache;
  readonly log: Log;
  readonly idleHashStatesMax: number;
  readonly checkpointBytes: number;
  readonly checkpointIntervalMs: number;
}

export interface Finalized {
  readonly version: VersionFacts;
  readonly repeated: boolean;
}

/**
 * The open upload sessions of this process, and what can be done with any session.
 *
 * Whoever wants an upload waits for its turn. An append ends its turn as soon as it is the writer, so that the next one
 * can displace it; a finalize keeps its turn to the end, so that nothing changes under it.
 */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #turns = new Turns<UploadId>();
  /** In order of last use, oldest first. */
  readonly #live = new Map<UploadId, LiveUpload>();
  /** By principal and upload. */
  readonly #finalizing = new Map<string, { readonly fingerprint: string; readonly outcome: Promise<Finalized> }>();

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
  }

  create(by: Actor, wish: NewSession): Promise<CreateOutcome> {
    return this.#deps.sessions.create(by, wish);
  }

  /** @throws QuasarError `upload_not_found`. */
  async get(scope: Scope, uploadId: UploadId): Promise<UploadSession> {
    const session = await this.#deps.sessions.find(scope, uploadId);
    if (session === undefined) throw new QuasarError('upload_not_found', { op: 'upload.get' });
    return session;
  }

  /** Streams a request's bytes behind the durable offset; returns the new one. A writer that is still at it is displaced. */
  async append(by: Actor, uploadId: UploadId, request: AppendRequest): Promise<number> {
    if (this.#finalizing.has(finalizingKey(by, uploadId)))
      throw new QuasarError('upload_closed', { op: 'upload.append', details: { state: 'sealing' } });
    const { live, offset } = await this.#turns.run(uploadId, () => this.#startAppend(by, uploadId, request));
    try {
      return await offset;
    } finally {
      this.#leave(live);
    }
  }

  /** Idempotent per arguments: repeated or concurrent calls get the version the first one made. */
  async finalize(by: Actor, uploadId: UploadId, wish: FinalizeWish): Promise<Finalized> {
    const key = finalizingKey(by, uploadId);
    const running = this.#finalizing.get(key);
    if (running !== undefined) {
      if (running.fingerprint !== wish.fingerprint) throw new QuasarError('finalize_conflict', { op: 'upload.finalize' });
      return { ...(await running.outcome), repeated: true };
    }
    const outcome = this.#turns.run(uploadId, () => this.#finalizeOnce(by, uploadId, wish));
    this.#finalizing.set(key, { fingerprint: wish.fingerprint, outcome });
    try {
      return await outcome;
    } finally {
      this.#finalizing.delete(key);
    }
  }

  /** False when there was nothing left to cancel. */
  async cancel(by: Actor, uploadId: UploadId): Promise<boolean> {
    const session = await this.get(by, uploadId);
    const cancelled = await this.#deps.sessions.cancel(by, session.uploadId);
    // A finalize that is under way finds its fence raised; it must not find its hash state gone.
    if (!this.#finalizing.has(finalizingKey(by, uploadId)))
      await this.#turns.run(uploadId, () => this.#end(uploadId, 'upload_closed'));
    return cancelled;
  }

  /** Of a session that something else has ended: whoever writes to it is told, and its hash state is freed, when its turn comes. */
  forget(uploadId: UploadId): void {
    this.#turns
      .run(uploadId, () => this.#end(uploadId, 'upload_closed'))
      .catch((error: unknown) => this.#deps.log.warn({ uploadId, error }, 'an upload that has ended was not let go in order'));
  }

  /**
   * Ends the requests that write, and frees the hash states. Sessions stay open for the next process. A finalize that is
   * under way comes to its end first, unless it still waits for the prefix to be re-hashed: that one is told `draining`.
   */
  async close(): Promise<void> {
    for (const live of this.#live.values()) live.stopCatchingUp();
    const ends = [...this.#live.keys()].map((uploadId) => this.#turns.run(uploadId, () => this.#end(uploadId, 'draining')));
    await Promise.all(ends);
    await Promise.allSettled([...this.#finalizing.values()].map(({ outcome }) => outcome));
  }

  async #startAppend(
    by: Actor,
    uploadId: UploadId,
    request: AppendRequest,
  ): Promise<StartedAppend & { readonly live: LiveUpload }> {
    const session = await this.get(by, uploadId);
    requireOpen(session, 'upload.append');
    const live = await this.#enter(by, session, 'upload_taken_over');
    try {
      return { live, ...startAppend(by, session, live, request, this.#deps) };
    } catch (error) {
      this.#leave(live);
      throw error;
    }
  }

  async #finalizeOnce(by: Actor, uploadId: UploadId, wish: FinalizeWish): Promise<Finalized> {
    const session = await this.get(by, uploadId);
    if (session.state === 'committed') return this.#repeat(by, session, wish);
    requireOpen(session, 'upload.finalize');
    const live = await this.#enter(by, session, 'upload_closed');
    try {
      return await finalizeUpload(by, session, live, wish, this.#deps);
    } finally {
      this.#leave(live);
    }
  }

  async #repeat(scope: Scope, session: UploadSession, wish: FinalizeWish): Promise<Finalized> {
    const op = 'upload.finalize';
    if (session.result === undefined) throw new QuasarError('internal', { op });
    if (session.result.fingerprint !== wish.fingerprint) throw new QuasarError('finalize_conflict', { op });
    const version = await this.#deps.catalog.findVersion(scope, session.documentId, session.result.versionId);
    if (version === undefined) throw new QuasarError('version_not_found', { op });
    return { version, repeated: true };
  }

  /**
   * The live upload of a session, free of writers, until `#leave`. Our own if the row still has its fence, else taken over
   * from the row.
   */
  async #enter(scope: Scope, session: UploadSession, displaced: 'upload_taken_over' | 'upload_closed'): Promise<LiveUpload> {
    const { uploadId } = session;
    const own = this.#live.get(uploadId);
    if (own !== undefined) {
      await own.displaceWriter((body) => body.fail(new QuasarError(displaced, { op: 'upload.append' })));
      if (own.sound && own.fence === session.fence && this.#live.delete(uploadId)) return this.#use(own);
      this.#drop(own);
    }
    const { session: taken, prefix } = await this.#deps.sessions.takeOver(scope, uploadId);
    const live = new LiveUpload(taken, prefix, this.#deps);
    if (live.blocks.count > 0) this.#rehash(live);
    return this.#use(live);
  }

  #use(live: LiveUpload): LiveUpload {
    live.users += 1;
    this.#live.set(live.uploadId, live);
    return live;
  }

  #leave(live: LiveUpload): void {
    live.users -= 1;
    if (live.users > 0) return;
    if (!live.sound) this.#drop(live);
    this.#trim();
  }

  async #end(uploadId: UploadId, why: 'upload_closed' | 'draining'): Promise<void> {
    const live = this.#live.get(uploadId);
    if (live === undefined) return;
    await live.displaceWriter((body) => body.fail(new QuasarError(why, { op: 'upload.append' })));
    this.#drop(live);
  }

  #rehash(live: LiveUpload): void {
    this.#deps.log.info(
      { uploadId: live.uploadId, bytes: live.blocks.size },
      're-hashing the durable prefix of a resumed upload',
    );
    live.catchUp().catch((error: unknown) => {
      this.#deps.log.warn({ uploadId: live.uploadId, error }, 're-hashing a resumed upload failed; finalize tries again');
    });
  }

  #drop(live: LiveUpload): void {
    live.close();
    if (this.#live.get(live.uploadId) === live) this.#live.delete(live.uploadId);
  }

  /** Of the uploads between two requests, those used last keep their hash states. */
  #trim(): void {
    for (const live of this.#live.values()) {
      if (this.#live.size <= this.#deps.idleHashStatesMax) return;
      if (live.users === 0) this.#drop(live);
    }
  }
}

function finalizingKey({ orgId, principalId }: Scope, uploadId: UploadId): string {
  return `${orgId}/${principalId}/${uploadId}`;
}

/** A `sealing` row nobody in this process works on was left by one that died; it counts as open. */
function requireOpen(session: UploadSession, op: string): void {
  if (session.state === 'expired') throw new QuasarError('upload_expired', { op });
  if (session.state === 'committed' || session.state === 'failed') {
    throw new QuasarError('upload_closed', { op, details: { state: session.state } });
  }
}
