import type { Clock } from '../core/clock.ts';
import { type QuasarError, toQuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import type { LiveUpload } from './live-upload.ts';
import type { StoredBlock } from './session.ts';
import type { CheckpointOptions, SessionStore } from './session-store.ts';

export interface CheckpointDeps {
  readonly sessions: SessionStore;
  readonly clock: Clock;
  readonly checkpointBytes: number;
  readonly checkpointIntervalMs: number;
}

/**
 * Writes the durable prefix of one request's upload to its row: after so many bytes or so much time, and at the end.
 * One write at a time. Until the first block of the request is durable, the row's piece stays the old one.
 */
export class Checkpointer {
  readonly #scope: Scope;
  readonly #live: LiveUpload;
  readonly #deps: CheckpointDeps;
  readonly #onFailure: (error: QuasarError) => void;
  #writing: Promise<void> | undefined;
  /** A write that failed: the row may have taken it all the same, so it is sent again, unchanged, before the next one. */
  #unanswered: CheckpointOptions | undefined;
  #lastMs: number;
  #promised: number;

  constructor(scope: Scope, live: LiveUpload, deps: CheckpointDeps, onFailure: (error: QuasarError) => void) {
    this.#scope = scope;
    this.#live = live;
    this.#deps = deps;
    this.#onFailure = onFailure;
    this.#lastMs = deps.clock.monotonic();
    this.#promised = live.blocks.size;
  }

  /** Blocks became durable: a checkpoint may be due. */
  offer(): void {
    if (this.#writing !== undefined) return;
    const bytes = this.#live.blocks.size - this.#promised;
    const elapsed = this.#deps.clock.monotonic() - this.#lastMs;
    if (bytes < this.#deps.checkpointBytes && elapsed < this.#deps.checkpointIntervalMs) return;
    this.#writing = this.#write(undefined)
      .catch((error: unknown) => this.#onFailure(toQuasarError(error, 'upload.checkpoint')))
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** The request's end: everything durable, its piece included. */
  async finish(): Promise<void> {
    await this.#writing;
    await this.#write(this.#live.piece);
  }

  async #write(piece: StoredBlock | undefined): Promise<void> {
    if (this.#unanswered !== undefined) await this.#send(this.#unanswered);
    const { blocks, checkpointed, fence, uploadId } = this.#live;
    const added: StoredBlock[] = [];
    for (let index = checkpointed; index < blocks.count; index++)
      added.push({ id: blocks.idAt(index), size: blocks.sizeAt(index) });
    const offset = blocks.size + (piece?.size ?? 0);
    await this.#send({ uploadId, fence, offset, fromBlock: checkpointed, blocks: added, piece });
  }

  async #send(checkpoint: CheckpointOptions): Promise<void> {
    this.#unanswered = checkpoint;
    await this.#deps.sessions.checkpoint(this.#scope, checkpoint);
    this.#unanswered = undefined;
    this.#live.checkpointed = checkpoint.fromBlock + checkpoint.blocks.length;
    this.#promised = checkpoint.offset;
    this.#lastMs = this.#deps.clock.monotonic();
  }
}
