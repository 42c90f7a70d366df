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
  const id = newId<AuditEventId>(clock);
  const { action, resource, reads, detail = {} } = deed;
  const event = { ...context, eventId: id, time: toTimestamp(clock.now()), action, resource, detail };
  return { id, bytes: encodeEvent(reads === undefined ? event : { ...event, reads }) };
}
