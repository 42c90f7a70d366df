import type { Actor } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import type { Scope } from '../core/ids.ts';
import { makeNote } from './note-maker.ts';

/** A part of the program that changes something of an org by itself. Rows have the scope's principal as who made them. */
export function systemActor({ orgId, principalId }: Scope, part: string, clock: Clock): Actor {
  const principal = { kind: 'system', id: part } as const;
  const context = { orgId, principal, outcome: 'allowed', reason: 'system', requestId: part } as const;
  return { orgId, principalId, note: (deed) => makeNote(context, deed, clock) };
}
