import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { isDiskError } from '../segment/disk-fault.ts';
import { renameFile } from '../segment/durable-steps.ts';
import { Fault } from '../segment/fault.ts';
import type { Footer } from '../segment/footer.ts';
import { nodePaths, parseSegmentFileName, segmentFileName } from '../segment/format.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import { NotAFileError } from '../segment/not-a-file.ts';
import type { SegmentFile, SegmentFiles } from '../segment/segment-files.ts';
import { readFooter, readSuperblock } from '../segment/segment-reader.ts';
import { scanSegment } from '../segment/segment-scan.ts';
import type { Superblock } from '../segment/superblock.ts';
import type { BlockIndex } from './block-index.ts';
import { assertOwnFile } from './foreign-file.ts';
import { adopt, isBlockKind } from './healthy-entry.ts';
import { absenceOf, type MissingSegments, mayReturn } from './missing-segments.ts';
import { listSegmentFiles, segmentPath } from './node-directory.ts';
import type { NodeJournal } from './node-journal.ts';
import { readUnsealed, type UnsealedSegment } from './recover-unsealed.ts';
import type { LedgerSegment } from './segment-ledger.ts';
import type { MisplacedFile } from './segment-owners.ts';
import type { StructureFaults } from './structure-faults.ts';

/** What a start found and did, in plain words, one line a fact. Empty after a clean stop. */
export interface RecoveryReport {
  readonly lines: readonly string[];
}

export interface RecoveryContext {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly journal: NodeJournal;
  readonly index: BlockIndex;
  readonly structure: StructureFaults;
  readonly missing: MissingSegments;
  readonly misplaced: readonly MisplacedFile[];
  readonly clock: Clock;
  /** Segments below this are in the index already. */
  readonly completeBelow: number;
  /** Told before records of a segment go into the index. */
  readonly beginIndexing: (segment: number) => void;
  /** False on a disk that failed: segments are read and indexed, none is synced, sealed or moved. */
  readonly writable: boolean;
  readonly report: (line: string) => void;
}

/** A disk that fails while we look: writing must not go on. */
export interface DiskFailure {
  readonly segment: number;
  readonly step: string;
  readonly cause: unknown;
}

export interface Recovery {
  /** Left open by a crash; `sealUnsealed` finishes them once the node can append. */
  readonly unsealed: readonly UnsealedSegment[];
  readonly lastSequence: number;
  readonly failure: DiskFailure | undefined;
}

/**
 * Brings index and segments to one state: every acknowledged record is indexed, what is damaged is marked, what was
 * never acknowledged is known. Only reads segments, but for the fdatasync that makes an unsealed one's bytes mean
 * something: after a crash of the process alone they may still be in the page cache only.
 */
export async function recoverSegments(given: RecoveryContext): Promise<Recovery> {
  const { journal, index, missing } = given;
  const { nodeSuspect } = journal.ledger;
  if (nodeSuspect !== undefined) given.report(`The storage node is read-only since an earlier start. ${nodeSuspect}`);
  await findMissing(given);
  // What is written now may land beside the disk on which the missing segments lie.
  const context = { ...given, writable: given.writable && missing.awaited.length === 0 };
  await settleStrays(context);
  await tellOfOthers(context);
  const unsealed: UnsealedSegment[] = [];
  const tally = { lastSequence: index.last?.sequence ?? 0 };
  let failure: DiskFailure | undefined;
  const sealed: LedgerSegment[] = [];
  for (const segment of journal.ledger.segments) {
    if (segment.sealed !== undefined) {
      sealed.push(segment);
      continue;
    }
    const found = await readUnsealed(context, segment, tally);
    if (found.unsealed !== undefined) unsealed.push(found.unsealed);
    failure ??= found.failure;
  }
  for (let at = 0; at < sealed.length; at += CHECKS_AT_ONCE) {
    await Promise.all(sealed.slice(at, at + CHECKS_AT_ONCE).map((segment) => checkSealed(context, segment, tally)));
  }
  tellOfMissing(context);
  return { unsealed, lastSequence: tally.lastSequence, failure };
}

/** A look into the folder before anything is changed in it. */
async function findMissing({ files, directory, journal, missing, misplaced }: RecoveryContext): Promise<void> {
  const there = new Set(await listSegmentFiles(files, directory));
  for (const { segment } of journal.ledger.segments) {
    if (!there.has(segment)) missing.add(segment, 'its file is missing');
  }
  for (const { segment, reason } of misplaced) missing.add(segment, reason);
}

function tellOfMissing({ journal, missing, report }: RecoveryContext): void {
  if (missing.description !== undefined) {
    report(`${missing.description} Their blocks are unavailable and nothing is written until they are back.`);
  }
  const givenUp = missing.all.filter((segment) => journal.ledger.isGivenUp(segment));
  if (givenUp.length > 0) report(`Segments that were given up are still missing: ${givenUp.join(', ')}.`);
}

/** Footers are a few dozen KiB: enough at once to keep a disk busy. */
const CHECKS_AT_ONCE = 8;

export interface Tally {
  /** The highest sequence seen; numbers are never used twice, not even by records nobody acknowledged. */
  lastSequence: number;
}

/** They are nothing to us, but somebody may look for what they were. */
async function tellOfOthers({ files, directory, report }: RecoveryContext): Promise<void> {
  for (const name of await files.list(join(directory, nodePaths.segments))) {
    if (parseSegmentFileName(name) === undefined && !name.endsWith('.spare'))
      report(`${nodePaths.segments}/${name} is no segment by its name; it is left alone.`);
  }
}

/** A file that MANIFEST does not name: a crash came between its creation and its entry, or MANIFEST was lost. */
async function settleStrays(context: RecoveryContext): Promise<void> {
  const { files, directory, journal, writable } = context;
  if (!writable) return;
  for (const segment of await listSegmentFiles(files, directory)) {
    if (journal.ledger.find(segment) !== undefined) continue;
    const path = segmentPath(directory, segment);
    if (journal.ledger.wasDropped(segment)) await files.unlink(path);
    else await settleStray(context, segment, path);
  }
}

async function settleStray(context: RecoveryContext, segment: number, path: string): Promise<void> {
  const { files, directory, identity, journal, report } = context;
  const superblock = await readStray(files, path);
  if (superblock instanceof Fault || superblock.segment !== segment || superblock.nodeId !== identity.nodeId) {
    const name = `${segmentFileName(segment)}.${context.clock.now()}.stray`;
    await renameFile(files, path, join(directory, nodePaths.quarantine, name));
    report(`Segment file ${segment} is none of this node's; it was moved to ${nodePaths.quarantine}/${name}.`);
    return;
  }
  await journal.record({ kind: 'create', segment, salt: superblock.salt });
  report(`Segment ${segment} was missing from MANIFEST and was entered again.`);
}

/** What is no file at all is none of ours either. @throws the file's errors. */
async function readStray(files: SegmentFiles, path: string): Promise<Superblock | Fault> {
  try {
    const file = await files.open(path, { access: 'read', direct: false });
    return await closing(file, () => readSuperblock(file));
  } catch (error) {
    if (error instanceof NotAFileError) return new Fault(error.message);
    throw error;
  }
}

/** Indexes a sealed segment unless it is in the index, and notes whether it can be read. */
export async function checkSealed(context: RecoveryContext, segment: LedgerSegment, tally: Tally): Promise<void> {
  const { files, directory, journal, missing } = context;
  try {
    const file = await files.open(segmentPath(directory, segment.segment), { access: 'read', direct: false });
    await closing(file, async () => {
      await assertOwnFile(file, segment);
      const expected = segment.sealed?.fileSize ?? 0;
      const size = await file.size();
      if (size < expected) missing.add(segment.segment, `its file has ${size} bytes instead of ${expected}`);
      // Of a segment that was given up, what is left is read.
      if (size < expected && !journal.ledger.isGivenUp(segment.segment)) return;
      await indexSealed(context, { segment, file, tally });
      if (size >= expected) missing.remove(segment.segment);
    });
  } catch (error) {
    if (!mayReturn(error)) throw error;
    missing.add(segment.segment, absenceOf(error));
  }
}

async function indexSealed(context: RecoveryContext, found: SealedFile): Promise<void> {
  const { segment, file, tally } = found;
  const known = segment.segment < context.completeBelow;
  const footer = await readFooter(file, segment.mark).catch((error: unknown) => {
    if (!known || !isDiskError(error)) throw error;
    context.report(`The footer of segment ${segment.segment} is not looked at: ${absenceOf(error)}.`);
    return undefined;
  });
  // A segment that is in the index can do without its footer.
  if (footer === undefined) return;
  if (footer instanceof Fault) {
    context.structure.add(segment.segment);
    context.report(`The footer of segment ${segment.segment} is damaged: ${footer.meaning}.`);
  }
  if (known) {
    if (footer instanceof Fault || isIndexed(context.index, footer)) return;
    context.report(`Segment ${segment.segment} was missing from the index and is indexed again.`);
  }
  context.beginIndexing(segment.segment);
  if (footer instanceof Fault) await indexByScan(context, found);
  else for (const entry of footer.entries()) await indexRecord(context, tally, { segment: segment.segment, ...entry });
}

/**
 * Whether the index knows some of the segment's blocks, as far apart as they come: all of them are missing when the
 * segment was away while the index was built. Single entries that are missing are found when they are read.
 */
function isIndexed(index: BlockIndex, footer: Footer): boolean {
  const { count } = footer.summary;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const entry = footer.entryAt(Math.floor((sample * count) / SAMPLES));
    if (entry !== undefined && isBlockKind(entry.kind) && index.find(entry.id) === undefined) return false;
  }
  return true;
}

const SAMPLES = 8;

interface SealedFile {
  readonly segment: LedgerSegment;
  readonly file: SegmentFile;
  readonly tally: Tally;
}

async function indexByScan(context: RecoveryContext, found: SealedFile): Promise<void> {
  const { segment, file, tally } = found;
  const superblock = {
    segment: segment.segment,
    salt: segment.salt,
    nodeId: context.identity.nodeId,
    createdMs: segment.createdMs,
    segmentSize: context.identity.segmentSize,
  };
  for await (const event of scanSegment(file, { superblock, verifyPayloads: true })) {
    if (event.type === 'end') return;
    for (const { header, offset } of event.records)
      await indexRecord(context, tally, { segment: segment.segment, offset, ...header });
  }
}

interface FoundRecord {
  readonly segment: number;
  readonly id: BlockId;
  readonly kind: string;
  readonly offset: number;
  readonly storedSize: number;
  readonly sequence: number;
}

async function indexRecord(context: RecoveryContext, tally: Tally, record: FoundRecord): Promise<void> {
  const { id, kind, segment, offset, storedSize, sequence } = record;
  tally.lastSequence = Math.max(tally.lastSequence, sequence);
  if (!isBlockKind(kind)) return;
  adopt(context.index, context.journal.ledger, { id, segment, offset, size: storedSize, sequence, kind });
  await keepBounded(context.index);
}

/** A rebuild of a large node sets entries faster than they are flushed. */
async function keepBounded(index: BlockIndex): Promise<void> {
  if (index.unflushed >= REBUILD_UNFLUSHED_MAX) await index.flush();
}

const REBUILD_UNFLUSHED_MAX = 20_000;

async function closing<Result>(file: SegmentFile, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}
