import { type AuditEvent, encodeEvent } from '../../src/audit/event.ts';
import type { Transaction } from '../../src/database/transaction.ts';

/** Events of any kind, in a transaction of their org, as the notes of its changes are stored. */
export async function appendEvents({ query, scope }: Transaction, events: readonly AuditEvent[]): Promise<void> {
  const ids = events.map(({ eventId }) => eventId);
  await query('SELECT audit.append($1, $2, $3)', [scope.orgId, ids, events.map(encodeEvent)]);
}
