import type { NodeId } from '../core/ids.ts';
import { Fault } from '../segment/fault.ts';
import { readRecord } from '../segment/segment-reader.ts';
import type { IndexState } from './block-index.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';
import type { SegmentLedger } from './segment-ledger.ts';

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
  const header = await segmentFiles
    .use(last.segment, (file) => readRecord(file, place, new Uint8Array(last.size)))
    .catch(missingFile);
  if (header instanceof Fault) return `the last record it knows is not in segment ${last.segment}: ${header.meaning}`;
  return header.id === last.id && header.sequence === last.sequence ? undefined : 'the last record it knows is another one now';
}

function missingFile(error: NodeJS.ErrnoException): Fault {
  if (error.code === 'ENOENT') return new Fault('the file is missing');
  throw error;
}
