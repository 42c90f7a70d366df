import type { Fault } from './fault.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE, RECORD_HEADER } from './format.ts';
import { behind, type RecordSearch, type ScannedFrame, type ScannedRecord } from './record-search.ts';
import type { ScannedBatch } from './segment-scan.ts';

/** Bytes under a commit frame, or before a later one, that are no longer what was acknowledged. */
export interface DamagedRange {
  readonly at: number;
  readonly size: number;
  readonly meaning: string;
  /** Present when the header is good and the payload is not. */
  readonly record: ScannedRecord | undefined;
}

export interface Findings {
  readonly records: readonly ScannedRecord[];
  readonly damage: readonly DamagedRange[];
}

/** The end of one batch: where the next begins. */
export interface ScanPosition {
  readonly at: number;
  readonly batch: number;
  /** Hex; undefined behind a lost frame. */
  readonly runningHash: string | undefined;
}

/** A walk that got stuck. */
export interface Trouble {
  readonly search: RecordSearch;
  /** Where the batch begins. */
  readonly last: ScanPosition;
  /** Where it got stuck, and why. */
  readonly at: number;
  readonly fault: Fault;
  readonly verifyPayloads: boolean;
}

/**
 * A good frame further on proves that the bytes before it were acknowledged, so they are damaged and not torn.
 * Returns what is left of the first such batch, or undefined when there is no such frame.
 */
export async function provenBatch(trouble: Trouble): Promise<ScannedBatch | undefined> {
  const frame = await provingFrame(trouble);
  if (frame === undefined) return undefined;
  const { last } = trouble;
  if (frame.header.batch > last.batch + 1) {
    return { ...(await lostBatches(trouble, frame.frame.begin)), batch: frame.header.batch - 1 };
  }
  const found = await findRecords(trouble, frame.offset);
  const end = alignUp(frame.offset + FRAME_SPAN, PAGE_SIZE);
  const { runningHash } = frame.frame;
  return { type: 'batch', batch: frame.header.batch, at: last.at, end, frameAt: frame.offset, ...found, runningHash };
}

/** What is left of batches up to `end` whose own frames are lost. */
export async function lostBatches(trouble: Trouble, end: number): Promise<ScannedBatch> {
  const { last } = trouble;
  const found = await findRecords(trouble, end);
  const batch = found.records.reduce((latest, record) => Math.max(latest, record.header.batch), last.batch + 1);
  return { type: 'batch', batch, at: last.at, end, frameAt: undefined, ...found, runningHash: undefined };
}

async function provingFrame({ search, last, at }: Trouble): Promise<ScannedFrame | undefined> {
  let found = await search.nextFrame(at, last.batch);
  while (found !== undefined && !follows(found, last)) found = await search.nextFrame(found.offset + FRAME_SPAN, last.batch);
  return found;
}

function follows({ frame, header }: ScannedFrame, last: ScanPosition): boolean {
  if (frame.begin % PAGE_SIZE !== 0) return false;
  return header.batch === last.batch + 1 ? frame.begin === last.at : frame.begin > last.at;
}

/** Good records from the batch's first byte to `end`, and the gaps between them. */
async function findRecords(trouble: Trouble, end: number): Promise<Findings> {
  const { search, last, fault } = trouble;
  const records: ScannedRecord[] = [];
  const damage: DamagedRange[] = [];
  for (let at = last.at; at < end; ) {
    const next = await nextContent(search, at, end);
    const gapEnd = next?.offset ?? end;
    if (gapEnd > at) damage.push(gap(trouble, at, gapEnd));
    if (next === undefined) break;
    // Behind a gap nothing chains the headers, so a payload counts only when its id agrees.
    const verify = trouble.verifyPayloads || damage.length > 0;
    if (verify && !(await search.verify(next))) damage.push(payloadDamage(next));
    else records.push(next);
    at = behind(next);
  }
  if (damage.length === 0) damage.push({ at: end, size: FRAME_SPAN, meaning: fault.meaning, record: undefined });
  return { records, damage };
}

function gap({ at: stuckAt, fault }: Trouble, at: number, end: number): DamagedRange {
  const meaning = at <= stuckAt && stuckAt < end ? fault.meaning : 'there is no good record header';
  return { at, size: end - at, meaning, record: undefined };
}

async function nextContent(search: RecordSearch, from: number, end: number): Promise<ScannedRecord | undefined> {
  for (let at = from; ; at += RECORD_HEADER.size) {
    const next = await search.nextHeader(at, end);
    if (next === undefined) return undefined;
    if (next.header.kind !== 'commit' && next.header.kind !== 'pad' && behind(next) <= end) return next;
    at = next.offset;
  }
}

/** Records of an unacknowledged tail that are whole. */
export async function salvageTail({ search, last }: Trouble): Promise<ScannedRecord[]> {
  const records: ScannedRecord[] = [];
  for (let at = last.at; ; ) {
    const next = await nextContent(search, at, search.reader.end);
    if (next === undefined) return records;
    if (next.header.batch === last.batch + 1 && (await search.verify(next))) records.push(next);
    at = behind(next);
  }
}

export function payloadDamage(record: ScannedRecord): DamagedRange {
  return { at: record.offset, size: behind(record) - record.offset, meaning: 'the payload does not match its id', record };
}
