import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { CommitOutcome, VersionCommit } from './catalog.ts';
import { pagesSizeOf } from './commit-item.ts';

export interface QueuedCommit {
  readonly scope: Scope;
  readonly wish: VersionCommit;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

/**
 * Gathers commits while others are under way and hands them over in batches: no timer, a lone commit starts at once, and
 * the longer a statement takes, the larger the next one. A batch belongs to one principal of one org. `run` settles every
 * commit it is given and never rejects.
 */
export class CommitQueue {
  readonly #run: (batch: readonly QueuedCommit[]) => Promise<void>;
  readonly #waiting: QueuedCommit[] = [];
  #running = 0;

  constructor(run: (batch: readonly QueuedCommit[]) => Promise<void>) {
    this.#run = run;
  }

  add(scope: Scope, wish: VersionCommit): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ scope, wish, resolve, reject });
      // What becomes ready in the same turn of the event loop travels together.
      if (this.#waiting.length === 1) setImmediate(() => this.#startNext());
    });
  }

  #startNext(): void {
    while (this.#running < limits.commitLanes && this.#waiting.length > 0) {
      this.#running += 1;
      void this.#run(takeBatch(this.#waiting)).then(() => {
        this.#running -= 1;
        this.#startNext();
      });
    }
  }
}

/** Removes from the front what may share a statement with the first. Order is kept; what does not fit waits. */
export function takeBatch(waiting: QueuedCommit[]): QueuedCommit[] {
  const first = waiting[0];
  if (first === undefined) return [];
  let pagesSize = 0;
  let count = 0;
  for (const { scope, wish } of waiting) {
    pagesSize += pagesSizeOf(wish);
    const fits = count < limits.commitBatchMax && (count === 0 || pagesSize <= limits.commitPagesBytesMax);
    if (!fits || scope.orgId !== first.scope.orgId || scope.principalId !== first.scope.principalId) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
