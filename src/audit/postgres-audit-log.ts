import { QuasarError } from '../core/errors.ts';
import type { AuditEventId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type ConnectionPool, type Transaction, withSnapshot } from '../database/transaction.ts';
import type { AuditLog, EventFilter, EventPage, InclusionProof, LoggedEvent } from './audit-log.ts';
import type { StoredCheckpoint } from './audit-store.ts';
import { decodeEvent, EventFault } from './event.ts';
import type { TreeHash } from './merkle-hash.ts';
import { proveConsistency, proveInclusion, rootAt } from './merkle-tree.ts';
import { findLastCheckpoint } from './postgres-checkpoints.ts';
import { exportLines } from './postgres-export-lines.ts';
import { PostgresTreeHashes, treeHashOf } from './postgres-tree-hashes.ts';

interface EventRow {
  readonly leaf: string;
  readonly hash: Buffer;
  readonly bytes: Buffer;
}

const EVENTS = `
  SELECT l.leaf, l.hash, e.bytes FROM audit.leaf l JOIN audit.event e ON e.org_id = l.org_id AND e.xid = l.xid AND e.seq = l.seq
   WHERE l.org_id = $1`;

/** Between the making of an event's id and of its time, with a pause of the process. */
const EVENT_ID_SLACK_MS = 10_000;

/** The tables of migrations/000010-audit.sql, read by the application. */
export class PostgresAuditLog implements AuditLog {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  getSize(scope: Scope): Promise<number> {
    return withSnapshot(this.#pool, scope, readSize);
  }

  async listEvents(
    scope: Scope,
    filter: EventFilter,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<EventPage> {
    const { text, values } = filterClauses(filter, after);
    const query = boundBytes(`${EVENTS}${text} ORDER BY l.leaf DESC LIMIT ${limit + 1}`, limit);
    const { rows } = await withSnapshot(this.#pool, scope, (transaction) =>
      transaction.query<EventRow & { readonly found: string }>(query, [scope.orgId, ...values]),
    );
    const items = rows.map(toLoggedEvent);
    return { items, next: Number(rows[0]?.found ?? 0) > rows.length ? items.at(-1)?.leaf.toString() : undefined };
  }

  async findLeaf(scope: Scope, leaf: number): Promise<LoggedEvent | undefined> {
    const [found] = await this.#readEvents(scope, `${EVENTS} AND l.leaf = $2`, [leaf]);
    return found;
  }

  /** No index has ids: when one was made stands in it, and events can be found by their time. */
  async findEvent(scope: Scope, eventId: AuditEventId): Promise<LoggedEvent | undefined> {
    const madeAtMs = Number.parseInt(eventId.replace('-', '').slice(0, 12), 16);
    const [from, until] = [madeAtMs - EVENT_ID_SLACK_MS, madeAtMs + EVENT_ID_SLACK_MS].map((ms) => new Date(ms).toISOString());
    const text = `${EVENTS} AND l.happened_at BETWEEN $2 AND $3 AND e.event_id = $4`;
    const [found] = await this.#readEvents(scope, text, [from, until, eventId]);
    return found;
  }

  findCheckpoint(scope: Scope, size?: number): Promise<StoredCheckpoint | undefined> {
    return withSnapshot(this.#pool, scope, (transaction) => findLastCheckpoint(transaction, scope.orgId, size));
  }

  proveInclusion(scope: Scope, leaf: number, size: number): Promise<InclusionProof> {
    return withSnapshot(this.#pool, scope, async (transaction) => {
      requireOrder('leaf', { smaller: leaf, larger: size - 1 });
      await requireSize(transaction, 'size', size);
      const hashes = new PostgresTreeHashes(transaction, scope.orgId);
      const [leafHash] = (await hashes.getSubtrees([{ level: 0, index: leaf }])) as [TreeHash];
      return { leafHash, root: await rootAt(hashes, size), proof: await proveInclusion(hashes, leaf, size) };
    });
  }

  proveConsistency(scope: Scope, first: number, second: number): Promise<readonly TreeHash[]> {
    return withSnapshot(this.#pool, scope, async (transaction) => {
      requireOrder('first', { smaller: first, larger: second });
      await requireSize(transaction, 'second', second);
      return proveConsistency(new PostgresTreeHashes(transaction, scope.orgId), first, second);
    });
  }

  exportLines(scope: Scope, { unsigned }: { readonly unsigned: boolean } = { unsigned: false }): AsyncIterable<string> {
    return exportLines(this.#pool, scope, unsigned);
  }

  async #readEvents(scope: Scope, text: string, values: readonly unknown[]): Promise<readonly LoggedEvent[]> {
    const { rows } = await withSnapshot(this.#pool, scope, ({ query }) => query<EventRow>(text, [scope.orgId, ...values]));
    return rows.map(toLoggedEvent);
  }
}

/** The first `limit` rows of `query`, or as many as hold `limits.pageBytesMax`; `found` is how many it has. */
function boundBytes(query: string, limit: number): string {
  return `
    SELECT leaf, hash, bytes, found FROM (
      SELECT q.*, count(*) OVER () AS found, row_number() OVER latest AS n,
             sum(octet_length(q.bytes)) OVER latest - octet_length(q.bytes) AS before
        FROM (${query}) AS q WINDOW latest AS (ORDER BY q.leaf DESC ROWS UNBOUNDED PRECEDING)
    ) AS measured
     WHERE n <= ${limit} AND before < ${limits.pageBytesMax} ORDER BY leaf DESC`;
}

/** Written out for what is asked, so that the planner sees which index serves it. `$1` is the org. */
function filterClauses(filter: EventFilter, after: string | undefined): { text: string; values: readonly unknown[] } {
  const clauses = [
    ['l.resource_id = ?', filter.resourceId],
    ['l.principal_id = ?', filter.principalId],
    ['l.action = ?', filter.action],
    ['l.happened_at >= ?', toTime(filter.fromMs)],
    ['l.happened_at < ?', toTime(filter.untilMs)],
    ['l.leaf < ?', after],
    ['l.leaf > ?', filter.aboveLeaf?.toString()],
  ].filter((clause): clause is [string, string] => clause[1] !== undefined);
  const text = clauses.map(([condition], index) => ` AND ${condition.replace('?', `$${index + 2}`)}`).join('');
  return { text, values: clauses.map(([, value]) => value) };
}

function toTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function toLoggedEvent({ leaf, hash, bytes }: EventRow): LoggedEvent {
  const event = decodeEvent(bytes);
  return { leaf: Number(leaf), hash: treeHashOf(hash), bytes, event: event instanceof EventFault ? undefined : event };
}

async function readSize({ query, scope }: Transaction): Promise<number> {
  const text = 'SELECT coalesce(max(l.leaf) + 1, 0) AS size FROM audit.leaf l WHERE l.org_id = $1';
  const { rows } = await query<{ size: string }>(text, [scope.orgId]);
  return Number(rows[0]?.size);
}

function requireOrder(parameter: string, { smaller, larger }: { readonly smaller: number; readonly larger: number }): void {
  if (Number.isSafeInteger(smaller) && Number.isSafeInteger(larger) && smaller >= 0 && smaller <= larger) return;
  throw badParameter(parameter, `${parameter} must be a whole number within the size asked for.`);
}

async function requireSize(transaction: Transaction, parameter: string, size: number): Promise<void> {
  const there = await readSize(transaction);
  if (size > there) throw badParameter(parameter, `${parameter} is larger than the audit log: it has ${there} events.`);
}

function badParameter(parameter: string, message: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'audit.prove', message, details: { parameter } });
}
