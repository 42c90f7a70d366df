import type { AuditNote, Deed } from '../core/actor.ts';
import type { AuditPrincipalKind } from '../core/audit-action.ts';
import { type Clock, toTimestamp } from '../core/clock.ts';
import { type AuditEventId, newId, type OrgId } from '../core/ids.ts';
import { type AuditEvent, encodeEvent } from './event.ts';

/** Who did it and why it was taken or refused: what events about one request have in common. */
export interface NoteContext {
  readonly orgId: OrgId;
  readonly principal: { readonly kind: AuditPrincipalKind; readonly id: string };
  readonly outcome: AuditEvent['outcome'];
  readonly reason: string;
  readonly requestId: string;
}

/** An event of this moment. @throws QuasarError what `encodeEvent` throws. */
export function makeNote(context: NoteContext, deed: Deed & Pick<AuditEvent, 'reads'>, clock: Clock): AuditNote {
  const { orgId, principal, outcome, reason, requestId } = context;
  const { action, resource, reads, detail = {} } = deed;
  const eventId = newId<AuditEventId>(clock);
  const time = toTimestamp(clock.now());
  // Each member by its name: spreading the context takes five times as long.
  const event = { orgId, eventId, time, principal, action, resource, outcome, reason, requestId, detail };
  return { id: eventId, bytes: encodeEvent(reads === undefined ? event : { ...event, reads }) };
}
