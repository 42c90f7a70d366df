import { BatchQueue } from '../core/batch-queue.ts';
import type { DocumentId, OrgId, VersionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { VersionFacts } from './catalog.ts';

export interface QueuedFind {
  readonly orgId: OrgId;
  readonly documentId: DocumentId;
  /** Undefined for the current one. */
  readonly versionId: VersionId | undefined;
  resolve(version: VersionFacts | undefined): void;
  reject(error: unknown): void;
}

/** Look-ups of versions in batches. A batch belongs to one org. `run` settles every look-up it is given and never rejects. */
export class FindQueue {
  readonly #queue: BatchQueue<QueuedFind>;

  constructor(run: (batch: readonly QueuedFind[]) => Promise<void>) {
    this.#queue = new BatchQueue({ lanes: limits.findLanes, take: takeFinds, run });
  }

  add(orgId: OrgId, documentId: DocumentId, versionId: VersionId | undefined): Promise<VersionFacts | undefined> {
    return new Promise((resolve, reject) => this.#queue.add({ orgId, documentId, versionId, resolve, reject }));
  }
}

/** Removes from the front those of one org, up to the bound. */
export function takeFinds(waiting: QueuedFind[]): QueuedFind[] {
  const orgId = waiting[0]?.orgId;
  let count = 0;
  while (count < limits.findBatchMax && count < waiting.length && waiting[count]?.orgId === orgId) count += 1;
  return waiting.splice(0, count);
}
