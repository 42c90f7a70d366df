import type { BlockId } from '../core/digest.ts';
import { syncData } from '../segment/durable-steps.ts';
import { Fault } from '../segment/fault.ts';
import type { FooterEntry, FooterSummary } from '../segment/footer.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE } from '../segment/format.ts';
import { recordEnd } from '../segment/record-header.ts';
import type { SegmentFile } from '../segment/segment-files.ts';
import { readFooter, readSuperblock } from '../segment/segment-reader.ts';
import { type DamagedRange, type ScanEnd, type ScannedRecord, scanSegment } from '../segment/segment-scan.ts';
import type { Superblock } from '../segment/superblock.ts';
import { assertOwnFile } from './foreign-file.ts';
import { adopt, isBlockKind } from './healthy-entry.ts';
import { absenceOf, mayReturn } from './missing-segments.ts';
import { segmentPath } from './node-directory.ts';
import type { DiskFailure, RecoveryContext, Tally } from './recovery.ts';
import type { LedgerSegment } from './segment-ledger.ts';

/** A segment a crash left open, read to its end. Nothing has been changed in it yet. */
export interface UnsealedSegment {
  readonly superblock: Superblock;
  /** Open for writing, through the page cache. Whoever seals closes it. */
  readonly file: SegmentFile;
  /** What its footer will list, in order of offset. */
  readonly entries: readonly FooterEntry[];
  /** Where the acknowledged batches end, and what lies behind them. */
  readonly end: ScanEnd;
  /** The footer was written, only its MANIFEST entry is missing. */
  readonly footed: (FooterSummary & { readonly fileSize: number }) | undefined;
}

export interface UnsealedFinding {
  readonly unsealed: UnsealedSegment | undefined;
  readonly failure: DiskFailure | undefined;
}

/**
 * Decides what of an unsealed segment was acknowledged: batches with a commit frame, whatever lies before a later
 * frame, and whatever the index had seen durable even though its frame is bad now. That is indexed, or marked damaged
 * and kept. What lies behind is a torn tail.
 */
export async function readUnsealed(context: RecoveryContext, segment: LedgerSegment, tally: Tally): Promise<UnsealedFinding> {
  const opened = await openUnsealed(context, segment);
  if (opened === undefined) return { unsealed: undefined, failure: undefined };
  context.missing.remove(segment.segment);
  const { file, failure } = opened;
  const superblock = await superblockOf(context, segment, file);
  const { end, ...found } = await readBatches(file, superblock, acknowledgedEnd(context, segment.segment));
  const entries = [...found.records, ...found.damage.flatMap(({ record }) => record ?? [])].map(toFooterEntry).sort(byOffset);
  await markDamage(context, segment.segment, { entries, damage: found.damage });
  context.beginIndexing(segment.segment);
  indexEntries(context, segment.segment, entries);
  for (const { sequence } of [...entries, ...end.salvage.map(({ header }) => header)]) {
    tally.lastSequence = Math.max(tally.lastSequence, sequence);
  }
  const footed = end.state === 'footer' ? await footerOf(file, segment) : undefined;
  const unsealed = { superblock, file, entries, end, footed };
  if (context.writable && failure === undefined) return { unsealed, failure };
  await file.close();
  return { unsealed: undefined, failure };
}

interface Batches {
  readonly records: readonly ScannedRecord[];
  readonly damage: readonly DamagedRange[];
  readonly end: ScanEnd;
}

async function readBatches(file: SegmentFile, superblock: Superblock, durableEnd: number): Promise<Batches> {
  const records: ScannedRecord[] = [];
  const damage: DamagedRange[] = [];
  for await (const event of scanSegment(file, { superblock, durableEnd, verifyPayloads: true })) {
    if (event.type === 'end') return { records, damage, end: event };
    records.push(...event.records);
    damage.push(...event.damage);
  }
  throw new Error('a scan ends with an end event');
}

/** The bytes may be in the page cache only. This is the first fdatasync of this process, so it is no retry. */
async function openUnsealed(
  context: RecoveryContext,
  known: LedgerSegment,
): Promise<{ file: SegmentFile; failure: DiskFailure | undefined } | undefined> {
  const { segment } = known;
  let file: SegmentFile;
  try {
    file = await openLeftOver(context, known);
  } catch (error) {
    if (!mayReturn(error)) throw error;
    context.missing.add(segment, absenceOf(error));
    return undefined;
  }
  if (!context.writable) return { file, failure: undefined };
  try {
    await syncData(file);
    return { file, failure: undefined };
  } catch (cause) {
    return { file, failure: { segment, step: `fdatasync of segment ${segment}`, cause } };
  }
}

async function openLeftOver({ files, directory, writable }: RecoveryContext, known: LedgerSegment): Promise<SegmentFile> {
  const path = segmentPath(directory, known.segment);
  try {
    return await owned(await files.open(path, { access: writable ? 'write' : 'read', direct: false }), known);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || !writable) throw error;
  }
  // Sealing got as far as the read-only mode, which keeps its owner out, too.
  const sealed = await owned(await files.open(path, { access: 'read', direct: false }), known);
  await sealed.chmod(0o600);
  await sealed.close();
  return files.open(path, { access: 'write', direct: false });
}

/** Closes a file that holds another segment. @throws ForeignFileError. */
async function owned(file: SegmentFile, known: LedgerSegment): Promise<SegmentFile> {
  try {
    await assertOwnFile(file, known);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** MANIFEST knows the salt, so a damaged superblock costs no record. */
async function superblockOf(context: RecoveryContext, segment: LedgerSegment, file: SegmentFile): Promise<Superblock> {
  const superblock = await readSuperblock(file);
  if (!(superblock instanceof Fault)) return superblock;
  context.structure.add(segment.segment);
  context.report(`The superblock of segment ${segment.segment} is damaged: ${superblock.meaning}.`);
  const { nodeId, segmentSize } = context.identity;
  return { segment: segment.segment, salt: segment.salt, nodeId, createdMs: segment.createdMs, segmentSize };
}

/** The end of the batch with the last record the index saw durable, if it lies in this segment. */
function acknowledgedEnd({ index }: RecoveryContext, segment: number): number {
  const { last } = index;
  return last?.segment === segment ? alignUp(recordEnd(last.offset, last.size) + FRAME_SPAN, PAGE_SIZE) : 0;
}

interface DamageFindings {
  readonly entries: readonly FooterEntry[];
  readonly damage: readonly DamagedRange[];
}

async function markDamage(context: RecoveryContext, segment: number, found: DamageFindings): Promise<void> {
  for (const { at, size, meaning, record } of found.damage) {
    context.report(`Segment ${segment}: ${size} bytes at ${at} are damaged (${meaning}); they are kept and marked.`);
    if (record !== undefined) await mark(context, { segment, id: record.header.id, offset: record.offset, reason: meaning });
  }
  if (found.damage.every(({ record }) => record !== undefined)) return;
  const seen = new Set(found.entries.map(({ id }) => id));
  for (const [id, { offset }] of await context.index.entriesOf(segment)) {
    // An index entry that points elsewhere is wrong itself.
    const gap = found.damage.find(({ at, size }) => offset >= at && offset < at + size);
    if (gap !== undefined && !seen.has(id)) {
      await mark(context, { segment, id, offset, reason: 'its record header is damaged' });
    }
  }
}

interface Spot {
  readonly segment: number;
  readonly id: BlockId;
  readonly offset: number;
  readonly reason: string;
}

async function mark({ journal }: RecoveryContext, spot: Spot): Promise<void> {
  if (!journal.ledger.isDamaged(spot.id, spot)) await journal.record({ kind: 'damage', ...spot });
}

function indexEntries(context: RecoveryContext, segment: number, entries: readonly FooterEntry[]): void {
  for (const { id, kind, offset, storedSize, sequence } of entries) {
    if (isBlockKind(kind))
      adopt(context.index, context.journal.ledger, { id, segment, offset, size: storedSize, sequence, kind });
  }
}

async function footerOf(file: SegmentFile, segment: LedgerSegment): Promise<UnsealedSegment['footed']> {
  const footer = await readFooter(file, segment.mark);
  if (footer instanceof Fault) return undefined;
  return { ...footer.summary, fileSize: await file.size() };
}

function toFooterEntry({ header, offset }: ScannedRecord): FooterEntry {
  const { id, kind, storedSize, sequence, batch } = header;
  return { id, kind, offset, storedSize, sequence, batch };
}

function byOffset(left: FooterEntry, right: FooterEntry): number {
  return left.offset - right.offset;
}
