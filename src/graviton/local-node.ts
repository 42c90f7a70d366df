import { Closer } from '../core/closer.ts';
import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type Log, silentLog } from '../core/log.ts';
import { isDiskDeath } from '../segment/disk-fault.ts';
import type { SealedSegment } from '../segment/seal-segment.ts';
import type { WriterDeath, WriterStats } from '../segment/segment-writer.ts';
import { BlockWriter } from './block-writer.ts';
import { DiskFailures } from './disk-failures.ts';
import { DiskNotices } from './disk-notices.ts';
import { isBelowFloor } from './disk-space.ts';
import { findHealthy } from './healthy-entry.ts';
import { MissingSegments } from './missing-segments.ts';
import { MissingWatch } from './missing-watch.ts';
import type { BlockRead, Node, NodeHealth, OutgoingBlock, PartRead, PutOutcome } from './node.ts';
import type { LocalNodeOptions } from './node-options.ts';
import { type NodeParts, openNodeParts } from './node-parts.ts';
import { type NodeReading, openReading } from './node-reading.ts';
import { NodeRecovery } from './node-recovery.ts';
import { PresentCheck } from './present-check.ts';
import type { Recovery, RecoveryReport } from './recovery.ts';
import type { ScrubAccess } from './scrub-access.ts';
import { NODE_ITSELF } from './segment-ledger.ts';
import { SegmentSupply } from './segment-supply.ts';
import { SpareSegments } from './spare-segments.ts';
import { explainStart } from './start-fault.ts';

export type { LocalNodeOptions } from './node-options.ts';

/**
 * The node of this process: one directory, one disk, one writer.
 *
 * It is in one of three modes. *Writable*: entered by `open`. *Read-only*: entered when a write or a sync of any of its
 * files fails, or at `open` when MANIFEST or a mark says that happened; left by `acceptDisk` and a new start. *Closed*:
 * entered by `close`. A disk that is full, and a process that is short of something, are none of these: they fail single
 * batches.
 */
export class LocalNode implements Node {
  /** What the start found after the last stop. */
  readonly recovery: RecoveryReport;
  readonly #options: LocalNodeOptions;
  readonly #log: Log;
  readonly #parts: NodeParts;
  readonly #spares: SpareSegments;
  #writer: BlockWriter;
  readonly #recovery: NodeRecovery;
  readonly #missing: MissingSegments;
  readonly #reading: NodeReading;
  readonly #closer: Closer;
  readonly #failures: DiskFailures;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #notices: DiskNotices;
  /** What a crash left is sealed, so that this process may append. False while segments are missing since the start. */
  #settled = false;
  #closed = false;

  private constructor(options: LocalNodeOptions, start: NodeStart) {
    const { parts, closer, lastSequence, lines, missing, recovery } = start;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#parts = parts;
    this.#closer = closer;
    this.recovery = { lines };
    const { directory, clock } = options;
    this.#notices = new DiskNotices({ log: this.#log, clock, space: parts.space });
    this.#failures = new DiskFailures({ ...parts, directory, log: this.#log });
    this.#missing = missing;
    this.#recovery = recovery;
    this.#reading = openReading({ parts, missing, directory, clock, log: this.#log });
    this.#spares = this.#makeSpares();
    closer.push('spare segments', () => this.#spares.close());
    this.#writer = this.#makeWriter(lastSequence + 1);
    closer.push('segment writer', () => this.#writer.close(), SEAL_TIMEOUT_MS);
    const intervalMs = options.missingCheckMs;
    const look = () => this.#lookForMissing();
    const watch = new MissingWatch({ missing, look, log: this.#log, ...(intervalMs === undefined ? {} : { intervalMs }) });
    closer.push('watch for missing segments', () => watch.close());
  }

  /**
   * Opens the node in `directory`, or makes one. Recovers what a crash left, however it came.
   * @throws QuasarError `storage_in_use`, `storage_incompatible`, `storage_unusable`, `storage_full`, `storage_busy`, `corrupt`; nothing
   * stays open then.
   */
  static async open(options: LocalNodeOptions): Promise<LocalNode> {
    const closer = new Closer();
    try {
      return await LocalNode.#start(options, closer);
    } catch (error) {
      await closer.close();
      throw explainStart(error, options.directory);
    }
  }

  static async #start(options: LocalNodeOptions, closer: Closer): Promise<LocalNode> {
    const lines: string[] = [];
    const report = (line: string): void => {
      lines.push(line);
      options.log?.warn({ directory: options.directory }, line);
    };
    let node: LocalNode | undefined;
    let recovery: NodeRecovery | undefined;
    // Until recovery is through, the index is complete as far as it was; a crash now repeats the work.
    const progress = { completeBelow: 0 };
    const hooks = {
      completeBelow: () => Math.min(node?.completeBelow ?? progress.completeBelow, recovery?.indexing ?? 0),
      onIndexFault: (error: unknown) => {
        options.log?.error({ error }, INDEX_FAULT);
        node?.indexFailed(error);
      },
      onJournalFailure: (cause: unknown) => node?.journalFailed(cause),
      report,
    };
    const parts = await openNodeParts(options, hooks, closer);
    progress.completeBelow = parts.completeBelow;
    const { directory, clock, log = silentLog } = options;
    const missing = new MissingSegments(parts.journal.ledger, log);
    recovery = new NodeRecovery({ parts, missing, directory, clock, log, report });
    const found = await recovery.read();
    const { lastSequence } = found;
    const opened = new LocalNode(options, { parts, closer, lastSequence, lines, missing, recovery });
    await opened.#finishRecovery(found);
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
    const reason = this.#refusal;
    if (reason !== undefined) throw new QuasarError('node_read_only', { op: 'graviton.put', details: { reason } });
    const written = this.#parts.space.take(sizeOf(blocks));
    try {
      const outcomes = await this.#writer.put(blocks);
      this.#notices.wrote();
      this.#sealWhenIdle();
      return outcomes;
    } finally {
      written();
    }
  }

  async readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    this.#assertOpen('graviton.read');
    return this.#reading.reader.read(id, target);
  }

  async readHashed(id: BlockId, target: Uint8Array, options: { readonly stretches: boolean }): Promise<BlockRead | undefined> {
    this.#assertOpen('graviton.read');
    return this.#reading.reader.readHashed(id, target, options);
  }

  async readBlockFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    this.#assertOpen('graviton.read');
    return this.#reading.reader.readFromDisk(id, target);
  }

  async readPart(id: BlockId, offset: number, target: Uint8Array): Promise<PartRead | undefined> {
    this.#assertOpen('graviton.read');
    return this.#reading.reader.readPart(id, offset, target);
  }

  async isDamaged(id: BlockId): Promise<boolean> {
    this.#assertOpen('graviton.isDamaged');
    return this.#reading.reader.isDamaged(id);
  }

  statBlock(id: BlockId): number | undefined {
    return findHealthy(this.#parts.index, this.#parts.journal.ledger, id)?.size;
  }

  listManifests(): AsyncIterable<BlockId> {
    this.#assertOpen('graviton.listManifests');
    return this.#parts.index.manifestIds();
  }

  /** For a `Scrub` of this node; close that before the node. */
  get scrubAccess(): ScrubAccess {
    const { files, identity, directIo, journal, structure } = this.#parts;
    return {
      files,
      directory: this.directory,
      identity,
      directIo,
      ledger: journal.ledger,
      isBusy: () => this.#writer.busy || this.#reading.reader.busy,
      isWritable: () => !this.#closed && this.#refusal === undefined,
      sealActive: () => this.#writer.sealActive(),
      noteStructure: (segment) => structure.add(segment),
      diskFailed: (step, cause) => this.#stopWriting(step, cause),
      markDamaged: (place, reason) => this.#reading.marks.mark(place, reason),
      noteMissing: (segment, reason) => this.#missing.add(segment, reason),
    };
  }

  health(): NodeHealth {
    const { space, directIo, structure } = this.#parts;
    const { freeBytes, floorBytes } = space.read();
    const readOnlyReason = this.#refusal ?? (this.#closed ? 'The node is closed.' : undefined);
    const full = isBelowFloor({ freeBytes, floorBytes });
    if (full) this.#notices.belowFloor({ freeBytes, floorBytes });
    return {
      writable: readOnlyReason === undefined,
      readOnlyReason,
      trouble: this.#notices.trouble,
      full,
      freeBytes,
      floorBytes,
      directIo,
      damagedRecords: this.#reading.marks.count,
      damagedStructures: structure.count,
      missingSegments: this.#missing.description,
    };
  }

  /** Makes the index durable now instead of within a second, so that the next start has less to read. */
  flushIndex(): Promise<void> {
    return this.#parts.index.flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    await this.#reading.reader.close();
    await this.#reading.finder.close();
    await this.#failures.settled();
    for (const { name, cause } of await this.#closer.close()) {
      this.#log.error({ error: cause, step: name }, 'A part of the storage node did not close cleanly.');
    }
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
        return this.#refusal === undefined && freeBytes !== undefined && freeBytes - size > floorBytes;
      },
      onFault: (error) => this.#spareFailed(error),
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
      onFull: (error: unknown) => this.#notices.full(error),
      onRefused: (error: unknown) => this.#notices.refused(error),
    };
    const { segmentFiles } = this.#parts;
    const present = new PresentCheck({ ledger: journal.ledger, segmentFiles, finder: this.#reading.finder });
    return new BlockWriter({ index, journal, supply, present, writer });
  }

  /** A segment that was filled says that this node grows: the next ones may as well be prepared. */
  async #recordSeal({ superblock, fileSize, recordBytes, count, root }: SealedSegment): Promise<void> {
    const { journal } = this.#parts;
    try {
      await journal.record({ kind: 'seal', segment: superblock.segment, fileSize, recordBytes, count, root });
    } catch (cause) {
      // That was told already, and says nothing of the segment.
      if (journal.frozen) return;
      throw cause;
    }
    if (!this.#closed && fileSize >= superblock.segmentSize / 2) this.#spares.fill();
  }

  /** Why nothing is written now, in words; undefined when it is. */
  get #refusal(): string | undefined {
    const { description } = this.#missing;
    if (this.#failures.reason !== undefined || (description === undefined && this.#settled)) return this.#failures.reason;
    return description === undefined ? 'Segments that were missing are being read.' : `${description} ${MISSING_ADVICE}`;
  }

  async #finishRecovery({ unsealed, failure }: Recovery): Promise<void> {
    if (failure !== undefined) await this.#failures.report(failure);
    const { journal } = this.#parts;
    if (journal.failure !== undefined)
      await this.#failures.report({ step: MANIFEST_STEP, segment: NODE_ITSELF, cause: journal.failure });
    const complete = this.#missing.description === undefined;
    if (complete && this.#failures.reason === undefined) await this.#spares.adopt();
    const store = (blocks: readonly OutgoingBlock[]) => this.#writer.put(blocks);
    const onIndexFault = (error: unknown) => this.#indexFault(error);
    await this.#recovery.finish(unsealed, { failures: this.#failures, store, onIndexFault });
    this.#settled = complete;
  }

  /** When all are back, what the start left undone is done: nothing was written in between. */
  async #lookForMissing(): Promise<void> {
    const complete = await this.#recovery.lookForMissing(this.#settled, (error) => this.#indexFault(error));
    this.#reading.finder.forgetLosses();
    if (!complete || this.#settled || this.#closed) return;
    const found = await this.#recovery.read();
    this.#writer = this.#makeWriter(found.lastSequence + 1);
    await this.#finishRecovery(found);
  }

  #indexFault(error: unknown): void {
    this.#log.error({ error }, INDEX_FAULT);
    this.indexFailed(error);
  }

  #writerDied({ step, segment = NODE_ITSELF, cause }: WriterDeath): void {
    this.#failures.report({ step, segment, cause });
  }

  #spareFailed(cause: unknown): void {
    if (isDiskDeath(cause)) this.#stopWriting('preparation of a spare segment', cause);
    else this.#log.warn({ error: cause }, 'A spare segment could not be made.');
  }

  /** It can be built anew, but a disk that fails it fails. What LMDB has to say of its own pages is no failure of the disk. */
  indexFailed(cause: unknown): void {
    if (isDiskDeath(cause)) this.#stopWriting('write of the block index', cause);
  }

  journalFailed(cause: unknown): void {
    this.#stopWriting(MANIFEST_STEP, cause);
  }

  /** Another file than a segment failed. */
  #stopWriting(step: string, cause: unknown): void {
    this.#writer.stop({ step, segment: undefined, cause });
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

function sizeOf(blocks: readonly OutgoingBlock[]): number {
  let size = 0;
  for (const { bytes } of blocks) size += bytes.byteLength;
  return size;
}

interface NodeStart {
  readonly missing: MissingSegments;
  readonly recovery: NodeRecovery;
  readonly parts: NodeParts;
  readonly closer: Closer;
  readonly lastSequence: number;
  readonly lines: readonly string[];
}

const MANIFEST_STEP = 'write of MANIFEST';
const MISSING_ADVICE = 'Bring them back, or give them up with: quasar graviton accept-loss';
const INDEX_FAULT = 'The block index could not be written; it will be tried again.';

/** The last batch and the footer of a segment, on a slow disk. */
const SEAL_TIMEOUT_MS = 60_000;
