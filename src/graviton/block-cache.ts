import type { Hasher } from '../chunker/hasher.ts';
import { assert } from '../core/assert.ts';
import type { BlockId } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Slab, Slot } from '../core/slab.ts';
import type { BlockRead, Node } from './node.ts';

export interface BlockCacheOptions {
  readonly slab: Slab;
  readonly node: Node;
  readonly hasher: Hasher;
  readonly onCorrupt: (id: BlockId, reason: string) => void;
}

/** A verified block in memory. Whoever got it calls `release` once; its bytes stay put until then. */
export interface CachedBlock {
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * Blocks in memory, each hashed against its id when it came in from the disk, never served before. Uses the slots of
 * the slab that uploads leave; the least recently used one nobody reads is given up when someone needs its slot.
 * Concurrent reads of one block share one load.
 */
export class BlockCache {
  readonly #slab: Slab;
  readonly #node: Node;
  readonly #hasher: Hasher;
  readonly #onCorrupt: (id: BlockId, reason: string) => void;
  /** In order of last use, oldest first. */
  readonly #entries = new Map<BlockId, Entry>();
  readonly #loading = new Map<BlockId, Promise<CachedBlock>>();
  #unread = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: BlockCacheOptions) {
    this.#slab = options.slab;
    this.#node = options.node;
    this.#hasher = options.hasher;
    this.#onCorrupt = options.onCorrupt;
    this.#slab.setReclaimer({ reclaimable: () => this.#unread, reclaim: () => this.#reclaim() });
  }

  get statistics(): { readonly blocks: number; readonly hits: number; readonly misses: number } {
    return { blocks: this.#entries.size, hits: this.#hits, misses: this.#misses };
  }

  /** True while some record of the node is marked as damaged and not healed. */
  get knowsDamage(): boolean {
    return this.#node.health().damagedRecords > 0;
  }

  /** True when the block is known to be lost: not in memory, and its record is damaged. */
  async isLost(id: BlockId): Promise<boolean> {
    return !this.#entries.has(id) && (await this.#node.isDamaged(id));
  }

  /** The block when it is in memory already and its slot may be kept from others. */
  tryGet(id: BlockId): CachedBlock | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.slot.references === 1 && !this.#slab.mayPin()) return undefined;
    this.#hits += 1;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return this.#read(entry);
  }

  /**
   * The block, from memory or the node. Waits for a slot unless `ahead`: reading ahead takes none that others wait for,
   * and answers undefined then.
   * @throws QuasarError `corrupt` when its bytes do not match, `block_missing` when the node never had it, and what the
   * node throws; the signal's reason when aborted while waiting.
   */
  get(id: BlockId, size: number, options: CacheWish & { readonly ahead: true }): Promise<CachedBlock | undefined>;
  get(id: BlockId, size: number, options: CacheWish & { readonly ahead?: false }): Promise<CachedBlock>;
  async get(id: BlockId, size: number, options: CacheWish & { readonly ahead?: boolean }): Promise<CachedBlock | undefined> {
    for (;;) {
      const ready = this.tryGet(id);
      if (ready !== undefined) return ready;
      const loading = this.#loading.get(id);
      if (loading === undefined) break;
      // Its failure may be the loader's own (it gave up waiting); ours is found by trying.
      await loading.catch((error: unknown) => error);
    }
    const slot = options.ahead === true ? this.#slab.tryAcquireAhead() : this.#slab.tryAcquire();
    if (slot === undefined && options.ahead === true) return undefined;
    return this.#load(
      { id, size, learn: options.learn, batched: options.batched === true },
      slot ?? this.#slab.acquire(options.signal),
    );
  }

  async #load(wanted: Wanted, slot: Slot | Promise<Slot>): Promise<CachedBlock> {
    const { id } = wanted;
    const loading = this.#fill(wanted, slot);
    this.#loading.set(id, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(id);
    }
  }

  async #fill(wanted: Wanted, waited: Slot | Promise<Slot>): Promise<CachedBlock> {
    const { id, size } = wanted;
    const slot = await waited;
    const kept = this.#entries.get(id);
    if (kept !== undefined) return this.#exchange(slot, kept);
    this.#misses += 1;
    try {
      await this.#readVerified(wanted, slot);
    } catch (error) {
      slot.release();
      throw error;
    }
    const entry = { id, slot, size };
    this.#entries.set(id, entry);
    // The loader's own reference becomes its read; the cache keeps a second one.
    slot.retain();
    return this.#handle(entry);
  }

  /** The block was in memory, but no reader might keep it there; the slot that came free is the right to. */
  #exchange(slot: Slot, entry: Entry): CachedBlock {
    this.#hits += 1;
    const block = this.#read(entry);
    slot.release();
    return block;
  }

  async #readVerified(wanted: Wanted, slot: Slot): Promise<void> {
    const { id, size, learn } = wanted;
    const read = await this.#readOnce(wanted, slot);
    if (read === undefined) throw new QuasarError('block_missing', { op: OP });
    const digest = read.digest ?? (await this.#hasher.hashBlock(slot.at, read.size));
    const found = digest === id ? read.size : await this.#reread(id, slot);
    // The bytes are those the id stands for; it is the manifest that is wrong about their number.
    if (found !== size) throw new QuasarError('corrupt', { op: 'graviton.checkSize' });
    if (digest === id && read.stretches !== undefined) learn?.(read.stretches);
  }

  async #readOnce({ id, learn, batched }: Wanted, slot: Slot): Promise<BlockRead | undefined> {
    if (batched) return this.#node.readHashed(id, slot.bytes, { stretches: learn !== undefined });
    const size = await this.#node.readBlock(id, slot.bytes);
    return size === undefined ? undefined : { size };
  }

  /** A page in memory can be bad while the disk is good: only what the disk itself says condemns a record. */
  async #reread(id: BlockId, slot: Slot): Promise<number> {
    const size = await this.#readFromDisk(id, slot);
    if (size === undefined) throw new QuasarError('block_missing', { op: OP });
    // The node has found it whole; whatever changed on the way here is no fault of the record.
    if ((await this.#hasher.hashBlock(slot.at, size)) !== id) throw new QuasarError('block_unavailable', { op: OP });
    return size;
  }

  async #readFromDisk(id: BlockId, slot: Slot): Promise<number | undefined> {
    try {
      return await this.#node.readBlockFromDisk(id, slot.bytes);
    } catch (error) {
      if (isQuasarError(error, 'corrupt')) this.#onCorrupt(id, 'its bytes do not have the digest they are stored under');
      throw error;
    }
  }

  #read(entry: Entry): CachedBlock {
    if (entry.slot.references === 1) this.#unread -= 1;
    entry.slot.retain();
    return this.#handle(entry);
  }

  #handle(entry: Entry): CachedBlock {
    return new Reading(entry.slot, entry.size, this.#returned);
  }

  readonly #returned = (slot: Slot): void => {
    slot.release();
    if (slot.references !== 1) return;
    this.#unread += 1;
    this.#slab.wake();
  };

  #reclaim(): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.slot.references > 1) continue;
      this.#entries.delete(entry.id);
      this.#unread -= 1;
      entry.slot.release();
      return true;
    }
    return false;
  }
}

export interface CacheWish {
  /** Asked for only by who has to wait. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For who wants this block and no other: it may be read and hashed together with those of other readers. Who reads many
   * in a row has them read by several threads, which gets more out of a disk.
   */
  readonly batched?: boolean;
  /**
   * Called with the digests of the block's stretches, in hex, when it is read for this call by a thread that hashes
   * (`batched`); before anybody gets it.
   */
  readonly learn?: ((stretches: readonly string[]) => void) | undefined;
}

interface Wanted {
  readonly id: BlockId;
  readonly size: number;
  readonly learn: CacheWish['learn'];
  readonly batched: boolean;
}

interface Entry {
  readonly id: BlockId;
  readonly slot: Slot;
  readonly size: number;
}

class Reading implements CachedBlock {
  readonly bytes: Uint8Array;
  readonly #slot: Slot;
  readonly #returned: (slot: Slot) => void;
  #open = true;

  constructor(slot: Slot, size: number, returned: (slot: Slot) => void) {
    this.#slot = slot;
    this.bytes = size === slot.bytes.byteLength ? slot.bytes : slot.bytes.subarray(0, size);
    this.#returned = returned;
  }

  release(): void {
    assert(this.#open, 'a block is released once');
    this.#open = false;
    this.#returned(this.#slot);
  }
}

const OP = 'graviton.readBlock';
