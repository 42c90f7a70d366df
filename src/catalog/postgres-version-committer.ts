import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { DocumentId, Scope, VersionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { changedNothing, isBadValue, isStatementFailure, isWorthRetrying } from '../database/postgres-errors.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import type { Catalog, CommitOutcome, VersionCommit, VersionCommitter, VersionFacts } from './catalog.ts';
import { ownLabels, toCommitItem } from './commit-item.ts';
import { CommitQueue, type QueuedCommit } from './commit-queue.ts';
import { commitDeed } from './deeds.ts';

interface OutcomeRow {
  readonly n: number;
  readonly outcome: CommitOutcome['kind'];
  readonly document_id: DocumentId;
  readonly version_id: VersionId;
  readonly parents: readonly VersionId[] | null;
  readonly reread: boolean;
}

/**
 * The subquery does not depend on the row, so it runs once, and it reads what the function has done, so it runs behind it.
 * The notes of what was committed are appended in the order of the items, whatever order their outcomes come in. Their bytes
 * travel end to end: half as many as in an array, which would be hexadecimal text. `$7` says where each one ends, from 0 on.
 */
const COMMIT = `
  WITH done AS MATERIALIZED (SELECT * FROM quasar.commit_versions($1, $2, $3, $4)),
       note AS (SELECT n, ($5::uuid[])[n + 1] AS id, ($7::integer[])[n + 1] AS begins, ($7::integer[])[n + 2] AS ends
                  FROM done WHERE outcome = 'committed')
  SELECT done.*, (SELECT audit.append($1, array_agg(id ORDER BY n),
                                      array_agg(substring($6::bytea FROM begins + 1 FOR ends - begins) ORDER BY n))::text
                    FROM note) AS noted
    FROM done`;

/** Many commits, one statement: quasar.commit_versions in migrations/ is the other half. */
export class PostgresVersionCommitter implements VersionCommitter {
  readonly #pool: ConnectionPool;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #queue = new CommitQueue((batch) => this.#commitBatch(batch));

  constructor(options: { pool: ConnectionPool; catalog: Catalog; clock: Clock }) {
    this.#pool = options.pool;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
  }

  async commit(by: Actor, wish: VersionCommit): Promise<CommitOutcome> {
    return this.#queue.add({ by, wish, note: by.note(commitDeed(wish)) });
  }

  async findByIdempotencyKey(
    scope: Scope,
    key: string,
  ): Promise<{ readonly fingerprint: string; readonly version: VersionFacts } | undefined> {
    const { rows } = await this.#pool.query<{ fingerprint: string; document_id: DocumentId; version_id: VersionId }>(
      'SELECT * FROM quasar.find_idempotency_key($1, $2, $3, $4)',
      [scope.orgId, scope.principalId, key, this.#clock.now()],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const version = await this.#catalog.findVersion(scope, row.document_id, row.version_id);
    return version && { fingerprint: row.fingerprint, version };
  }

  /** One item that the server cannot take fails its statement; the others are then sent again, each on its own. */
  async #commitBatch(batch: readonly QueuedCommit[]): Promise<void> {
    try {
      await this.#settle(batch, await this.#send(batch));
    } catch (error) {
      if (batch.length > 1 && isStatementFailure(error)) {
        for (const one of batch) await this.#commitBatch([one]);
        return;
      }
      const failure = toCommitError(error);
      for (const { reject } of batch) reject(failure);
    }
  }

  async #send(batch: readonly QueuedCommit[]): Promise<readonly OutcomeRow[]> {
    const [first] = batch;
    assert(first !== undefined, 'a batch has a first commit');
    const pages: Uint8Array[] = [];
    let pagesAt = 0;
    const items = batch.map(({ wish }, n) => {
      const item = toCommitItem(wish, n, pagesAt);
      for (const page of wish.pages) {
        pages.push(page);
        pagesAt += page.length;
      }
      return item;
    });
    const values = [
      first.by.orgId,
      first.by.principalId,
      JSON.stringify(items),
      Buffer.concat(pages),
      batch.map(({ note }) => note.id),
      Buffer.concat(batch.map(({ note }) => note.bytes)),
      endsOf(batch),
    ];
    const proof = { orgId: first.by.orgId, eventIds: batch.map(({ note }) => note.id) };
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows } = await this.#pool.change<OutcomeRow>(COMMIT, values, proof);
        return rows;
      } catch (error) {
        if (attempt === limits.statementRetriesMax || !isWorthRetrying(error)) throw error;
      }
    }
  }

  async #settle(batch: readonly QueuedCommit[], rows: readonly OutcomeRow[]): Promise<void> {
    assert(rows.length === batch.length, 'every commit of a batch has an outcome');
    for (const row of rows) {
      const queued = batch[row.n];
      assert(queued !== undefined, 'an outcome belongs to a commit of the batch');
      if (row.reread) void this.#reread(queued, row);
      else queued.resolve(toOutcome(queued.wish, row));
    }
  }

  async #reread({ by, resolve, reject }: QueuedCommit, row: OutcomeRow): Promise<void> {
    try {
      const version = await this.#catalog.findVersion(by, row.document_id, row.version_id);
      assert(version !== undefined, 'a committed version is there');
      resolve({ kind: row.outcome === 'repeated' ? 'repeated' : 'committed', version });
    } catch (error) {
      // The commit itself is done; only its facts are missing, so the caller must ask again rather than repeat.
      reject(isQuasarError(error) ? new QuasarError('commit_unknown', { op: 'catalog.commit', cause: error }) : error);
    }
  }
}

function endsOf(batch: readonly QueuedCommit[]): number[] {
  const ends = [0];
  for (const { note } of batch) ends.push((ends.at(-1) as number) + note.bytes.length);
  return ends;
}

function toOutcome(wish: VersionCommit, row: OutcomeRow): CommitOutcome {
  if (row.outcome !== 'committed') {
    assert(row.outcome !== 'repeated', 'what was repeated is read again');
    return { kind: row.outcome };
  }
  const { versionId, documentId, blob, filename, contentType, reason, createdAtMs } = wish;
  const parents = row.parents ?? [];
  return {
    kind: 'committed',
    version: {
      versionId,
      documentId,
      parents,
      labels: ['CURRENT', ...ownLabels(wish)],
      blob,
      filename,
      contentType,
      reason,
      createdAtMs,
    },
  };
}

function toCommitError(error: unknown): unknown {
  if (!isQuasarError(error)) return error;
  const op = 'catalog.commit';
  if (isBadValue(error)) {
    const message = 'A name, type, label or reason holds characters that cannot be stored.';
    return new QuasarError('bad_parameter', { op, message, cause: error });
  }
  return changedNothing(error) ? error : new QuasarError('commit_unknown', { op, cause: error });
}
