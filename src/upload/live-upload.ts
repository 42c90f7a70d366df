import type { Hasher, HashStream, WholeDigests } from '../chunker/hasher.ts';
import type { BlockList } from '../core/block-list.ts';
import { QuasarError } from '../core/errors.ts';
import type { UploadId } from '../core/ids.ts';
import type { Slab } from '../core/slab.ts';
import type { BlockCache } from '../graviton/block-cache.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { DurablePrefix, StoredBlock, UploadSession } from './session.ts';

/**
 * What this process holds of one open upload session beside its row: the durable block list, the lane's hash state, and
 * the request that writes to it, if any. Losing it loses nothing: a new one is made from the row (`takeOver`).
 *
 * The whole-blob hashes have taken in the first `hashed` blocks. Behind a take-over that is none of them: the prefix is
 * read back and hashed by `catchUp` while new bytes are already accepted; only finalize waits for it.
 */
export class LiveUpload {
  readonly uploadId: UploadId;
  readonly stream: HashStream;
  readonly blocks: BlockList;
  fence: number;
  piece: StoredBlock | undefined;
  /** Blocks of the list that the row's checkpoint covers. */
  checkpointed: number;
  /** False while and after something that leaves hash state and block list apart; the upload is then made anew from its row. */
  sound = true;
  /** Requests that have it in their hands; only without any may it be given up. */
  users = 0;
  writer: { readonly body: IncomingBody; readonly done: Promise<unknown> } | undefined;
  readonly #slab: Slab;
  readonly #cache: BlockCache;
  #hashed = 0;
  #catchingUp: Promise<void> | undefined;
  #stopped = false;

  constructor(
    session: UploadSession,
    prefix: DurablePrefix,
    deps: { readonly hasher: Hasher; readonly slab: Slab; readonly cache: BlockCache },
  ) {
    this.uploadId = session.uploadId;
    this.fence = session.fence;
    this.stream = deps.hasher.openStream(session.chunker);
    this.blocks = prefix.blocks;
    this.piece = prefix.piece;
    this.checkpointed = this.blocks.count;
    this.#slab = deps.slab;
    this.#cache = deps.cache;
  }

  /** Durable bytes: what the next request must start at. */
  get offset(): number {
    return this.blocks.size + (this.piece?.size ?? 0);
  }

  /** True when new bytes may enter the whole-blob hashes as they are cut. */
  get hashedUpToDate(): boolean {
    return this.#catchingUp === undefined && this.#hashed === this.blocks.count;
  }

  /** The blocks a request has just added were hashed on the way. */
  markHashed(): void {
    this.#hashed = this.blocks.count;
  }

  /** Hashes durable blocks that are not hashed yet, from the store. Shared by concurrent callers. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#hashStored().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  /**
   * Digests of the blob. The upload takes no bytes afterwards: the hash state is used up.
   * @throws QuasarError `draining` when `stopCatchingUp` came first.
   */
  async digests(): Promise<WholeDigests> {
    await this.catchUp();
    if (this.#hashed < this.blocks.count) throw new QuasarError('draining', { op: 'upload.finalize' });
    return this.stream.finish();
  }

  /** Stops the request that writes now, and waits until what it sent is durable and checkpointed. */
  async displaceWriter(stop: (body: IncomingBody) => void): Promise<void> {
    while (this.writer !== undefined) {
      const { body, done } = this.writer;
      stop(body);
      await done;
    }
  }

  /** Ends a re-hash of the durable prefix early: it may take minutes, and nobody waits that long for a shutdown. */
  stopCatchingUp(): void {
    this.#stopped = true;
  }

  close(): void {
    this.#stopped = true;
    this.stream.close();
  }

  async #hashStored(): Promise<void> {
    while (this.#hashed < this.blocks.count && !this.#stopped) {
      const index = this.#hashed;
      const block = await this.#cache.get(this.blocks.idAt(index), this.blocks.sizeAt(index), {});
      try {
        if (this.#stopped) return;
        await this.stream.absorb(block.bytes.byteOffset - this.#slab.bytes.byteOffset, block.bytes.byteLength);
      } finally {
        block.release();
      }
      this.#hashed = index + 1;
    }
  }
}
