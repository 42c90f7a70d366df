import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { isQuasarError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { Fault } from '../segment/fault.ts';
import { RECORD_HEADER } from '../segment/format.ts';
import { type ReadPlace, readRecord } from '../segment/segment-reader.ts';
import { BatchedReads } from './batched-reads.ts';
import type { BlockIndex } from './block-index.ts';
import type { DamageMarks } from './damage-marks.ts';
import type { IndexEntry } from './index-entry.ts';
import type { BlockRead, PartRead } from './node.ts';
import type { NodeJournal } from './node-journal.ts';
import { corrupt, type RecordFinder, unavailable } from './record-finder.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';

export interface BlockReaderOptions {
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly segmentFiles: SegmentFileCache;
  readonly marks: DamageMarks;
  readonly finder: RecordFinder;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads stored blocks where the index says they are; whatever is odd there is for the finder to look into. */
export class BlockReader {
  readonly #options: BlockReaderOptions;
  readonly #batchedReads: BatchedReads;
  #reading = 0;
  #whenUnread: () => void = () => undefined;

  constructor(options: BlockReaderOptions) {
    this.#options = options;
    this.#batchedReads = new BatchedReads(options);
  }

  /**
   * Header and payload come with one system call through the page cache, the payload straight into `target`. The
   * header must be the one of this id and place; the payload's hash is the caller's to check.
   */
  read(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    return this.#counted(async () => (await this.#readPlain(id, target)) ?? (await this.#options.finder.find(id, target)));
  }

  /** As `Node.readHashed`: whatever does not fit is left to `read`, which says and marks what is wrong. */
  async readHashed(
    id: BlockId,
    target: Uint8Array,
    { stretches }: { readonly stretches: boolean },
  ): Promise<BlockRead | undefined> {
    return this.#counted(async () => {
      const found = await this.#readByThread(id, target, stretches);
      if (found !== undefined) return found;
      const size = await this.read(id, target);
      return size === undefined ? undefined : { size };
    });
  }

  /** As `Node.readBlockFromDisk`. */
  readFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    return this.#counted(() => this.#options.finder.find(id, target));
  }

  /** As `Node.readPart`: what is odd about the record is for a read of the whole block to find and mark. */
  async readPart(id: BlockId, offset: number, target: Uint8Array): Promise<PartRead | undefined> {
    const entry = this.#options.index.find(id);
    if (entry === undefined) return undefined;
    this.#placeOf(id, entry);
    const size = Math.max(0, Math.min(target.byteLength, entry.size - offset));
    const part = size === target.byteLength ? target : target.subarray(0, size);
    const at = entry.offset + RECORD_HEADER.size + offset;
    return this.#counted(async () => {
      try {
        return await this.#options.segmentFiles.use(entry.segment, (file) => this.#batchedReads.fill(file, part, at));
      } catch (cause) {
        throw isQuasarError(cause) ? cause : unavailable(id, undefined, cause);
      }
    });
  }

  /** As `Node.isDamaged`. */
  async isDamaged(id: BlockId): Promise<boolean> {
    const { finder, index, marks } = this.#options;
    if (!marks.isHit(id)) return false;
    const entry = index.find(id);
    if (entry !== undefined && marks.isCondemned({ id, ...entry })) return true;
    try {
      await this.#counted(() => finder.find(id));
      return false;
    } catch (error) {
      return isQuasarError(error, 'corrupt');
    }
  }

  /** True while a caller waits for the disk. */
  get busy(): boolean {
    return this.#reading > 0;
  }

  /** Waits for reads in flight. */
  async close(): Promise<void> {
    if (this.#reading > 0) {
      await new Promise<void>((resolve) => {
        this.#whenUnread = resolve;
      });
    }
    await this.#batchedReads.close();
  }

  /** Undefined when it was not read, for whatever reason. */
  async #readByThread(id: BlockId, target: Uint8Array, stretches: boolean): Promise<BlockRead | undefined> {
    const entry = this.#options.index.find(id);
    const place = entry === undefined ? undefined : this.#placeOf(id, entry);
    if (entry === undefined || place === undefined || entry.size > target.byteLength) return undefined;
    try {
      const found = await this.#options.segmentFiles.use(entry.segment, async (file) =>
        this.#batchedReads.readRecord(file, place, target, stretches),
      );
      if (found === undefined) return undefined;
      return { size: entry.size, digest: found.id, ...(found.stretches === undefined ? {} : { stretches: found.stretches }) };
    } catch {
      // The file could not be opened: the ordinary read meets the same trouble, and says which.
      return undefined;
    }
  }

  /** Undefined when the record is not where the index says, is marked, or could not be read: reasons for a second look. */
  async #readPlain(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    const entry = this.#options.index.find(id);
    const place = entry === undefined ? undefined : this.#placeOf(id, entry);
    if (entry === undefined || place === undefined || entry.size > target.byteLength) return undefined;
    try {
      const header = await this.#options.segmentFiles.use(entry.segment, (file) => readRecord(file, place, target));
      return !(header instanceof Fault) && header.id === id ? entry.size : undefined;
    } catch {
      // The second look meets the same trouble, and says which; or the descriptor was stale.
      await this.#options.segmentFiles.drop(entry.segment);
      return undefined;
    }
  }

  async #counted<Result>(read: () => Promise<Result>): Promise<Result> {
    this.#reading += 1;
    try {
      return await read();
    } finally {
      this.#readEnded();
    }
  }

  #readEnded(): void {
    this.#reading -= 1;
    if (this.#reading === 0) this.#whenUnread();
  }

  /**
   * Undefined when the entry cannot be taken at its word.
   * @throws QuasarError `corrupt` when the record was judged just now.
   */
  #placeOf(id: BlockId, entry: IndexEntry): ReadPlace | undefined {
    const { journal, marks } = this.#options;
    const { segment, offset, size } = entry;
    if (marks.isHit(id) && marks.isMarked({ id, segment, offset })) {
      if (marks.isCondemned({ id, segment, offset })) throw corrupt(id);
      return undefined;
    }
    const known = journal.ledger.find(segment);
    return known === undefined ? undefined : { mark: known.mark, offset, size };
  }
}
