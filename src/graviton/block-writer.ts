import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import { SegmentWriter, type SegmentWriterOptions, type WriterStats } from '../segment/segment-writer.ts';
import type { BlockIndex } from './block-index.ts';
import { findHealthy } from './healthy-entry.ts';
import type { BlockKind, OutgoingBlock, PutOutcome } from './node.ts';
import type { NodeJournal } from './node-journal.ts';
import type { SegmentSupply } from './segment-supply.ts';

export interface BlockWriterOptions {
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly supply: SegmentSupply;
  readonly writer: Omit<SegmentWriterOptions, 'openNext'>;
}

/**
 * Stores blocks that are not stored yet. A block counts as stored when its record is durable and healthy; one that is
 * being written is waited for; everything else is appended, which is also how a damaged record heals.
 */
export class BlockWriter {
  readonly #index: BlockIndex;
  readonly #journal: NodeJournal;
  readonly #supply: SegmentSupply;
  readonly #writer: SegmentWriter;
  /** Blocks on their way to the disk, with the append that carries them. */
  readonly #pending = new Map<BlockId, Promise<void>>();
  /** For each append in flight, the first segment it can reach. */
  readonly #reaches = new Set<{ readonly segment: number }>();
  #closed = false;

  constructor({ index, journal, supply, writer }: BlockWriterOptions) {
    this.#index = index;
    this.#journal = journal;
    this.#supply = supply;
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
  async put(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    if (this.#index.unflushed > limits.indexUnflushedMax) await this.#index.flush();
    // A failure of theirs is not ours: whatever is still missing then is written by us.
    for (let other = this.#pendingOf(blocks); other !== undefined; other = this.#pendingOf(blocks))
      await other.catch(() => undefined);
    const { outcomes, missing } = this.#plan(blocks);
    if (missing.length > 0) await this.#append(missing);
    return outcomes;
  }

  sealActive(): Promise<void> {
    return this.#writer.sealActive();
  }

  /** Waits for what is in flight and seals. */
  async close(): Promise<void> {
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

  #plan(blocks: readonly OutgoingBlock[]): { outcomes: PutOutcome[]; missing: OutgoingBlock[] } {
    const missing: OutgoingBlock[] = [];
    const taken = new Map<BlockId, BlockKind>();
    const outcomes = blocks.map((block): PutOutcome => {
      const stored = taken.get(block.id) ?? findHealthy(this.#index, this.#journal.ledger, block.id)?.kind;
      if (stored !== undefined && servesAs(stored, block.kind)) return 'present';
      taken.set(block.id, block.kind);
      missing.push(block);
      return 'written';
    });
    return { outcomes, missing };
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

/** A manifest must be found as one when all else is lost; for bytes that are only read, any record will do. */
function servesAs(stored: BlockKind, wanted: BlockKind): boolean {
  return wanted !== 'manifest' || stored === 'manifest';
}
