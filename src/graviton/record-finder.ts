import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { isDiskError, isShortage } from '../segment/disk-fault.ts';
import { PAYLOAD_SIZE_MAX } from '../segment/format.ts';
import { judgeRecord, type RecordVerdict } from '../segment/judge-record.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import type { RecordHeader } from '../segment/record-header.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import { openPastCache } from '../segment/segment-reader.ts';
import { AlignedReads, alignedWindow } from './aligned-reads.ts';
import type { BlockIndex } from './block-index.ts';
import type { DamageMarks, RecordPlace } from './damage-marks.ts';
import { assertOwnFile, ForeignFileError } from './foreign-file.ts';
import { isBlockKind } from './healthy-entry.ts';
import type { IndexEntry } from './index-entry.ts';
import { absenceOf, type MissingSegments } from './missing-segments.ts';
import { segmentPath } from './node-directory.ts';
import type { NodeJournal } from './node-journal.ts';
import type { LedgerSegment } from './segment-ledger.ts';
import { readSegmentTable } from './segment-table.ts';

export interface RecordFinderOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly marks: DamageMarks;
  readonly missing: MissingSegments;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
}

/** A place where a record of the block should be: the index, a mark or a footer says so. */
interface Candidate {
  readonly segment: LedgerSegment;
  readonly offset: number;
  readonly size: number;
  /** A footer or a scan says so, which proves that it was there. */
  readonly listed: boolean;
}

/** What one look at a block's places found. */
interface Findings {
  whole: { readonly place: RecordPlace; readonly header: RecordHeader } | undefined;
  readonly damaged: { readonly place: RecordPlace; readonly reason: string }[];
  /** Why some place could not be looked at. */
  unreadable: unknown;
  /** Segments without their footers: what they held cannot be told from them. */
  readonly illegible: Set<number>;
  readonly seen: Set<string>;
}

/**
 * The second look at a block that was not where the index says, or not what it should be: past the page cache, judged
 * by the record's own bytes, and if need be in every segment. It finds out whose fault it was, and mends what it can.
 *
 * - The record is whole: a mark on it is withdrawn, an index entry that says otherwise is replaced.
 * - Its bytes are wrong, and no copy is whole: it is marked.
 * - Bytes could not be read: nothing is marked, and the next read tries again.
 * - No segment has it: the index entry is dropped.
 *
 * Looks run one after the other: they are rare, and may read every footer.
 */
export class RecordFinder {
  readonly #options: RecordFinderOptions;
  /** Blocks that were found nowhere whole, with the time until which they are not looked for again. */
  readonly #lost = new Map<BlockId, { readonly until: number; readonly damaged: boolean }>();
  #scratch: Uint8Array | undefined;
  #window: Uint8Array | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: RecordFinderOptions) {
    this.#options = options;
    options.index.watch((id) => this.#lost.delete(id));
  }

  /**
   * Fills `target`, if there is one, with the block, verified, and returns its size; undefined when no segment has it.
   * @throws QuasarError `corrupt` when its bytes are damaged, `block_unavailable` when they could not be read.
   */
  find(id: BlockId, target?: Uint8Array): Promise<number | undefined> {
    if (this.#waiting >= limits.recordSearchesMax) return Promise.reject(unavailable(id, 'Too many blocks are searched for.'));
    this.#waiting += 1;
    const found = this.#tail.then(() => this.#find(id, target));
    const done = () => {
      this.#waiting -= 1;
    };
    this.#tail = found.then(done, done);
    return found;
  }

  /** Segments were read that had not been there. */
  forgetLosses(): void {
    this.#lost.clear();
  }

  /** Waits for the looks under way. */
  async close(): Promise<void> {
    await this.#tail;
  }

  async #find(id: BlockId, target: Uint8Array | undefined): Promise<number | undefined> {
    const entry = this.#options.index.find(id);
    const known = this.#lost.get(id);
    if (entry === undefined && known !== undefined && known.until > this.#options.clock.monotonic()) {
      if (known.damaged) throw corrupt(id);
      return undefined;
    }
    const findings: Findings = { whole: undefined, damaged: [], unreadable: undefined, illegible: new Set(), seen: new Set() };
    await this.#look(id, this.#knownPlaces(id, entry), findings);
    if (findings.whole === undefined) await this.#searchSegments(id, entry, findings);
    if (findings.whole !== undefined) return this.#takeWhole(id, entry, findings.whole, target);
    return this.#takeLoss(id, entry, findings);
  }

  async #takeLoss(id: BlockId, entry: IndexEntry | undefined, findings: Findings): Promise<undefined> {
    const { unreadable } = findings;
    const damaged = [...findings.damaged, ...overwritten(id, entry, findings)];
    for (const { place, reason } of damaged) await this.#markQuietly(place, reason);
    if (damaged.length === 0 && unreadable !== undefined) throw unavailable(id, undefined, unreadable);
    if (entry !== undefined && !damaged.some(({ place }) => isAt(entry, place))) this.#forget(id, entry);
    this.#options.marks.refresh(id);
    this.#remember(id, damaged.length > 0);
    if (damaged.length > 0) throw corrupt(id);
    return undefined;
  }

  /** Where the index and the marks say that it is. */
  #knownPlaces(id: BlockId, entry: IndexEntry | undefined): Candidate[] {
    const { ledger } = this.#options.journal;
    const places = [...(entry === undefined ? [] : [entry]), ...ledger.marksOf(id).map((mark) => ({ ...mark, size: 0 }))];
    return places.flatMap(({ segment, offset, size }) => {
      const known = ledger.find(segment);
      return known === undefined ? [] : [{ segment: known, offset, size, listed: false }];
    });
  }

  async #look(id: BlockId, places: readonly Candidate[], findings: Findings): Promise<void> {
    for (const { segment, offset, size, listed } of places) {
      const place = { id, segment: segment.segment, offset };
      const key = `${place.segment}:${offset}`;
      if (findings.seen.has(key) || findings.whole !== undefined) continue;
      findings.seen.add(key);
      const verdict = await this.#judge(segment, { id, offset, size }, findings);
      if (verdict === undefined) continue;
      if (verdict.state === 'whole') findings.whole = { place, header: verdict.header };
      else if (verdict.state === 'damaged') findings.damaged.push({ place, reason: verdict.reason });
      // Footers and marks prove that a record was there. An index entry may be wrong: the footers will tell.
      else if (listed || this.#options.marks.isMarked(place)) findings.damaged.push({ place, reason: verdict.reason });
      else findings.seen.delete(key);
    }
  }

  /** Undefined when the bytes could not be read. A file that ends early has not all its bytes, so it is no proof either. */
  async #judge(
    segment: LedgerSegment,
    { id, offset, size }: { id: BlockId; offset: number; size: number },
    findings: Findings,
  ): Promise<RecordVerdict | undefined> {
    const { files, directory, missing } = this.#options;
    this.#window ??= alignedWindow();
    this.#scratch ??= Buffer.allocUnsafeSlow(PAYLOAD_SIZE_MAX);
    try {
      const file = await this.#open(segment, () => openPastCache(files, segmentPath(directory, segment.segment)), findings);
      if (file === undefined) return undefined;
      try {
        const reads = new AlignedReads(file, this.#window);
        await assertOwnFile(reads, segment);
        const verdict = await judgeRecord(reads, id, { mark: segment.mark, offset, size }, this.#scratch);
        if (verdict.state !== 'cut') return verdict;
        const expected = segment.sealed?.fileSize ?? 0;
        const actual = await file.size();
        // A whole file that has no such place: the place is wrong.
        if (actual >= expected) return { state: 'none', reason: verdict.reason };
        missing.add(segment.segment, `its file has ${actual} bytes instead of ${expected}`);
        this.#cannotRead(segment, new Error(verdict.reason), findings);
        return undefined;
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#cannotRead(segment, error, findings);
      return undefined;
    }
  }

  async #open<File>(segment: LedgerSegment, open: () => Promise<File>, findings: Findings): Promise<File | undefined> {
    try {
      return await open();
    } catch (error) {
      if (isDiskError(error) && !isShortage(error)) this.#options.missing.add(segment.segment, absenceOf(error));
      this.#cannotRead(segment, error, findings);
      return undefined;
    }
  }

  /** A segment that was given up is not waited for. */
  #cannotRead({ segment }: LedgerSegment, error: unknown, findings: Findings): void {
    const { journal, missing } = this.#options;
    if (error instanceof ForeignFileError) missing.add(segment, error.message);
    if (!(missing.has(segment) && journal.ledger.isGivenUp(segment))) findings.unreadable ??= error;
  }

  /** The segment the index names first, then the others, newest first. */
  async #searchSegments(id: BlockId, entry: IndexEntry | undefined, findings: Findings): Promise<void> {
    const { ledger } = this.#options.journal;
    const segments = [...ledger.segments].reverse();
    const first = segments.findIndex(({ segment }) => segment === entry?.segment);
    if (first > 0) segments.unshift(...segments.splice(first, 1));
    for (const segment of segments) {
      await this.#look(id, await this.#listed(id, segment, findings), findings);
      if (findings.whole !== undefined) return;
    }
  }

  /** What the footer of a segment, or a scan of it, lists of the block. */
  async #listed(id: BlockId, segment: LedgerSegment, findings: Findings): Promise<Candidate[]> {
    const { files, directory, identity } = this.#options;
    const path = segmentPath(directory, segment.segment);
    const file = await this.#open(segment, () => files.open(path, { access: 'read', direct: false }), findings);
    if (file === undefined) return [];
    try {
      await assertOwnFile(file, segment);
      const whole = (await file.size()) >= (segment.sealed?.fileSize ?? 0);
      if (!whole) this.#cannotRead(segment, new Error('the file is not whole'), findings);
      const table = await readSegmentTable(file, { segment: segment.segment, known: segment, identity, report: () => undefined });
      if (segment.sealed !== undefined && whole && !table.footed) findings.illegible.add(segment.segment);
      return table.find(id).map(({ offset, size }) => ({ segment, offset, size, listed: true }));
    } catch (error) {
      this.#cannotRead(segment, error, findings);
      return [];
    } finally {
      await file.close();
    }
  }

  async #takeWhole(
    id: BlockId,
    entry: IndexEntry | undefined,
    { place, header }: { place: RecordPlace; header: RecordHeader },
    target: Uint8Array | undefined,
  ): Promise<number> {
    const { kind, storedSize: size, sequence } = header;
    if (isBlockKind(kind)) {
      const right = { segment: place.segment, offset: place.offset, size, sequence, kind };
      if (entry === undefined || !isSame(entry, right)) this.#correct(id, entry, right);
    }
    try {
      await this.#options.marks.clear(place);
    } catch (error) {
      this.#options.log.error({ error, block: id }, 'A mark could not be withdrawn; the block is read all the same.');
    }
    target?.set((this.#scratch as Uint8Array).subarray(0, size));
    return size;
  }

  #correct(id: BlockId, entry: IndexEntry | undefined, right: IndexEntry): void {
    const { index, log } = this.#options;
    log.warn({ block: id, was: entry, is: right }, 'The block index was wrong about a block. It was found in its segment.');
    index.set(id, right);
  }

  #forget(id: BlockId, entry: IndexEntry): void {
    const { index, journal, log } = this.#options;
    // A segment that was given up may return.
    if (journal.ledger.isGivenUp(entry.segment)) return;
    log.error({ block: id, was: entry }, 'The block index names a block that is in no segment. The entry was dropped.');
    index.forget(id);
  }

  /** The caller learns of the damage either way; a mark that can not be written must not hide it. */
  async #markQuietly(place: RecordPlace, reason: string): Promise<void> {
    try {
      await this.#options.marks.mark(place, reason);
    } catch (error) {
      this.#options.log.error({ error, block: place.id }, 'The mark of a damaged record could not be written.');
    }
  }

  #remember(id: BlockId, damaged: boolean): void {
    if (this.#lost.size >= limits.lostBlocksMax) this.#lost.clear();
    this.#lost.set(id, { until: this.#options.clock.monotonic() + limits.damageJudgedMs, damaged });
  }
}

function isSame(left: IndexEntry, right: IndexEntry): boolean {
  const { segment, offset, size, sequence, kind } = right;
  return (
    left.segment === segment && left.offset === offset && left.size === size && left.sequence === sequence && left.kind === kind
  );
}

/** Without a footer the index is the only witness that a record was there. An array, so that none is none. */
function overwritten(id: BlockId, entry: IndexEntry | undefined, { damaged, illegible }: Findings) {
  if (entry === undefined || damaged.length > 0 || !illegible.has(entry.segment)) return [];
  const { segment, offset } = entry;
  return [{ place: { id, segment, offset }, reason: 'neither the record nor a footer that lists it is there any more' }];
}

function isAt(entry: IndexEntry, { segment, offset }: RecordPlace): boolean {
  return entry.segment === segment && entry.offset === offset;
}

export function corrupt(id: BlockId): QuasarError {
  return new QuasarError('corrupt', { op: 'graviton.read', details: { block: id } });
}

export function unavailable(id: BlockId, message: string | undefined, cause?: unknown): QuasarError {
  const context = { op: 'graviton.read', details: { block: id }, cause };
  return new QuasarError('block_unavailable', message === undefined ? context : { ...context, message });
}
