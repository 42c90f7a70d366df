import { makeNote } from '../../src/audit/note-maker.ts';
import type { Actor } from '../../src/core/actor.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { Scope } from '../../src/core/ids.ts';

/** Somebody of the scope's org who may do all there is. */
export function actorIn({ orgId, principalId }: Scope, clock: Clock = systemClock): Actor {
  const principal = { kind: 'service_account', id: principalId } as const;
  const context = { orgId, principal, outcome: 'allowed', reason: 'role_allows', requestId: 'test' } as const;
  return { orgId, principalId, note: (deed) => makeNote(context, deed, clock) };
}
