import type { DecisionReason } from '../access/decide.ts';
import type { RuledThing } from '../access/rule-store.ts';
import type { Session } from '../access/session.ts';
import { makeNote, type NoteContext } from '../audit/note-maker.ts';
import type { Actor, AuditNote, Confirm, Deed } from '../core/actor.ts';
import { AssertionError } from '../core/assert.ts';
import type { Capability } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import type { OrgId, PrincipalId } from '../core/ids.ts';

/** Who asks, for the time of one request. */
export interface Caller extends Actor {
  readonly requestId: string;
  readonly session: Session;
  /** Why the last decision about this request allowed it; the gate sets it, events tell it. */
  allowedBy: DecisionReason | 'member';
  /** All that was asked for this request, in order; the gate adds to it. */
  readonly required: Required[];
}

export interface Required {
  readonly thing: RuledThing;
  readonly capability: Capability;
}

/** A principal with a credential that was taken. */
export class RequestCaller implements Caller {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly requestId: string;
  readonly session: Session;
  allowedBy: Caller['allowedBy'] = 'member';
  readonly required: Required[] = [];
  /** Set by the gate. */
  confirm: Confirm | undefined = undefined;
  readonly #clock: Clock;

  constructor(session: Session, requestId: string, clock: Clock) {
    this.orgId = session.orgId;
    this.principalId = session.principalId;
    this.requestId = requestId;
    this.session = session;
    this.#clock = clock;
  }

  note(deed: Deed): AuditNote {
    return makeNote(contextOf(this, 'allowed', this.allowedBy), deed, this.#clock);
  }
}

/** On routes that are open: has no org, sees nothing, changes nothing. */
export class NobodyCaller implements Caller {
  readonly orgId = NO_ID as OrgId;
  readonly principalId = NO_ID as PrincipalId;
  readonly requestId: string;
  allowedBy: Caller['allowedBy'] = 'member';
  readonly required: Required[] = [];

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  get session(): Session {
    throw new AssertionError('an open route asks nobody who it is');
  }

  note(): AuditNote {
    throw new AssertionError('an open route changes nothing');
  }
}

/** What events about this request have in common. */
export function contextOf(
  { orgId, principalId, requestId, session }: Caller,
  outcome: NoteContext['outcome'],
  reason: string,
): NoteContext {
  const kind = session.kind === 'user' ? 'user' : 'service_account';
  return { orgId, principal: { kind, id: principalId }, outcome, reason, requestId };
}

const NO_ID = '00000000-0000-0000-0000-000000000000';
