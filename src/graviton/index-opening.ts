import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { nodePaths } from '../segment/format.ts';
import { indexDoubt } from './index-doubt.ts';
import { LmdbBlockIndex } from './lmdb-block-index.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';
import type { SegmentLedger } from './segment-ledger.ts';

export interface IndexOpening {
  readonly directory: string;
  readonly nodeId: NodeId;
  readonly ledger: SegmentLedger;
  readonly segmentFiles: SegmentFileCache;
  readonly clock: Clock;
  readonly report: (line: string) => void;
}

export interface OpenedIndex {
  readonly store: LmdbBlockIndex;
  readonly incarnation: string;
  /** Recovery indexes every segment from this one on. */
  readonly completeBelow: number;
}

/**
 * Opens the index of these segments, or an empty one when the one found does not fit them.
 * @throws QuasarError `storage_full` when there is no index and no room for one, `storage_busy` when something else is short:
 * no index is dropped for that.
 */
export async function openIndex(opening: IndexOpening): Promise<OpenedIndex> {
  const folder = join(opening.directory, nodePaths.index);
  try {
    return await openOrReplace(opening, folder);
  } catch (cause) {
    const fault = diskFaultOf(cause);
    if (fault === 'final') throw cause;
    const message =
      fault === 'full'
        ? 'The disk is too full to make the block index.'
        : `The block index could not be opened this time (${(cause as Error).message}). Start again.`;
    throw new QuasarError(fault === 'full' ? 'storage_full' : 'storage_busy', { op: 'graviton.open', message, cause });
  }
}

async function openOrReplace(opening: IndexOpening, folder: string): Promise<OpenedIndex> {
  const { store, doubt } = await openTrusted(opening, folder);
  if (store !== undefined && doubt === undefined) return describe(opening, store);
  if (opening.ledger.lastSegment > 0) opening.report(`The index is built anew from the segments, because ${doubt}.`);
  await store?.close();
  await LmdbBlockIndex.drop(folder);
  const { store: empty } = await LmdbBlockIndex.open(folder);
  return describe(opening, empty);
}

async function openTrusted(
  opening: IndexOpening,
  folder: string,
): Promise<{ store: LmdbBlockIndex | undefined; doubt: string | undefined }> {
  let store: LmdbBlockIndex | undefined;
  try {
    const opened = await LmdbBlockIndex.open(folder);
    store = opened.store;
    return { store, doubt: opened.dropped ?? (await indexDoubt({ ...opening, state: store.state() })) };
  } catch (error) {
    if (diskFaultOf(error) !== 'final') {
      await store?.close();
      throw error;
    }
    return { store, doubt: `it could not be read (${(error as Error).message})` };
  }
}

function describe(opening: IndexOpening, store: LmdbBlockIndex): OpenedIndex {
  const state = store.state();
  return {
    store,
    incarnation: state?.incarnation ?? Buffer.from(opening.clock.random(8)).toString('hex'),
    completeBelow: state?.completeBelow ?? 0,
  };
}
