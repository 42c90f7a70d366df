import type { AuditAction } from '../core/audit-action.ts';
import type { AuditEventId, Scope } from '../core/ids.ts';
import type { StoredCheckpoint } from './audit-store.ts';
import type { AuditEvent } from './event.ts';
import type { TreeHash } from './merkle-hash.ts';

/**
 * Reading the log of the scope's org. Shows events that have their number; those of a moment ago get theirs with the
 * sequencer's next batch. Numbers, sizes and proofs of what is shown never change.
 */
export interface AuditLog {
  /** Leaves so far. */
  getSize(scope: Scope): Promise<number>;
  /** Latest first. `after` is a `next` of an earlier page. */
  listEvents(
    scope: Scope,
    filter: EventFilter,
    page: { readonly limit: number; readonly after: string | undefined },
  ): Promise<EventPage>;
  findLeaf(scope: Scope, leaf: number): Promise<LoggedEvent | undefined>;
  /** By the id that was made with it. */
  findEvent(scope: Scope, eventId: AuditEventId): Promise<LoggedEvent | undefined>;
  /** The largest checkpoint that covers at most `size` leaves; the last one when absent. */
  findCheckpoint(scope: Scope, size?: number): Promise<StoredCheckpoint | undefined>;
  /** @throws QuasarError `bad_parameter` unless `leaf` is below `size` and the log has `size` leaves; `corrupt` when rows were lost. */
  proveInclusion(scope: Scope, leaf: number, size: number): Promise<InclusionProof>;
  /** @throws QuasarError `bad_parameter` unless `first` is at most `second` and the log has `second` leaves; `corrupt` when rows were lost. */
  proveConsistency(scope: Scope, first: number, second: number): Promise<readonly TreeHash[]>;
  /**
   * The lines of docs/format/audit-v1.md section 8, without their newlines: the log up to the last head that is signed when it
   * is asked for the first line, or with the unsigned events behind it; all of it while nothing is signed yet. In memory that
   * does not grow with it. Shows what is stored, damage included: to judge it is for `verifyLog`.
   */
  exportLines(scope: Scope, options?: { readonly unsigned: boolean }): AsyncIterable<string>;
}

/** All that are given have to hold. */
export interface EventFilter {
  /** A document's id, a blob's key, whatever the event was about. */
  readonly resourceId?: string;
  readonly principalId?: string;
  readonly action?: AuditAction;
  /** When it happened: from `fromMs` on, before `untilMs`. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Only leaves behind this one. */
  readonly aboveLeaf?: number;
}

export interface EventPage {
  readonly items: readonly LoggedEvent[];
  readonly next: string | undefined;
}

export interface LoggedEvent {
  /** From 0. */
  readonly leaf: number;
  /** What the log's tree holds for it. */
  readonly hash: TreeHash;
  /** As they are stored: the leaf of the tree. */
  readonly bytes: Uint8Array;
  /** Undefined when the bytes are no event (any more). */
  readonly event: AuditEvent | undefined;
}

export interface InclusionProof {
  readonly leafHash: TreeHash;
  readonly root: TreeHash;
  readonly proof: readonly TreeHash[];
}
