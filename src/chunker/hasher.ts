import type { BlockId, Sha256 } from '../core/digest.ts';
import type { PageDigests } from '../core/manifest.ts';

/** Recorded per blob; the parameters of a name never change. */
export type ChunkerName = 'fixed-1m' | 'fastcdc-v1';

/** A blob up to this size is one block, whatever its bytes. */
export function singleBlockMax(chunker: ChunkerName): number {
  return chunker === 'fixed-1m' ? 1024 * 1024 : 64 * 1024;
}

/** Bytes of the slab. */
export interface SlabRange {
  readonly at: number;
  readonly size: number;
}

export interface CutBlock {
  readonly id: BlockId;
  /** Offset of the block's first byte in the slab. */
  readonly at: number;
  readonly size: number;
}

export interface WholeDigests {
  readonly blake3: BlockId;
  readonly sha256: Sha256;
}

/**
 * Cuts and hashes bytes that lie in the slab, on other threads ("lanes"). A lane is one thread; calls of one
 * `HashStream` run in the order they were made. Implementations: piscina-hasher.ts.
 */
export interface Hasher {
  /** Opens the hash state of one upload on the least busy lane. */
  openStream(chunker: ChunkerName): HashStream;

  /** BLAKE3 of `size` bytes at slab offset `at`, on any lane (on the event loop below `inlineHashMax`). */
  hashBlock(at: number, size: number): Promise<BlockId>;

  /** BLAKE3 in hex of each stretch of a block (`limits.stretchSize`; the last may be short), on any lane. */
  hashStretches(at: number, size: number): Promise<readonly string[]>;

  /** `digestsOfPage` of a page of a manifest, on any lane. Copies the page. */
  hashManifestPage(page: Uint8Array): Promise<PageDigests>;

  close(): Promise<void>;
}

export interface HashStream {
  readonly chunker: ChunkerName;
  /** True when a full slot may keep uncut bytes (content-defined cuts); the fixed chunker cuts every full slot whole. */
  readonly carries: boolean;

  /**
   * Cuts bytes of the slab: `ranges` follow one another in the blob, all but the last are full slots, and a stream that
   * carries takes one a call. The first byte is the first after the last cut, so whatever a call leaves uncut (the last
   * range's size minus its blocks' sizes) must be given again, at the front, by the next call.
   * `final` says no byte follows: everything is cut. With `whole`, the cut bytes also enter the whole-blob hashes
   * (leave it out while another stream re-hashes the prefix). The bytes are borrowed until it settles.
   */
  cut(options: { ranges: readonly SlabRange[]; final: boolean; whole: boolean }): Promise<readonly CutBlock[]>;

  /** Adds a block that is already stored and verified to the whole-blob hashes only. */
  absorb(at: number, size: number): Promise<void>;

  /**
   * A blob known to be of one block: its id is also its BLAKE3, so bytes are hashed once by each function.
   * Runs on the event loop below `inlineSingleMax`.
   */
  hashSingle(at: number, size: number): Promise<WholeDigests>;

  /** Digests of everything that entered with `whole` or `absorb`. The stream takes no more bytes. */
  finish(): Promise<WholeDigests>;

  /** Frees the state. Idempotent; also after `finish`. */
  close(): void;
}
