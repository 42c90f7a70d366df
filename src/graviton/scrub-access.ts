import type { NodeIdentity } from '../segment/node-identity.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { RecordPlace } from './damage-marks.ts';
import type { SegmentLedger } from './segment-ledger.ts';

/** What a node lends to its scrub, which must be closed before the node is. */
export interface ScrubAccess {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly ledger: SegmentLedger;
  /** The node writes past the page cache. */
  readonly directIo: boolean;

  /** True while requests wait for the disk. */
  isBusy(): boolean;

  /** False on a disk that failed: nothing may be written to it, not even a mark. */
  isWritable(): boolean;

  /** Seals what is being written, so that a pass covers all that is stored. @throws QuasarError `storage_full`. */
  sealActive(): Promise<void>;

  /** The superblock or the footer of a segment is damaged; its records are read all the same. Idempotent. */
  noteStructure(segment: number): void;

  /** The disk failed for good: the node takes no writes from now on. */
  diskFailed(step: string, cause: unknown): void;

  /** Marks one record, durably: it is no longer read, and storing its block again heals it. Idempotent. */
  markDamaged(place: RecordPlace, reason: string): Promise<void>;

  /** The segment cannot be read now. Nothing is marked for it. Idempotent. */
  noteMissing(segment: number, reason: string): void;
}
