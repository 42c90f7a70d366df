import type { BlockId } from '../core/digest.ts';
import type { PageDigests } from '../core/manifest.ts';
import type { ChunkerName, CutBlock, SlabRange, WholeDigests } from './hasher.ts';

/** What a lane's thread is given at its start: the slab, shared in place. */
export interface LaneData {
  readonly slab: SharedArrayBuffer;
}

/**
 * Jobs of a lane, done in the order they were posted. Those that name a stream use its state; the stream's first one
 * says so (`first`) and makes it. A job whose stream has no state fails: the thread that held it has died.
 */
export type HashJob =
  | { readonly kind: 'probe' }
  | ({ readonly kind: 'block' } & SlabRange)
  | ({ readonly kind: 'stretches' } & SlabRange)
  | ({ readonly kind: 'single' } & SlabRange)
  | { readonly kind: 'page'; readonly page: Uint8Array }
  | ({ readonly kind: 'cut' } & CutWish & OfStream)
  | ({ readonly kind: 'absorb' } & OfStream & SlabRange)
  | ({ readonly kind: 'finish' } & OfStream)
  | { readonly kind: 'close'; readonly stream: number };

/** What `HashStream.cut` takes. */
export interface CutWish {
  readonly ranges: readonly SlabRange[];
  readonly final: boolean;
  readonly whole: boolean;
}

export interface OfStream {
  readonly stream: number;
  readonly first: boolean;
  readonly chunker: ChunkerName;
}

export interface JobResults {
  readonly probe: true;
  readonly block: BlockId;
  readonly stretches: readonly string[];
  readonly single: WholeDigests;
  readonly page: PageDigests;
  readonly cut: readonly CutBlock[];
  readonly absorb: true;
  readonly finish: WholeDigests;
  readonly close: true;
}
