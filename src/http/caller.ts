import type { Arrival } from '../access/credential-refusals.ts';
import { type Decided, notedDecision } from '../access/noted-decision.ts';
import type { RuledThing } from '../access/rule-store.ts';
import type { Session } from '../access/session.ts';
import { makeNote, type NoteContext, type NotedDecision } from '../audit/note-maker.ts';
import type { Actor, AuditNote, Confirm, Deed } from '../core/actor.ts';
import { AssertionError } from '../core/assert.ts';
import type { Capability } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import type { OrgId, PrincipalId } from '../core/ids.ts';

/** Who asks, for the time of one request. */
export interface Caller extends Actor {
  readonly requestId: string;
  readonly session: Session;
  /** Of the client, as far as it is known. */
  readonly address: string | undefined;
  /** The last decision that allowed something; the gate sets it, events tell it. */
  allowed: Allowed | undefined;
  /** What the scope of the credential allowed, where nothing else is decided: about the caller's own. The gate sets it. */
  scoped: Capability | undefined;
  /** Something was refused: that is noted already. */
  refused: boolean;
  /** All that was asked for this request, in order; the gate adds to it. */
  readonly required: Required[];
}

export interface Required {
  readonly thing: RuledThing;
  readonly capability: Capability;
}

/** What was allowed, on what, and how that was decided. */
export interface Allowed extends Decided {
  readonly thing: RuledThing;
}

/** A principal with a credential that was taken. */
export class RequestCaller implements Caller {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly requestId: string;
  readonly session: Session;
  readonly address: string | undefined;
  allowed: Allowed | undefined;
  scoped: Capability | undefined;
  refused = false;
  readonly required: Required[] = [];
  /** Set by the gate. */
  confirm: Confirm | undefined = undefined;
  readonly #clock: Clock;

  constructor(session: Session, { requestId, address }: Arrival, clock: Clock) {
    this.orgId = session.orgId;
    this.principalId = session.principalId;
    this.requestId = requestId;
    this.session = session;
    this.address = address;
    this.#clock = clock;
  }

  note(deed: Deed): AuditNote {
    return makeNote(allowedContextOf(this), deed, this.#clock);
  }
}

/** On routes that are open: has no org, sees nothing, changes nothing. */
export class NobodyCaller implements Caller {
  readonly orgId = NO_ID as OrgId;
  readonly principalId = NO_ID as PrincipalId;
  readonly requestId: string;
  readonly address: string | undefined;
  allowed: Allowed | undefined;
  scoped: Capability | undefined;
  refused = false;
  readonly required: Required[] = [];

  constructor({ requestId, address }: Arrival) {
    this.requestId = requestId;
    this.address = address;
  }

  get session(): Session {
    throw new AssertionError('an open route asks nobody who it is');
  }

  note(): AuditNote {
    throw new AssertionError('an open route changes nothing');
  }
}

/** Of what the last decision allowed. */
export function allowedContextOf(caller: Caller): NoteContext {
  const { allowed } = caller;
  return contextOf(caller, 'allowed', allowed?.reason ?? 'member', allowed && notedDecision(allowed));
}

/** What events about this request have in common. */
export function contextOf(
  { orgId, principalId, requestId, address, session }: Caller,
  outcome: NoteContext['outcome'],
  reason: string,
  decided: NotedDecision | undefined,
): NoteContext {
  const kind = session.kind === 'user' ? 'user' : 'service_account';
  const { credential } = session;
  return { orgId, principal: { kind, id: principalId }, outcome, reason, requestId, credential, address, decided };
}

const NO_ID = '00000000-0000-0000-0000-000000000000';
