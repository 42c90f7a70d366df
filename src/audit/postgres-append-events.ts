import type { AuditNote } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { Transaction } from '../database/transaction.ts';
import { type AuditEvent, encodeEvent } from './event.ts';

/**
 * Stores what happened, in the transaction of what it is about: both are there afterwards, or neither. The order of one
 * transaction's events is that in which they are appended. An event is stored once: the caller makes its id.
 * @throws QuasarError what `encodeEvent` throws; nothing was stored then.
 */
export async function appendEvents(transaction: Transaction, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  const { orgId } = transaction.scope;
  assert(
    events.every((event) => event.orgId === orgId),
    'an event is stored by a transaction of its org',
  );
  await appendNotes(
    transaction,
    events.map((event) => ({ id: event.eventId, bytes: encodeEvent(event) })),
  );
}

/** The same for events that are encoded already. */
export async function appendNotes({ query, scope }: Transaction, notes: readonly AuditNote[]): Promise<void> {
  const ids = notes.map(({ id }) => id);
  const bytes = notes.map((note) => Buffer.from(note.bytes.buffer, note.bytes.byteOffset, note.bytes.byteLength));
  await query('SELECT audit.append($1, $2, $3)', [scope.orgId, ids, bytes]);
}
