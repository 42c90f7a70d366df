import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import { SegmentWriter, type SegmentWriterOptions, type WriterDeath, type WriterStats } from '../segment/segment-writer.ts';
import type { BlockIndex } from './block-index.ts';
import { findHealthy } from './healthy-entry.ts';
import type { IndexEntry } from './index-entry.ts';
import type { BlockKind, OutgoingBlock, PutOutcome } from './node.ts';
import type { NodeJournal } from './node-journal.ts';
import { type PresentCheck, servesAs } from './present-check.ts';
import type { SegmentSupply } from './segment-supply.ts';

export interface BlockWriterOptions {
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly supply: SegmentSupply;
  readonly present: PresentCheck;
  readonly writer: Omit<SegmentWriterOptions, 'openNext'>;
}

/**
 * Stores blocks that are not stored yet. A block counts as stored when its record is durable, healthy, and holds the same
 * bytes when it is read; one that is being written is waited for; everything else is appended, which is also how a damaged
 * record heals.
 */
export class BlockWriter {
  readonly #index: BlockIndex;
  readonly #journal: NodeJournal;
  readonly #supply: SegmentSupply;
  readonly #present: PresentCheck;
  readonly #writer: SegmentWriter;
  /** Blocks on their way to the disk, with the append that carries them. */
  readonly #pending = new Map<BlockId, Promise<void>>();
  readonly #putting = new Set<Promise<unknown>>();
  /** For each append in flight, the first segment it can reach. */
  readonly #reaches = new Set<{ readonly segment: number }>();
  #closed = false;

  constructor({ index, journal, supply, present, writer }: BlockWriterOptions) {
    this.#index = index;
    this.#journal = journal;
    this.#supply = supply;
    this.#present = present;
    this.#writer = new SegmentWriter({ ...writer, openNext: () => supply.open() });
  }

  get stats(): WriterStats {
    return this.#writer.stats;
  }

  get busy(): boolean {
    return this.#reaches.size > 0;
  }

  /** Every durable record of a segment below this has been given to the index. */
  get completeBelow(): number {
    if (this.#closed && !this.busy) return this.#supply.lastSegment + 1;
    let lowest = this.#supply.lastSegment;
    for (const { segment } of this.#reaches) lowest = Math.min(lowest, segment);
    return lowest;
  }

  /** As `Node.putBlocks`. */
  put(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    const putting = this.#put(blocks);
    this.#putting.add(putting);
    const done = () => this.#putting.delete(putting);
    putting.then(done, done);
    return putting;
  }

  async #put(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    if (this.#index.unflushed > limits.indexUnflushedMax) await this.#index.flush();
    const checked = new Map<string, boolean>();
    for (;;) {
      // A failure of theirs is not ours: whatever is still missing then is written by us.
      for (let other = this.#pendingOf(blocks); other !== undefined; other = this.#pendingOf(blocks))
        await other.catch(() => undefined);
      const { outcomes, missing, unchecked } = this.#plan(blocks, checked);
      if (unchecked.length > 0) {
        await Promise.all(unchecked.map((found) => this.#check(found, checked)));
        continue;
      }
      if (missing.length > 0) await this.#append(missing);
      return outcomes;
    }
  }

  /** As `SegmentWriter.stop`. */
  stop(death: WriterDeath): void {
    this.#writer.stop(death);
  }

  sealActive(): Promise<void> {
    return this.#writer.sealActive();
  }

  /** Waits for what is in flight and seals. */
  async close(): Promise<void> {
    while (this.#putting.size > 0) await Promise.allSettled(this.#putting);
    this.#closed = true;
    await this.#writer.close();
  }

  #pendingOf(blocks: readonly OutgoingBlock[]): Promise<void> | undefined {
    if (this.#pending.size === 0) return undefined;
    for (const { id } of blocks) {
      const pending = this.#pending.get(id);
      if (pending !== undefined) return pending;
    }
    return undefined;
  }

  /** What is to be written as things stand now; `unchecked` is what the index knows and nobody has looked at yet. */
  #plan(blocks: readonly OutgoingBlock[], checked: ReadonlyMap<string, boolean>): Plan {
    const missing: OutgoingBlock[] = [];
    const unchecked: FoundBlock[] = [];
    const taken = new Map<BlockId, BlockKind>();
    const outcomes = blocks.map((block): PutOutcome => {
      const written = taken.get(block.id);
      if (written !== undefined && servesAs(written, block.kind)) return 'present';
      const entry = written === undefined ? findHealthy(this.#index, this.#journal.ledger, block.id) : undefined;
      if (entry !== undefined && servesAs(entry.kind, block.kind)) {
        const holds = checked.get(keyOf(block, entry));
        if (holds === undefined) unchecked.push({ block, entry });
        if (holds !== false) return 'present';
      }
      taken.set(block.id, block.kind);
      missing.push(block);
      return 'written';
    });
    return { outcomes, missing, unchecked };
  }

  async #check({ block, entry }: FoundBlock, checked: Map<string, boolean>): Promise<void> {
    checked.set(keyOf(block, entry), await this.#present.holds(block, entry));
  }

  async #append(blocks: readonly OutgoingBlock[]): Promise<void> {
    const reach = { segment: this.#supply.lastSegment };
    this.#reaches.add(reach);
    const work = this.#appendAndIndex(blocks);
    for (const { id } of blocks) this.#pending.set(id, work);
    try {
      await work;
    } finally {
      for (const { id } of blocks) this.#pending.delete(id);
      this.#reaches.delete(reach);
    }
  }

  async #appendAndIndex(blocks: readonly OutgoingBlock[]): Promise<void> {
    const places = await this.#writer.append(blocks);
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index];
      const place = places[index];
      if (block !== undefined && place !== undefined) this.#index.set(block.id, { ...place, kind: block.kind });
    }
  }
}

interface FoundBlock {
  readonly block: OutgoingBlock;
  readonly entry: IndexEntry;
}

interface Plan {
  readonly outcomes: PutOutcome[];
  readonly missing: OutgoingBlock[];
  readonly unchecked: FoundBlock[];
}

/** What the index said when the record was looked at: the answer holds for no other place. */
function keyOf({ kind }: OutgoingBlock, { segment, offset, size }: IndexEntry): string {
  return `${segment}:${offset}:${size}:${kind}`;
}
