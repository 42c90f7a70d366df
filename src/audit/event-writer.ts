import type { AuditNote } from '../core/actor.ts';
import { BatchQueue } from '../core/batch-queue.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { tookPlace } from '../database/outcome.ts';
import type { Queries } from '../database/transaction.ts';

interface QueuedNote {
  readonly orgId: OrgId;
  readonly note: AuditNote;
  resolve(): void;
  reject(error: unknown): void;
}

/** Stores events that belong to no other change: of reads and of denials. Those of many requests share a statement. */
export class EventWriter {
  readonly #queries: Queries;
  readonly #queue = new BatchQueue<QueuedNote>({
    lanes: limits.auditWriteLanes,
    take: takeNotes,
    run: (batch) => this.#store(batch),
  });

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** Resolves when it is durable. @throws QuasarError as `Queries.change`; it may have been stored all the same. */
  append(orgId: OrgId, note: AuditNote): Promise<void> {
    return new Promise((resolve, reject) => this.#queue.add({ orgId, note, resolve, reject }));
  }

  async #store(batch: readonly QueuedNote[]): Promise<void> {
    const ids = batch.map(({ note }) => note.id);
    const bytes = batch.map(({ note }) => Buffer.from(note.bytes));
    try {
      const orgId = batch[0]?.orgId as OrgId;
      await this.#queries.change(APPEND, [orgId, ids, bytes], { orgId, eventIds: ids });
    } catch (error) {
      if (!tookPlace(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
    }
    for (const { resolve } of batch) resolve();
  }
}

/** Removes from the front those of one org, up to the bound. */
function takeNotes(waiting: QueuedNote[]): QueuedNote[] {
  const orgId = waiting[0]?.orgId;
  let count = 0;
  while (count < limits.auditWriteBatchMax && count < waiting.length && waiting[count]?.orgId === orgId) count += 1;
  return waiting.splice(0, count);
}

/** The org is set before the function runs: it needs the row that sets it. */
const APPEND = `
  WITH org AS MATERIALIZED (SELECT set_config('app.org_id', $1, true))
  SELECT audit.append($1::uuid, $2::uuid[], $3::bytea[]) FROM org`;
