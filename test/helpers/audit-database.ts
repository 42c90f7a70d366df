import { originOf } from '../../src/audit/checkpoint.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { type NoteSigner, noteSigner } from '../../src/audit/note-key.ts';
import { PostgresAuditLog } from '../../src/audit/postgres-audit-log.ts';
import { PostgresAuditStore } from '../../src/audit/postgres-audit-store.ts';
import { AuditSequencer } from '../../src/audit/sequencer.ts';
import { type LogReport, verifyLog } from '../../src/audit/verify-log.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type AuditEventId, newId, type OrgId, type Scope } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { type ConnectionPool, withTransaction } from '../../src/database/transaction.ts';
import { appendEvents } from './append-events.ts';
import { sampleEvent } from './audit-log-fixture.ts';
import { makeOrg, openTestDatabase, type Teardown, type TestDatabase } from './postgres.ts';

const SEED = Buffer.alloc(32, 7);

export function signerOf(orgId: OrgId): NoteSigner {
  return noteSigner(originOf(orgId), SEED);
}

/** Event `request-<index>` of the scope's org. */
export function eventOf(scope: Scope, index: number, changes: Partial<AuditEvent> = {}): AuditEvent {
  return sampleEvent(index, { orgId: scope.orgId, eventId: newId<AuditEventId>(systemClock), ...changes });
}

export function eventsOf(scope: Scope, begin: number, end: number): AuditEvent[] {
  return Array.from({ length: end - begin }, (_, at) => eventOf(scope, begin + at));
}

/** Logs in a database, and the sequencer to be run by hand. */
export interface AuditDatabase extends TestDatabase {
  readonly log: PostgresAuditLog;
  readonly sequencer: AuditSequencer;
  sequencerOn(pool: ConnectionPool, clock?: Clock): AuditSequencer;
  /** An org without events. */
  newLog(): Promise<Scope>;
  append(scope: Scope, events: readonly AuditEvent[]): Promise<void>;
  /** Numbers these events, a checkpoint behind them. */
  write(scope: Scope, events: readonly AuditEvent[]): Promise<void>;
  /** Until nothing is left. */
  sequence(): Promise<number>;
  /** Checks an export, with a checkpoint kept from before. */
  verify(scope: Scope, kept?: readonly string[]): Promise<LogReport>;
  /** `requestId` of the events in the order of the log. */
  listRequests(scope: Scope): Promise<string[]>;
}

export async function openAuditDatabase(t: Teardown): Promise<AuditDatabase> {
  const database = await openTestDatabase(t);
  const { pool, admin } = database;
  const log = new PostgresAuditLog(pool);
  const sequencerOn = (on: ConnectionPool, clock: Clock = systemClock) =>
    new AuditSequencer({ store: new PostgresAuditStore(on), signerOf, clock, log: silentLog });
  const sequencer = sequencerOn(pool);
  let orgs = 0;
  const append = (scope: Scope, events: readonly AuditEvent[]) =>
    withTransaction(pool, scope, (transaction) => appendEvents(transaction, events));
  const sequence = async () => {
    let sum = 0;
    for (let { added } = await sequencer.sequence(); added > 0; { added } = await sequencer.sequence()) sum += added;
    return sum;
  };
  return {
    ...database,
    log,
    sequencer,
    sequencerOn,
    newLog: () => makeOrg(admin, `log-${orgs++}`),
    append,
    write: async (scope, events) => {
      await append(scope, events);
      await sequence();
      await sequencer.sign();
    },
    sequence,
    verify: (scope, kept = []) => {
      const { verifier, name: origin } = signerOf(scope.orgId);
      const unsignedMax = Number.MAX_SAFE_INTEGER;
      return verifyLog(log.exportLines(scope, { unsigned: true }), { trusted: [verifier], kept, origin, unsignedMax });
    },
    listRequests: async (scope) => {
      const found: string[] = [];
      let after: string | undefined;
      do {
        const page = await log.listEvents(scope, {}, { limit: 10_000, after });
        found.push(...page.items.map(({ event }) => event?.requestId ?? ''));
        after = page.next;
      } while (after !== undefined);
      return found.reverse();
    },
  };
}
