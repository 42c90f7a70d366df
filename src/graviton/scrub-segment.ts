import type { Hasher } from '../chunker/hasher.ts';
import type { Slab, Slot } from '../core/slab.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { Fault } from '../segment/fault.ts';
import { RECORD_HEADER } from '../segment/format.ts';
import { judgeRecord, type RecordVerdict } from '../segment/judge-record.ts';
import { decodeRecordHeader, type RecordHeader } from '../segment/record-header.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import { openPastCache } from '../segment/segment-reader.ts';
import { AlignedReads, alignedWindow } from './aligned-reads.ts';
import { assertOwnFile } from './foreign-file.ts';
import { segmentPath } from './node-directory.ts';
import type { ScrubAccess } from './scrub-access.ts';
import type { LedgerSegment } from './segment-ledger.ts';
import { readSegmentTable, type TableRecord } from './segment-table.ts';

/** Small records are read together up to this size: it is also what the event loop hashes in one go. */
const RUN_SIZE = 256 * 1024;

/** A record whose bytes are not what was stored, or which the disk would not give. */
export interface ScrubFinding {
  readonly record: TableRecord;
  readonly reason: string;
  /** The disk's own error; such a record may be whole, and is not condemned. */
  readonly error: unknown;
}

export interface CheckedRun {
  readonly findings: readonly ScrubFinding[];
  /** Time the disk took. */
  readonly readMs: number;
}

export interface SegmentScrubOptions {
  readonly access: ScrubAccess;
  readonly slab: Slab;
  readonly hasher: Pick<Hasher, 'hashBlock'>;
  /** For durations. */
  readonly monotonic: () => number;
}

/** One sealed segment, read past the page cache where the node writes past it. */
export class SegmentScrub {
  readonly #options: SegmentScrubOptions;
  readonly #segment: LedgerSegment;
  readonly #file: AlignedReads;
  /** In order of offset. */
  readonly #records: readonly TableRecord[];

  private constructor(options: SegmentScrubOptions, segment: LedgerSegment, file: AlignedReads, records: readonly TableRecord[]) {
    this.#options = options;
    this.#segment = segment;
    this.#file = file;
    this.#records = records;
  }

  /** Tells of bad footers and superblocks by `report`. @throws ForeignFileError; the file's errors, ENOENT when it is missing. */
  static async open(
    options: SegmentScrubOptions,
    segment: LedgerSegment,
    { window, report }: { window: Uint8Array; report: (line: string) => void },
  ): Promise<SegmentScrub> {
    const { files, directory, identity, directIo } = options.access;
    const file = new AlignedReads(await open(files, segmentPath(directory, segment.segment), directIo), window);
    try {
      await assertOwnFile(file, segment);
      const table = await readSegmentTable(file, { segment: segment.segment, known: segment, identity, report });
      return new SegmentScrub(options, segment, file, [...table.records()]);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  /** Records from `offset` on that are not marked already, in pieces for `check`. */
  *runs(offset: number): Generator<readonly TableRecord[]> {
    const { ledger } = this.#options.access;
    const { segment } = this.#segment;
    let run: TableRecord[] = [];
    for (const record of this.#records) {
      if (record.offset < offset || ledger.isDamaged(record.id, { segment, offset: record.offset })) continue;
      const [first] = run;
      if (first !== undefined && recordEnd(record) - first.offset > RUN_SIZE) {
        yield run;
        run = [];
      }
      run.push(record);
    }
    if (run.length > 0) yield run;
  }

  /** Reads a run with one call and hashes its payloads, one by one, in the slot. Throws for what passes, never for what the disk does. */
  async check(run: readonly TableRecord[], slot: Slot): Promise<CheckedRun> {
    const { monotonic } = this.#options;
    const [first, last] = [run[0] as TableRecord, run.at(-1) as TableRecord];
    const startedMs = monotonic();
    const bytes = await this.#file.view(first.offset, recordEnd(last) - first.offset).catch(() => new Uint8Array());
    const readMs = monotonic() - startedMs;
    const findings: ScrubFinding[] = [];
    for (const record of run) {
      if (await this.#isWhole(bytes.subarray(record.offset - first.offset), record, slot)) continue;
      findings.push(...(await this.#lookAgain(record, slot)));
    }
    return { findings, readMs };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #isWhole(bytes: Uint8Array, record: TableRecord, slot: Slot): Promise<boolean> {
    if (bytes.byteLength < RECORD_HEADER.size + record.size) return false;
    const header = decodeRecordHeader(bytes.subarray(0, RECORD_HEADER.size), this.#segment.mark, record.offset);
    if (faultOf(header, record) !== undefined) return false;
    const { slab, hasher } = this.#options;
    slab.copyIn(slot.at, bytes.subarray(RECORD_HEADER.size, RECORD_HEADER.size + record.size));
    return (await hasher.hashBlock(slot.at, record.size)) === record.id;
  }

  /** Memory and cables err, too: only what the disk says twice condemns a record. An array, so that none is none. */
  async #lookAgain(record: TableRecord, slot: Slot): Promise<ScrubFinding[]> {
    let verdict: RecordVerdict;
    try {
      verdict = await this.#judge(record, slot);
    } catch (error) {
      if (diskFaultOf(error) === 'passing') throw error;
      return [{ record, reason: 'the disk does not give it', error }];
    }
    if (verdict.state === 'whole') return [];
    // A file that has lost its end proves nothing.
    const error = verdict.state === 'cut' ? new Error(verdict.reason) : undefined;
    return [{ record, reason: verdict.reason, error }];
  }

  async #judge({ id, offset, size }: TableRecord, slot: Slot): Promise<RecordVerdict> {
    const { files, directory } = this.#options.access;
    const file = await openPastCache(files, segmentPath(directory, this.#segment.segment));
    try {
      const place = { mark: this.#segment.mark, offset, size };
      return await judgeRecord(new AlignedReads(file, alignedWindow()), id, place, slot.bytes);
    } finally {
      await file.close();
    }
  }
}

function recordEnd({ offset, size }: TableRecord): number {
  return offset + RECORD_HEADER.size + size;
}

function faultOf(header: RecordHeader | Fault, { id, size, sequence }: TableRecord): string | undefined {
  if (header instanceof Fault) return header.meaning;
  const same = header.id === id && header.storedSize === size && header.sequence === sequence;
  return same ? undefined : 'its header is not the one the footer lists';
}

function open(files: SegmentFiles, path: string, direct: boolean) {
  return direct ? openPastCache(files, path) : files.open(path, { access: 'read', direct: false });
}
