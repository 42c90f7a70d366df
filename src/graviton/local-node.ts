import { assert } from '../core/assert.ts';
import { Closer } from '../core/closer.ts';
import type { BlockId } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type Log, silentLog } from '../core/log.ts';
import { Fault } from '../segment/fault.ts';
import type { RecordHeader } from '../segment/record-header.ts';
import type { SealedSegment } from '../segment/seal-segment.ts';
import type { SegmentFile } from '../segment/segment-files.ts';
import { type ReadPlace, readRecord, readRecordFromDisk } from '../segment/segment-reader.ts';
import type { WriterDeath, WriterStats } from '../segment/segment-writer.ts';
import { BlockWriter } from './block-writer.ts';
import { isDiskFull } from './disk-full.ts';
import { findHealthy } from './healthy-entry.ts';
import type { IndexEntry } from './index-entry.ts';
import type { Node, NodeHealth, OutgoingBlock, PutOutcome } from './node.ts';
import { segmentPath } from './node-directory.ts';
import type { LocalNodeOptions } from './node-options.ts';
import { type NodeParts, openNodeParts } from './node-parts.ts';
import type { UnsealedSegment } from './recover-unsealed.ts';
import { type DiskFailure, type RecoveryReport, recoverSegments } from './recovery.ts';
import { sealUnsealed } from './seal-unsealed.ts';
import { NODE_ITSELF } from './segment-ledger.ts';
import { SegmentSupply } from './segment-supply.ts';
import { SpareSegments } from './spare-segments.ts';

export type { LocalNodeOptions } from './node-options.ts';

/**
 * The node of this process: one directory, one disk, one writer.
 *
 * It is in one of three modes. *Writable*: entered by `open`. *Read-only*: entered when a write or an fdatasync fails,
 * or at `open` when MANIFEST says that happened; left by `acceptDisk` and a new start. *Closed*: entered by `close`.
 * A full disk is none of these: it fails single batches.
 */
export class LocalNode implements Node {
  /** What the start found after the last stop. */
  readonly recovery: RecoveryReport;
  readonly #options: LocalNodeOptions;
  readonly #log: Log;
  readonly #parts: NodeParts;
  readonly #spares: SpareSegments;
  readonly #writer: BlockWriter;
  readonly #closer: Closer;
  readonly #marking = new Map<BlockId, Promise<void>>();
  #readOnlyReason: string | undefined;
  #reading = 0;
  #whenUnread: () => void = () => undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: LocalNodeOptions, start: NodeStart) {
    const { parts, closer, lastSequence, lines } = start;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#parts = parts;
    this.#closer = closer;
    this.recovery = { lines };
    this.#readOnlyReason = parts.journal.ledger.nodeSuspect;
    this.#spares = this.#makeSpares();
    closer.push('spare segments', () => this.#spares.close());
    this.#writer = this.#makeWriter(lastSequence + 1);
    closer.push('segment writer', () => this.#writer.close(), SEAL_TIMEOUT_MS);
  }

  /**
   * Opens the node in `directory`, or makes one. Recovers what a crash left, however it came.
   * @throws QuasarError `storage_in_use`, `storage_incompatible`, `corrupt`; nothing stays open then.
   */
  static async open(options: LocalNodeOptions): Promise<LocalNode> {
    const closer = new Closer();
    try {
      return await LocalNode.#start(options, closer);
    } catch (error) {
      await closer.close();
      throw error;
    }
  }

  static async #start(options: LocalNodeOptions, closer: Closer): Promise<LocalNode> {
    const lines: string[] = [];
    const report = (line: string): void => {
      lines.push(line);
      options.log?.warn({ directory: options.directory }, line);
    };
    let node: LocalNode | undefined;
    // Until recovery is through, the index is complete as far as it was; a crash now repeats the work.
    const progress = { completeBelow: 0 };
    const hooks = {
      completeBelow: () => node?.completeBelow ?? progress.completeBelow,
      onIndexFault: (error: unknown) =>
        options.log?.error({ error }, 'The block index could not be written; it will be tried again.'),
      report,
    };
    const parts = await openNodeParts(options, hooks, closer);
    progress.completeBelow = parts.completeBelow;
    const writable = parts.journal.ledger.nodeSuspect === undefined;
    const { directory, clock } = options;
    const { unsealed, lastSequence, failure } = await recoverSegments({ ...parts, directory, clock, writable, report });
    const opened = new LocalNode(options, { parts, closer, lastSequence, lines });
    await opened.#finishRecovery(unsealed, failure, report);
    node = opened;
    return opened;
  }

  get id(): NodeId {
    return this.#parts.identity.nodeId;
  }

  get directory(): string {
    return this.#options.directory;
  }

  /** For metrics: batches, records and bytes written by this process, appends waiting. */
  get writerStats(): WriterStats {
    return this.#writer.stats;
  }

  /** Every record of a segment below this is in the index. */
  get completeBelow(): number {
    return this.#writer.completeBelow;
  }

  async putBlocks(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    this.#assertOpen('graviton.put');
    if (this.#readOnlyReason !== undefined) {
      throw new QuasarError('node_read_only', { op: 'graviton.put', details: { reason: this.#readOnlyReason } });
    }
    const outcomes = await this.#writer.put(blocks);
    this.#sealWhenIdle();
    return outcomes;
  }

  /**
   * Header and payload come with one system call through the page cache, the payload straight into `target`. The
   * header must be the one of this id and place; the payload's hash is the caller's to check.
   */
  readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    return this.#read(id, target, ({ place }) =>
      this.#parts.segmentFiles.use(place.mark.segment, (file: SegmentFile) => readRecord(file, place, target)),
    );
  }

  readBlockFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    return this.#read(id, target, ({ place, path }) => readRecordFromDisk(this.#parts.files, path, place, target));
  }

  async reportDamage(id: BlockId, reason: string): Promise<void> {
    this.#assertOpen('graviton.reportDamage');
    const { index, journal } = this.#parts;
    const entry = index.find(id);
    if (entry === undefined || journal.ledger.isDamaged(id, entry)) return;
    let marking = this.#marking.get(id);
    if (marking === undefined) {
      const { segment, offset } = entry;
      this.#log.error({ block: id, segment, offset, reason }, 'A stored record is damaged; it is marked and no longer read.');
      marking = journal.record({ kind: 'damage', id, segment, offset, reason }).finally(() => this.#marking.delete(id));
      this.#marking.set(id, marking);
    }
    await marking;
  }

  statBlock(id: BlockId): number | undefined {
    return findHealthy(this.#parts.index, this.#parts.journal.ledger, id)?.size;
  }

  listManifests(): AsyncIterable<BlockId> {
    this.#assertOpen('graviton.listManifests');
    return this.#parts.index.manifestIds();
  }

  health(): NodeHealth {
    const { space, directIo } = this.#parts;
    const { freeBytes, floorBytes } = space.read();
    const readOnlyReason = this.#readOnlyReason ?? (this.#closed ? 'The node is closed.' : undefined);
    return {
      writable: readOnlyReason === undefined,
      readOnlyReason,
      full: freeBytes < floorBytes,
      freeBytes,
      floorBytes,
      directIo,
      damagedRecords: this.#countDamage(),
    };
  }

  /** Makes the index durable now instead of within a second, so that the next start has less to read. */
  flushIndex(): Promise<void> {
    return this.#parts.index.flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    if (this.#reading > 0) await new Promise<void>((resolve) => (this.#whenUnread = resolve));
    for (const { name, cause } of await this.#closer.close()) {
      this.#log.error({ error: cause, step: name }, 'A part of the storage node did not close cleanly.');
    }
  }

  async #read(id: BlockId, target: Uint8Array, read: (at: ReadAt) => Promise<RecordHeader | Fault>): Promise<number | undefined> {
    this.#assertOpen('graviton.read');
    const entry = this.#parts.index.find(id);
    if (entry === undefined) return undefined;
    const at = this.#locate(id, entry);
    assert(target.byteLength >= entry.size, 'the target holds the block');
    this.#reading += 1;
    try {
      const header = await read(at);
      if (!(header instanceof Fault) && header.id === id) return entry.size;
      await this.#reportQuietly(id, header instanceof Fault ? header.meaning : 'the record holds another block');
    } catch (cause) {
      await this.#readFailed(id, cause);
    } finally {
      this.#reading -= 1;
      if (this.#reading === 0) this.#whenUnread();
    }
    throw corrupt(id);
  }

  #locate(id: BlockId, { segment, offset, size }: IndexEntry): ReadAt {
    const { ledger } = this.#parts.journal;
    const known = ledger.find(segment);
    if (known === undefined || ledger.isDamaged(id, { segment, offset })) throw corrupt(id);
    return { place: { mark: known.mark, offset, size }, path: segmentPath(this.#options.directory, segment) };
  }

  /** Only a missing file is damage; a disk that fails to read may do better next time, or in another machine. */
  async #readFailed(id: BlockId, cause: unknown): Promise<void> {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw isQuasarError(cause) ? cause : new QuasarError('internal', { op: 'graviton.read', cause, details: { block: id } });
    }
    await this.#reportQuietly(id, 'the file of its segment is missing');
  }

  /** The caller learns of the damage either way; a mark that can not be written must not hide it. */
  async #reportQuietly(id: BlockId, reason: string): Promise<void> {
    try {
      await this.reportDamage(id, reason);
    } catch (error) {
      this.#log.error({ error, block: id }, 'The mark of a damaged record could not be written.');
    }
  }

  #countDamage(): number {
    const { index, journal } = this.#parts;
    let count = 0;
    for (const [id, mark] of journal.ledger.damage()) {
      const entry = index.find(id);
      if (entry === undefined || (entry.segment === mark.segment && entry.offset === mark.offset)) count += 1;
    }
    return count;
  }

  #makeSpares(): SpareSegments {
    const { files, identity, directIo, space } = this.#parts;
    return new SpareSegments({
      files,
      directory: this.#options.directory,
      countMax: this.#options.spareSegments ?? limits.spareSegmentsMax,
      segmentSize: identity.segmentSize,
      direct: directIo,
      busy: () => this.#writer.busy,
      hasRoom: (size) => {
        const { freeBytes, floorBytes } = space.read();
        return this.#readOnlyReason === undefined && freeBytes - size > floorBytes;
      },
      onFault: (error) => this.#log.warn({ error }, 'A spare segment could not be made.'),
    });
  }

  #makeWriter(firstSequence: number): BlockWriter {
    const { slab, directory, clock } = this.#options;
    const { directIo: direct, identity, journal, index } = this.#parts;
    const supply = new SegmentSupply({ ...this.#parts, directory, spares: this.#spares, direct, clock });
    const writer = {
      memory: slab,
      buffersAt: slab.extraAt,
      segmentSize: identity.segmentSize,
      firstSequence,
      onSealed: (sealed: SealedSegment) => this.#recordSeal(sealed),
      onDeath: (death: WriterDeath) => this.#writerDied(death),
      onFull: (error: unknown) => {
        this.#parts.space.expire();
        this.#log.error({ error }, 'The disk is full; nothing that was acknowledged is affected.');
      },
    };
    return new BlockWriter({ index, journal, supply, writer });
  }

  /** A segment that was filled says that this node grows: the next ones may as well be prepared. */
  async #recordSeal({ superblock, fileSize, recordBytes, count, root }: SealedSegment): Promise<void> {
    try {
      await this.#parts.journal.record({ kind: 'seal', segment: superblock.segment, fileSize, recordBytes, count, root });
    } catch (cause) {
      throw isDiskFull(cause) ? new QuasarError('storage_full', { op: 'graviton.seal', cause }) : cause;
    }
    if (!this.#closed && fileSize >= superblock.segmentSize / 2) this.#spares.fill();
  }

  async #finishRecovery(
    unsealed: readonly UnsealedSegment[],
    failure: DiskFailure | undefined,
    report: (line: string) => void,
  ): Promise<void> {
    await this.#spares.adopt();
    if (failure !== undefined) await this.#goReadOnly(failure);
    const { files, journal } = this.#parts;
    const { directory, clock } = this.#options;
    const store = (blocks: readonly OutgoingBlock[]) => this.#writer.put(blocks);
    for (const segment of unsealed) {
      if (this.#readOnlyReason !== undefined) await segment.file.close();
      else await this.#sealOrExplain(segment, () => sealUnsealed({ files, directory, journal, clock, store, report }, segment));
    }
    await this.#parts.index.flush();
  }

  async #sealOrExplain({ superblock }: UnsealedSegment, seal: () => Promise<void>): Promise<void> {
    const { segment } = superblock;
    try {
      await seal();
    } catch (cause) {
      if (!isDiskFull(cause)) await this.#goReadOnly({ segment, step: `seal of segment ${segment}`, cause });
      else this.#log.error({ error: cause, segment }, 'The disk is too full to seal a segment; the next start tries again.');
    }
  }

  #writerDied({ step, segment = NODE_ITSELF, cause }: WriterDeath): void {
    this.#goReadOnly({ step, segment, cause }).catch((error: unknown) => {
      this.#log.error({ error }, 'The failure of the disk could not be entered in MANIFEST.');
    });
  }

  /** Loud, and for good: a second fdatasync may succeed over lost pages, so only an operator can end this. */
  async #goReadOnly({ step, segment, cause }: DiskFailure): Promise<void> {
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? String(cause);
    const reason = `The ${step} failed (${why}). Check the disk, then take it back with: quasar graviton accept-disk`;
    this.#readOnlyReason ??= reason;
    this.#log.error({ error: cause, step, segment }, `The storage node is read-only now. ${reason}`);
    const { journal } = this.#parts;
    if (segment !== NODE_ITSELF) await journal.record({ kind: 'suspect', segment, reason });
    await journal.record({ kind: 'suspect', segment: NODE_ITSELF, reason });
  }

  #sealWhenIdle(): void {
    if (this.#idleTimer !== undefined) {
      this.#idleTimer.refresh();
      return;
    }
    const seal = (): void => {
      this.#idleTimer = undefined;
      this.#writer.sealActive().catch((error: unknown) => this.#log.error({ error }, 'The idle segment could not be sealed.'));
    };
    this.#idleTimer = setTimeout(seal, this.#options.idleSealMs ?? limits.segmentIdleSealMs).unref();
  }

  #assertOpen(op: string): void {
    if (this.#closed) throw new QuasarError('node_closed', { op });
  }
}

interface NodeStart {
  readonly parts: NodeParts;
  readonly closer: Closer;
  readonly lastSequence: number;
  readonly lines: readonly string[];
}

interface ReadAt {
  readonly place: ReadPlace;
  readonly path: string;
}

/** The last batch and the footer of a segment, on a slow disk. */
const SEAL_TIMEOUT_MS = 60_000;

function corrupt(id: BlockId): QuasarError {
  return new QuasarError('corrupt', { op: 'graviton.read', details: { block: id } });
}
