import { type AuditEvent, decodeEvent, EventFault } from '../../src/audit/event.ts';
import type { Scope } from '../../src/core/ids.ts';
import { type ConnectionPool, withTransaction } from '../../src/database/transaction.ts';

/** Events of the scope's org that changes have left behind, oldest first. Throws when one is no event, or another org's. */
export type ReadNoted = (scope: Scope) => Promise<readonly AuditEvent[]>;

/** Those in the database, as the application sees them. */
export function notedInDatabase(pool: ConnectionPool): ReadNoted {
  return async (scope) => {
    const text = 'SELECT event_id, bytes FROM audit.event WHERE org_id = $1 ORDER BY xid, seq';
    const { rows } = await withTransaction(pool, scope, ({ query }) =>
      query<{ event_id: string; bytes: Buffer }>(text, [scope.orgId]),
    );
    return rows.map(({ event_id: id, bytes }) => {
      const event = decodeNoted(bytes);
      if (event.eventId !== id || event.orgId !== scope.orgId) throw new Error('an event is stored under its own id and org');
      return event;
    });
  };
}

/** Those that stores without a database keep. */
export function notedInMemory(...stores: readonly { readonly notes: readonly { readonly bytes: Uint8Array }[] }[]): ReadNoted {
  return async ({ orgId }) =>
    stores.flatMap(({ notes }) => notes.map(({ bytes }) => decodeNoted(bytes))).filter((event) => event.orgId === orgId);
}

/** What happened to one thing. */
export async function deedsOf(read: ReadNoted, scope: Scope, resourceId: string): Promise<string[]> {
  const events = await read(scope);
  return events.filter(({ resource }) => resource.id === resourceId).map(({ action }) => action);
}

function decodeNoted(bytes: Uint8Array): AuditEvent {
  const event = decodeEvent(bytes);
  if (event instanceof EventFault) throw new Error(event.meaning);
  return event;
}
