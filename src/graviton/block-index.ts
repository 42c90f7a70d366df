import type { BlockId } from '../core/digest.ts';
import type { NodeId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { IndexEntry } from './index-entry.ts';

/**
 * What an index says about itself, written in the same transaction as its last entries.
 *
 * - Every record of a segment below `completeBelow` is indexed; the others are indexed again at the next start.
 * - `last` is the record with the highest sequence: whatever lies before its end in its segment was acknowledged.
 */
export interface Watermark {
  readonly completeBelow: number;
  readonly last: (IndexEntry & { readonly id: BlockId }) | undefined;
}

export interface IndexState extends Watermark {
  readonly nodeId: NodeId;
  /** Random; tells two indexes of one node apart. */
  readonly incarnation: string;
}

/** The durable part of an index; lmdb-block-index.ts. Rebuildable, so it may be dropped whenever it is in doubt. */
export interface IndexStore {
  /** Undefined in an index that was never written. */
  state(): IndexState | undefined;
  find(id: BlockId): IndexEntry | undefined;
  /** An entry that is undefined is removed. One or more transactions; entries are durable no later than the state, which is durable when it resolves. */
  write(entries: ReadonlyMap<BlockId, IndexEntry | undefined>, state: IndexState): Promise<void>;
  /** Ids ever written with kind `manifest`, in order, after `after`; at most `count`. */
  manifestIds(after: BlockId | undefined, count: number): BlockId[];
  /** All entries, in order of id, after `after`; at most `count`. */
  entries(after: BlockId | undefined, count: number): (readonly [BlockId, IndexEntry])[];
  close(): Promise<void>;
}

export interface BlockIndexOptions {
  readonly store: IndexStore;
  readonly nodeId: NodeId;
  readonly incarnation: string;
  /** Asked at each flush, after which the entries set so far become durable. */
  readonly completeBelow: () => number;
  readonly onFault: (error: unknown) => void;
}

/**
 * Finds blocks in segments. New entries live in memory until the next flush; what a crash takes with them is found
 * again by recovery. Entries are set only for durable records, so the index is never ahead of the segments.
 */
export class BlockIndex {
  readonly #options: BlockIndexOptions;
  readonly #store: IndexStore;
  /** Undefined: to be removed. */
  #fresh = new Map<BlockId, IndexEntry | undefined>();
  #flushing: Map<BlockId, IndexEntry | undefined> | undefined;
  #running: Promise<void> | undefined;
  #last: Watermark['last'];
  #timer: NodeJS.Timeout | undefined;
  readonly #watchers: ((id: BlockId) => void)[] = [];

  constructor(options: BlockIndexOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#last = options.store.state()?.last;
  }

  /** The record with the highest sequence that was ever indexed. */
  get last(): Watermark['last'] {
    return this.#last;
  }

  get unflushed(): number {
    return this.#fresh.size + (this.#flushing?.size ?? 0);
  }

  find(id: BlockId): IndexEntry | undefined {
    const pending = this.#fresh.has(id) ? this.#fresh : this.#flushing;
    return pending?.has(id) === true ? pending.get(id) : this.#store.find(id);
  }

  /** Told of every id whose entry changes, behind the change. */
  watch(watcher: (id: BlockId) => void): void {
    this.#watchers.push(watcher);
  }

  /** The record must be durable already. */
  set(id: BlockId, entry: IndexEntry): void {
    if (this.#last === undefined || entry.sequence > this.#last.sequence) this.#last = { ...entry, id };
    this.#change(id, entry);
  }

  /** For an entry that points at no record of the block, where no other record of it is known. */
  forget(id: BlockId): void {
    this.#change(id, undefined);
  }

  #change(id: BlockId, entry: IndexEntry | undefined): void {
    this.#fresh.set(id, entry);
    for (const watcher of this.#watchers) watcher(id);
    if (this.#fresh.size >= limits.indexFlushEntriesMax) this.#flushInBackground();
    else this.#timer ??= setTimeout(() => this.#flushInBackground(), limits.indexFlushIntervalMs).unref();
  }

  /** Makes everything set so far durable. @throws the store's error; the entries are kept for the next attempt. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#running = this.#flushOnce();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** In no order. Entries set meanwhile may be missing. */
  async *manifestIds(): AsyncGenerator<BlockId> {
    const seen = new Set<BlockId>();
    for (const map of [this.#fresh, this.#flushing]) {
      for (const [id, entry] of map ?? []) if (entry?.kind === 'manifest') seen.add(id);
    }
    yield* [...seen];
    let after: BlockId | undefined;
    for (;;) {
      const page = this.#store.manifestIds(after, PAGE_COUNT);
      for (const id of page) if (!seen.has(id)) yield id;
      after = page.at(-1);
      if (after === undefined) return;
      await nextTurn();
    }
  }

  /** Every entry that points into the segment. Walks the whole index: for recovery from damage only. */
  async entriesOf(segment: number): Promise<(readonly [BlockId, IndexEntry])[]> {
    await this.flush();
    const found: (readonly [BlockId, IndexEntry])[] = [];
    let after: BlockId | undefined;
    for (;;) {
      const page = this.#store.entries(after, PAGE_COUNT);
      for (const item of page) if (item[1].segment === segment) found.push(item);
      after = page.at(-1)?.[0];
      if (after === undefined) return found;
      await nextTurn();
    }
  }

  /** Flushes what it can and closes the store. Never rejects for a flush that fails: the index is rebuildable. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.flush();
    } catch (error) {
      this.#options.onFault(error);
    }
    await this.#store.close();
  }

  #flushInBackground(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running === undefined) this.flush().catch((error: unknown) => this.#retryLater(error));
  }

  #retryLater(error: unknown): void {
    this.#options.onFault(error);
    this.#timer ??= setTimeout(() => this.#flushInBackground(), limits.indexFlushIntervalMs).unref();
  }

  async #flushOnce(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#fresh;
    this.#fresh = new Map();
    this.#flushing = entries;
    const { nodeId, incarnation, completeBelow } = this.#options;
    try {
      await this.#store.write(entries, { nodeId, incarnation, completeBelow: completeBelow(), last: this.#last });
    } catch (error) {
      for (const [id, entry] of entries) if (!this.#fresh.has(id)) this.#fresh.set(id, entry);
      throw error;
    } finally {
      this.#flushing = undefined;
    }
  }
}

const PAGE_COUNT = 1000;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
