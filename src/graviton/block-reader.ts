import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { Fault } from '../segment/fault.ts';
import { RECORD_HEADER } from '../segment/format.ts';
import type { RecordHeader, SegmentMark } from '../segment/record-header.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import { type ReadPlace, readRecord, readRecordFromDisk } from '../segment/segment-reader.ts';
import { BatchedReads } from './batched-reads.ts';
import type { BlockIndex } from './block-index.ts';
import type { IndexEntry } from './index-entry.ts';
import type { BlockRead, PartRead } from './node.ts';
import { segmentPath } from './node-directory.ts';
import type { NodeJournal } from './node-journal.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';

export interface BlockReaderOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly segmentFiles: SegmentFileCache;
  readonly clock: Clock;
  readonly log: Log;
}

/** One record among the copies of its block. */
export interface RecordPlace {
  readonly id: BlockId;
  readonly segment: number;
  /** Of its header. */
  readonly offset: number;
}

type ReadWay = (place: ReadPlace) => Promise<RecordHeader | Fault>;

/** Reads stored blocks and keeps the marks of those that can not be read any more. */
export class BlockReader {
  readonly #options: BlockReaderOptions;
  /** By the record's place. */
  readonly #marking = new Map<string, Promise<void>>();
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
    const { segmentFiles } = this.#options;
    return this.#read(id, target, (place) => segmentFiles.use(place.mark.segment, (file) => readRecord(file, place, target)));
  }

  /** As `Node.readHashed`: whatever does not fit is left to `read`, which says and marks what is wrong. */
  async readHashed(
    id: BlockId,
    target: Uint8Array,
    { stretches }: { readonly stretches: boolean },
  ): Promise<BlockRead | undefined> {
    this.#reading += 1;
    try {
      const found = await this.#readByThread(id, target, stretches);
      if (found !== undefined) return found;
      const size = await this.read(id, target);
      return size === undefined ? undefined : { size };
    } finally {
      this.#readEnded();
    }
  }

  readFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    const { files, directory } = this.#options;
    return this.#read(id, target, (place) => {
      return readRecordFromDisk(files, segmentPath(directory, place.mark.segment), place, target);
    });
  }

  /** As `Node.readPart`: what is odd about the record is for a read of the whole block to find and mark. */
  async readPart(id: BlockId, offset: number, target: Uint8Array): Promise<PartRead | undefined> {
    const entry = this.#options.index.find(id);
    if (entry === undefined) return undefined;
    this.#markOf(id, entry);
    const size = Math.max(0, Math.min(target.byteLength, entry.size - offset));
    const part = size === target.byteLength ? target : target.subarray(0, size);
    const at = entry.offset + RECORD_HEADER.size + offset;
    this.#reading += 1;
    try {
      return await this.#options.segmentFiles.use(entry.segment, (file) => this.#batchedReads.fill(file, part, at));
    } catch (cause) {
      throw isQuasarError(cause) ? cause : readFailure(id, cause);
    } finally {
      this.#readEnded();
    }
  }

  /** True while a caller waits for the disk. */
  get busy(): boolean {
    return this.#reading > 0;
  }

  /** As `Node.reportDamage`. */
  async reportDamage(id: BlockId, reason: string): Promise<void> {
    const entry = this.#options.index.find(id);
    if (entry !== undefined) await this.markDamaged({ id, segment: entry.segment, offset: entry.offset }, reason);
  }

  /** Marks the record at this place, durably, whether the index points there or at another copy. */
  async markDamaged({ id, segment, offset }: RecordPlace, reason: string): Promise<void> {
    const { journal, log } = this.#options;
    if (journal.ledger.isDamaged(id, { segment, offset })) return;
    const place = `${segment}:${offset}`;
    let marking = this.#marking.get(place);
    if (marking === undefined) {
      log.error({ block: id, segment, offset, reason }, 'A stored record is damaged. It is marked and no longer read.');
      marking = journal.record({ kind: 'damage', id, segment, offset, reason }).finally(() => this.#marking.delete(place));
      this.#marking.set(place, marking);
    }
    await marking;
  }

  /** Marked records that no healthy copy has replaced. */
  countDamage(): number {
    const { index, journal } = this.#options;
    let count = 0;
    for (const [id, mark] of journal.ledger.damage()) {
      const entry = index.find(id);
      if (entry === undefined || (entry.segment === mark.segment && entry.offset === mark.offset)) count += 1;
    }
    return count;
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

  async #readByThread(id: BlockId, target: Uint8Array, stretches: boolean): Promise<BlockRead | undefined> {
    const entry = this.#options.index.find(id);
    if (entry === undefined) return undefined;
    const place = this.#locate(id, entry);
    assert(target.byteLength >= entry.size, 'the target holds the block');
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

  async #read(id: BlockId, target: Uint8Array, read: ReadWay): Promise<number | undefined> {
    const entry = this.#options.index.find(id);
    if (entry === undefined) return undefined;
    const place = this.#locate(id, entry);
    assert(target.byteLength >= entry.size, 'the target holds the block');
    this.#reading += 1;
    try {
      const header = await read(place);
      if (!(header instanceof Fault) && header.id === id) return entry.size;
      await this.#reportQuietly(id, header instanceof Fault ? header.meaning : 'the record holds another block');
    } catch (cause) {
      await this.#readFailed(id, cause);
    } finally {
      this.#readEnded();
    }
    throw corrupt(id);
  }

  #readEnded(): void {
    this.#reading -= 1;
    if (this.#reading === 0) this.#whenUnread();
  }

  #locate(id: BlockId, entry: IndexEntry): ReadPlace {
    return { mark: this.#markOf(id, entry), offset: entry.offset, size: entry.size };
  }

  /** @throws QuasarError `corrupt` when the record must not be read. */
  #markOf(id: BlockId, { segment, offset }: IndexEntry): SegmentMark {
    const { ledger } = this.#options.journal;
    const known = ledger.find(segment);
    if (known === undefined || ledger.isDamaged(id, { segment, offset })) throw corrupt(id);
    return known.mark;
  }

  /** Only a missing file is damage; a disk that fails to read may do better next time, or in another machine. */
  async #readFailed(id: BlockId, cause: unknown): Promise<void> {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw isQuasarError(cause) ? cause : readFailure(id, cause);
    }
    await this.#reportQuietly(id, 'the file of its segment is missing');
  }

  /** The caller learns of the damage either way; a mark that can not be written must not hide it. */
  async #reportQuietly(id: BlockId, reason: string): Promise<void> {
    try {
      await this.reportDamage(id, reason);
    } catch (error) {
      this.#options.log.error({ error, block: id }, 'The mark of a damaged record could not be written.');
    }
  }
}

function corrupt(id: BlockId): QuasarError {
  return new QuasarError('corrupt', { op: 'graviton.read', details: { block: id } });
}

function readFailure(id: BlockId, cause: unknown): QuasarError {
  return new QuasarError('internal', { op: 'graviton.read', cause, details: { block: id } });
}
