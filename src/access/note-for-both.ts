import { decodeEvent, encodeEvent } from '../audit/event.ts';
import type { Actor, AuditNote, Deed } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { OrgId } from '../core/ids.ts';
import type { Queries } from '../database/transaction.ts';
import { Fault } from '../segment/fault.ts';

/** Of a deed about an org: in the log of the actor's org, and in that of the org it is about. `first` is the note for the former. */
export async function noteForBoth(connection: Queries, by: Actor, deed: Deed, first = by.note(deed)): Promise<void> {
  const about = deed.resource.id as OrgId;
  await append(connection, by.orgId, first);
  if (about !== by.orgId) await append(connection, about, readdressed(by.note(deed), about));
}

/** Row-level security takes an event only for the org that is set. */
async function append(connection: Queries, orgId: OrgId, { id, bytes }: AuditNote): Promise<void> {
  await connection.query("SELECT set_config('app.org_id', $1, true)", [orgId]);
  await connection.query('SELECT audit.append($1, $2, $3)', [orgId, [id], [Buffer.from(bytes)]]);
}

/** The note as an event of another org's log. */
function readdressed({ id, bytes }: AuditNote, orgId: OrgId): AuditNote {
  const event = decodeEvent(bytes);
  assert(!(event instanceof Fault), 'a note is an event');
  return { id, bytes: encodeEvent({ ...event, orgId }) };
}
