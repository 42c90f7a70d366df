import type { BlockId } from '../core/digest.ts';
import { Fault } from '../segment/fault.ts';
import type { Footer, FooterEntry } from '../segment/footer.ts';
import { segmentFileName } from '../segment/format.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import type { SegmentMark } from '../segment/record-header.ts';
import type { SegmentFile } from '../segment/segment-files.ts';
import { readFooter, readSuperblock } from '../segment/segment-reader.ts';
import { type DamagedRange, scanSegment } from '../segment/segment-scan.ts';
import { type Superblock, segmentMark } from '../segment/superblock.ts';
import { foreignness } from './foreign-file.ts';
import { isBlockKind } from './healthy-entry.ts';
import type { BlockKind } from './node.ts';
import type { LedgerSegment } from './segment-ledger.ts';

export interface TableRecord {
  readonly id: BlockId;
  readonly kind: BlockKind;
  readonly offset: number;
  readonly size: number;
  readonly sequence: number;
}

/** The records of content of one segment, from its footer, or from a scan when it has none yet or no more. */
export interface SegmentTable {
  readonly mark: SegmentMark;
  /** A footer says so: what it does not list is not in the segment. */
  readonly footed: boolean;
  /** In order of offset. */
  records(): Iterable<TableRecord>;
  find(id: BlockId): TableRecord[];
}

export interface TableOptions {
  readonly segment: number;
  /** What MANIFEST says; undefined when it does not name the segment. */
  readonly known: LedgerSegment | undefined;
  readonly identity: NodeIdentity;
  readonly report: (line: string) => void;
}

/** Changes nothing. A tail that is being written is no problem, it is just not there yet. @throws the file's read errors. */
export async function readSegmentTable(file: SegmentFile, options: TableOptions): Promise<SegmentTable> {
  const { segment, known, report } = options;
  const superblock = await superblockOf(file, options);
  if (superblock === undefined) return emptyTable(segment);
  const mark = segmentMark(superblock);
  const footer = await readFooter(file, mark);
  if (!(footer instanceof Fault)) return tableOfFooter(footer, mark);
  if (known?.sealed !== undefined) report(`The footer of segment ${segment} is damaged: ${footer.meaning}.`);
  return tableOfRecords(await scanRecords(file, superblock, options), mark);
}

function foreignLine({ segment, nodeId }: Superblock, identity: NodeIdentity): string {
  return `Segment ${segment} was written by node ${nodeId}, but NODE says that this is node ${identity.nodeId}: one of them comes from another store.`;
}

/** What it holds is read all the same; what should be there is not. */
function tellOfMisplaced(superblock: Superblock, { segment, known, report }: TableOptions): void {
  if (known === undefined) {
    if (superblock.segment !== segment) report(`The file ${segmentFileName(segment)} holds segment ${superblock.segment}.`);
    return;
  }
  const reason = foreignness(superblock, known);
  if (reason !== undefined) report(`Segment ${segment} is missing: ${reason}.`);
}

/** Of a segment of which nothing can be told. */
export function emptyTable(segment: number): SegmentTable {
  return { mark: { segment, saltBits: 0 }, footed: false, records: () => [], find: () => [] };
}

async function superblockOf(file: SegmentFile, options: TableOptions): Promise<Superblock | undefined> {
  const { segment, known, identity, report } = options;
  const superblock = await readSuperblock(file);
  if (!(superblock instanceof Fault)) {
    if (superblock.nodeId !== identity.nodeId) report(foreignLine(superblock, identity));
    else tellOfMisplaced(superblock, options);
    return superblock;
  }
  report(`The superblock of segment ${segment} is damaged: ${superblock.meaning}.`);
  if (known === undefined) return undefined;
  const { nodeId, segmentSize } = identity;
  return { segment, salt: known.salt, nodeId, createdMs: known.createdMs, segmentSize };
}

/**
 * Payloads are left to the caller, who reads them anyway. A segment without a seal may be growing while we look, and a
 * batch read half-way with a later one behind it looks like damage: only what stays is some.
 */
async function scanRecords(file: SegmentFile, superblock: Superblock, { segment, report }: TableOptions): Promise<TableRecord[]> {
  let found = await scanOnce(file, superblock);
  for (let again = 1; again < SCANS_MAX && found.damage.length > 0; again++) found = await scanOnce(file, superblock);
  for (const { at, size, meaning } of found.damage) report(`Segment ${segment}: ${size} bytes at ${at} are damaged: ${meaning}.`);
  return found.records;
}

const SCANS_MAX = 3;

async function scanOnce(file: SegmentFile, superblock: Superblock): Promise<{ records: TableRecord[]; damage: DamagedRange[] }> {
  const records: TableRecord[] = [];
  const damage: DamagedRange[] = [];
  for await (const event of scanSegment(file, { superblock, verifyPayloads: false })) {
    if (event.type === 'end') break;
    for (const { header, offset } of event.records) records.push(...tableRecord({ ...header, offset }));
    damage.push(...event.damage);
  }
  return { records, damage };
}

function tableOfFooter(footer: Footer, mark: SegmentMark): SegmentTable {
  return {
    mark,
    footed: true,
    records: () => [...footer.entries()].flatMap(tableRecord).sort((left, right) => left.offset - right.offset),
    find: (id) => footer.find(id).flatMap(tableRecord),
  };
}

function tableOfRecords(records: readonly TableRecord[], mark: SegmentMark): SegmentTable {
  const byId = new Map<BlockId, TableRecord[]>();
  for (const record of records) byId.set(record.id, [...(byId.get(record.id) ?? []), record]);
  return { mark, footed: false, records: () => records, find: (id) => byId.get(id) ?? [] };
}

/** An array, so that marks of the format drop out. */
function tableRecord({ id, kind, offset, storedSize, sequence }: Omit<FooterEntry, 'batch'>): TableRecord[] {
  return isBlockKind(kind) ? [{ id, kind, offset, size: storedSize, sequence }] : [];
}
