import type { BlockId } from '../core/digest.ts';
import type { ChunkerName, CutBlock, WholeDigests } from './hasher.ts';

/** What a lane's thread is given at its start: the slab, shared in place. */
export interface LaneData {
  readonly slab: SharedArrayBuffer;
}

/** Bytes of the slab. */
export interface SlabRange {
  readonly at: number;
  readonly size: number;
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
  | ({ readonly kind: 'cut'; readonly final: boolean; readonly whole: boolean } & OfStream & SlabRange)
  | ({ readonly kind: 'absorb' } & OfStream & SlabRange)
  | ({ readonly kind: 'finish' } & OfStream)
  | { readonly kind: 'close'; readonly stream: number };

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
  readonly cut: readonly CutBlock[];
  readonly absorb: true;
  readonly finish: WholeDigests;
  readonly close: true;
}
