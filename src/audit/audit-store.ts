import type { OrgId } from '../core/ids.ts';
import type { EventSubject } from './event.ts';
import type { TreeHash } from './merkle-hash.ts';
import type { HashedSubtree, TreeHashes } from './merkle-tree.ts';

/** What the sequencer needs of where events are kept. */
export interface AuditStore {
  /** Orgs that may have events without a leaf. */
  listWaitingOrgs(): Promise<readonly OrgId[]>;
  /** Orgs whose last checkpoint does not cover their leaves exactly. */
  listUnsignedOrgs(): Promise<readonly OrgId[]>;
  /**
   * Runs `work` on one org's log in a transaction, as the only sequencer there is. Returns undefined, without having run
   * it, while another one is at work.
   */
  openLog<T>(orgId: OrgId, work: (log: LogWriter) => Promise<T>): Promise<T | undefined>;
}

/** One org's log within a transaction. Nothing it does is there before the transaction commits. */
export interface LogWriter extends TreeHashes {
  /** Leaves so far. */
  readonly size: number;
  /** At most `limit` committed events that have no leaf, in the order in which they shall get theirs. */
  takeEvents(limit: number): Promise<readonly WaitingEvent[]>;
  /** Once, after `takeEvents`, with a leaf for each event taken, in their order. */
  addLeaves(leaves: readonly NewLeaf[], subtrees: readonly HashedSubtree[]): Promise<void>;
  findLastCheckpoint(): Promise<StoredCheckpoint | undefined>;
  addCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
}

export interface WaitingEvent {
  /** Opaque: names the event to the store. */
  readonly place: EventPlace;
  readonly bytes: Uint8Array;
}

export interface EventPlace {
  readonly transaction: string;
  readonly sequence: string;
}

export interface NewLeaf {
  readonly leaf: number;
  readonly place: EventPlace;
  readonly hash: TreeHash;
  /** What it can be found by; undefined for bytes in which it is not written. */
  readonly subject: EventSubject | undefined;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly root: TreeHash;
  /** RFC 3339. */
  readonly time: string;
  /** The signed note. */
  readonly note: string;
}
