import type { NodeId } from '../core/ids.ts';
import { Fault } from '../segment/fault.ts';
import type { RecordHeader } from '../segment/record-header.ts';
import type { SegmentFile } from '../segment/segment-files.ts';
import { type ReadPlace, readRecord } from '../segment/segment-reader.ts';
import type { IndexState } from './block-index.ts';
import { assertOwnFile } from './foreign-file.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';
import type { LedgerSegment, SegmentLedger } from './segment-ledger.ts';

export interface DoubtOptions {
  readonly state: IndexState | undefined;
  readonly nodeId: NodeId;
  readonly ledger: SegmentLedger;
  readonly segmentFiles: SegmentFileCache;
}

/**
 * Why an index may not be used with these segments, in words; undefined when it may. The last record it knows is
 * looked up: an index that saw more than the segments hold (they came from a backup, or lost their end) would call
 * blocks present that are gone.
 */
export async function indexDoubt({ state, nodeId, ledger, segmentFiles }: DoubtOptions): Promise<string | undefined> {
  if (state === undefined) return ledger.lastSegment === 0 ? undefined : 'it is missing or empty';
  if (state.nodeId !== nodeId) return 'it belongs to another node';
  if (state.completeBelow > ledger.lastSegment + 1) return 'it is ahead of MANIFEST';
  const { last } = state;
  if (last === undefined || ledger.wasDropped(last.segment)) return undefined;
  const segment = ledger.find(last.segment);
  if (segment === undefined) return `it knows segment ${last.segment}, which MANIFEST does not`;
  const place = { mark: segment.mark, offset: last.offset, size: last.size };
  // A segment that cannot be read now says nothing against the index, which is all that is left to know of it.
  const header = await segmentFiles.use(last.segment, (file) => readLast(file, segment, place)).catch(() => undefined);
  if (header === undefined) return undefined;
  if (header instanceof Fault) return `the last record it knows is not in segment ${last.segment}: ${header.meaning}`;
  return header.id === last.id && header.sequence === last.sequence ? undefined : 'the last record it knows is another one now';
}

/** Undefined when the file has lost its end. */
async function readLast(file: SegmentFile, known: LedgerSegment, place: ReadPlace): Promise<RecordHeader | Fault | undefined> {
  const { sealed } = known;
  await assertOwnFile(file, known);
  if (sealed !== undefined && (await file.size()) < sealed.fileSize) return undefined;
  return readRecord(file, place, new Uint8Array(place.size));
}
