import { type CommitFrame, firstRunningHash, nextRunningHash } from './commit-frame.ts';
import {
  type DamagedRange,
  type Findings,
  lostBatches,
  payloadDamage,
  provenBatch,
  type ScanPosition,
  salvageTail,
  type Trouble,
} from './damage-scan.ts';
import { Fault } from './fault.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE, PAYLOAD_SIZE_MAX, SUPERBLOCK } from './format.ts';
import { behind, RecordSearch, type ScannedFrame, type ScannedRecord } from './record-search.ts';
import type { SegmentFile } from './segment-files.ts';
import { encodeSuperblock, type Superblock, segmentMark } from './superblock.ts';
import { WindowReader } from './window-reader.ts';

export type { DamagedRange } from './damage-scan.ts';
export type { ScannedRecord } from './record-search.ts';

export interface ScanOptions {
  readonly superblock: Superblock;
  /** A page behind a commit frame, with that frame's batch and running hash. Default: the segment's first batch. */
  readonly from?: ScanStart;
  /** Exclusive end, e.g. the footer's first byte. Default: the file's size. */
  readonly end?: number;
  /**
   * Everything before this offset is known to have been acknowledged (a footer or an index says so): what is bad there
   * is damage even when no later frame proves it. Default: nothing is known.
   */
  readonly durableEnd?: number;
  /** Re-hash every payload. */
  readonly verifyPayloads: boolean;
}

export interface ScanStart {
  readonly at: number;
  /** Number and running hash (hex) of the batch before. */
  readonly batch: number;
  readonly runningHash: string;
}

export interface ScannedBatch {
  readonly type: 'batch';
  readonly batch: number;
  readonly at: number;
  /** First byte behind the batch, a page boundary. */
  readonly end: number;
  /** Offset of the commit frame; undefined when only later frames prove that the batch was acknowledged. */
  readonly frameAt: number | undefined;
  /** With `verifyPayloads` those that are whole, else those with a good header. */
  readonly records: readonly ScannedRecord[];
  readonly damage: readonly DamagedRange[];
  /** Hex; undefined when the batch's own frame is lost. */
  readonly runningHash: string | undefined;
}

export interface ScanEnd {
  readonly type: 'end';
  /** clean: nothing but zeros follow. torn: an unacknowledged tail. footer: sealing had begun. */
  readonly state: 'clean' | 'torn' | 'footer';
  /** End of the last batch: where a footer goes. */
  readonly at: number;
  /** Bytes of the torn tail without trailing zeros. */
  readonly tailSize: number;
  /** Records of a torn tail that are whole. Never acknowledged; they may be appended again elsewhere. */
  readonly salvage: readonly ScannedRecord[];
  readonly batch: number;
  /** Hex, of the last batch whose frame is good. */
  readonly runningHash: string;
}

export type ScanEvent = ScannedBatch | ScanEnd;

/**
 * Walks the batches of a segment in order; the last event is always `end`. Memory stays bounded by one window and one
 * batch's headers. No length is used before it is bounded. @throws the file's read errors.
 */
export async function* scanSegment(file: SegmentFile, options: ScanOptions): AsyncGenerator<ScanEvent> {
  const end = options.end ?? (await file.size());
  const windowSize = options.verifyPayloads ? VERIFY_WINDOW_SIZE : HEADER_WINDOW_SIZE;
  const search = new RecordSearch(new WindowReader(file, { end, windowSize }), segmentMark(options.superblock));
  let last: ScanPosition = options.from ?? firstPosition(options.superblock);
  let knownHash = last.runningHash ?? '';
  for (;;) {
    const walked = await walkBatch(search, last, options.verifyPayloads);
    const event = walked instanceof Stuck ? await afterStuck(search, last, walked, options) : wholeBatch(walked, last);
    if (event.type === 'end') {
      yield { ...event, runningHash: knownHash };
      return;
    }
    yield event;
    last = { at: event.end, batch: event.batch, runningHash: event.runningHash };
    knownHash = event.runningHash ?? knownHash;
  }
}

/** Four payloads, so that re-hashing reads in large pieces. */
const VERIFY_WINDOW_SIZE = 4 * PAYLOAD_SIZE_MAX;
/** Walking headers only, most of a larger window would be read for nothing. */
const HEADER_WINDOW_SIZE = 64 * 1024;

function firstPosition(superblock: Superblock): ScanPosition {
  return { at: SUPERBLOCK.size, batch: 0, runningHash: firstRunningHash(encodeSuperblock(superblock)) };
}

interface WalkedBatch extends Findings {
  readonly frame: ScannedFrame;
}

/** The walk met something that is no record of its batch. */
class Stuck {
  readonly at: number;
  readonly fault: Fault;
  /** It is the head of a footer. */
  readonly footer: boolean;

  constructor(at: number, fault: Fault, footer = false) {
    this.at = at;
    this.fault = fault;
    this.footer = footer;
  }
}

/** Follows headers from the batch's first byte to its frame. */
async function walkBatch(search: RecordSearch, last: ScanPosition, verifyPayloads: boolean): Promise<WalkedBatch | Stuck> {
  const records: ScannedRecord[] = [];
  const damage: DamagedRange[] = [];
  const headers: Buffer[] = [];
  for (let at = last.at; ; ) {
    const header = await search.headerAt(at);
    if (header instanceof Fault) return new Stuck(at, header);
    if (header.kind === 'pad') return new Stuck(at, new Fault('a pad stands where a record should'), at === last.at);
    if (header.batch !== last.batch + 1)
      return new Stuck(at, new Fault(`a record of batch ${header.batch} stands in batch ${last.batch + 1}`));
    if (header.kind === 'commit') {
      const frame = await search.frameAt(at);
      const fault = frame instanceof Fault ? frame : checkFrame(frame.frame, last, headers);
      return frame instanceof Fault || fault !== undefined ? new Stuck(at, fault as Fault) : { frame, records, damage };
    }
    const record = { offset: at, header };
    if (behind(record) > search.reader.end) return new Stuck(at, new Fault('the file ends inside the record'));
    headers.push(await search.headerBytesAt(at));
    if (verifyPayloads && !(await search.verify(record))) damage.push(payloadDamage(record));
    else records.push(record);
    at = behind(record);
  }
}

function checkFrame(frame: CommitFrame, last: ScanPosition, headers: readonly Buffer[]): Fault | undefined {
  if (frame.begin !== last.at) return new Fault('the commit frame names another begin than its batch has');
  if (frame.count !== headers.length)
    return new Fault(`the commit frame counts ${frame.count} records where there are ${headers.length}`);
  // Behind a lost frame there is nothing to chain to.
  if (last.runningHash === undefined) return undefined;
  const expected = nextRunningHash(last.runningHash, Buffer.concat(headers));
  return frame.runningHash === expected ? undefined : new Fault('the running hash of the commit frame does not match');
}

function wholeBatch({ frame, records, damage }: WalkedBatch, last: ScanPosition): ScannedBatch {
  const end = alignUp(frame.offset + FRAME_SPAN, PAGE_SIZE);
  const { runningHash } = frame.frame;
  return { type: 'batch', batch: frame.header.batch, at: last.at, end, frameAt: frame.offset, records, damage, runningHash };
}

/** The end, or a batch of which it is known that it was acknowledged. */
async function afterStuck(
  search: RecordSearch,
  last: ScanPosition,
  stuck: Stuck,
  options: ScanOptions,
): Promise<ScannedBatch | ScanTail> {
  const durableEnd = options.durableEnd ?? 0;
  const usedEnd = await search.usedEnd(last.at);
  if (last.at >= durableEnd) {
    if (stuck.footer) return endEvent(last, 'footer', 0, []);
    if (usedEnd === last.at) return endEvent(last, 'clean', 0, []);
  }
  const trouble: Trouble = { search, last, at: stuck.at, fault: stuck.fault, verifyPayloads: options.verifyPayloads };
  const damaged = (await provenBatch(trouble)) ?? (last.at < durableEnd ? await lostBatches(trouble, durableEnd) : undefined);
  return damaged ?? endEvent(last, 'torn', usedEnd - last.at, await salvageTail(trouble));
}

type ScanTail = Omit<ScanEnd, 'runningHash'>;

function endEvent(last: ScanPosition, state: ScanEnd['state'], tailSize: number, salvage: readonly ScannedRecord[]): ScanTail {
  return { type: 'end', state, at: last.at, tailSize, salvage, batch: last.batch };
}
