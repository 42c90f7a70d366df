import type { BlockId } from '../core/digest.ts';

/** One entry of a node's MANIFEST: the history of its segments. */
export type ManifestEntry =
  /** The segment's superblock is durable; from here on acknowledged records may lie in it. */
  | { readonly kind: 'create'; readonly segment: number; readonly salt: bigint }
  /** The footer is durable; the file is never written again. */
  | {
      readonly kind: 'seal';
      readonly segment: number;
      readonly fileSize: number;
      readonly recordBytes: number;
      readonly count: number;
      readonly root: string;
    }
  /** `segment` now holds whatever was alive in `replaced`. */
  | { readonly kind: 'replace'; readonly segment: number; readonly replaced: readonly number[] }
  /** The segment's file is gone or may be deleted. */
  | { readonly kind: 'drop'; readonly segment: number }
  /** Writes to the segment (0: to the node) failed; nothing unacknowledged in it may be trusted. */
  | { readonly kind: 'suspect'; readonly segment: number; readonly reason: string }
  /** The record at `offset` no longer matches its id. */
  | { readonly kind: 'damage'; readonly segment: number; readonly offset: number; readonly id: BlockId; readonly reason: string }
  /** An operator took the disk back into service; suspect marks of segment 0 before this are history. */
  | { readonly kind: 'accept'; readonly reason: string };

export interface NumberedEntry {
  /** 1, 2, 3 … without gaps. */
  readonly number: number;
  readonly timeMs: number;
  readonly entry: ManifestEntry;
}

export declare function encodeManifestEntry(numbered: NumberedEntry): Buffer;

export interface ManifestContent {
  readonly entries: readonly NumberedEntry[];
  /** Bytes of the valid entries. */
  readonly end: number;
  /** Why the bytes after `end` are no entry; undefined when there are none. */
  readonly fault: string | undefined;
  /** A torn tail was never acknowledged; with valid entries beyond, the file is damaged in the middle. */
  readonly damaged: boolean;
}

export declare function decodeManifest(bytes: Buffer): ManifestContent;
