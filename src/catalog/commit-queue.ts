import type { Actor, AuditNote } from '../core/actor.ts';
import { BatchQueue } from '../core/batch-queue.ts';
import { limits } from '../core/limits.ts';
import type { CommitOutcome, VersionCommit } from './catalog.ts';
import { pagesSizeOf } from './commit-item.ts';

export interface QueuedCommit {
  readonly by: Actor;
  readonly wish: VersionCommit;
  /** Stored with it when it is committed. */
  readonly note: AuditNote;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

/** Commits in batches. A batch belongs to one principal of one org. `run` settles every commit it is given and never rejects. */
export class CommitQueue {
  readonly #queue: BatchQueue<QueuedCommit>;

  constructor(run: (batch: readonly QueuedCommit[]) => Promise<void>) {
    this.#queue = new BatchQueue({ lanes: limits.commitLanes, take: takeBatch, run });
  }

  add(commit: Pick<QueuedCommit, 'by' | 'wish' | 'note'>): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => this.#queue.add({ ...commit, resolve, reject }));
  }
}

/** Removes from the front what may share a statement with the first. Order is kept; what does not fit waits. */
export function takeBatch(waiting: QueuedCommit[]): QueuedCommit[] {
  const first = waiting[0];
  if (first === undefined) return [];
  let pagesSize = 0;
  let count = 0;
  for (const { by, wish } of waiting) {
    pagesSize += pagesSizeOf(wish);
    const fits = count < limits.commitBatchMax && (count === 0 || pagesSize <= limits.commitPagesBytesMax);
    if (!fits || by.orgId !== first.by.orgId || by.principalId !== first.by.principalId) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
