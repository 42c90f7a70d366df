import type { Actor, AuditNote, Deed } from '../core/actor.ts';
import type { AuditEventId, PrincipalId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction, type Queries } from '../database/transaction.ts';
import { askChange } from './postgres-rows.ts';
import type { NewPrincipal, PrincipalChange, PrincipalOutcome } from './principal-store.ts';
import type { Role } from './role.ts';

/** Changes of principals, one statement each: by themselves, or in a transaction with others. */
export function createPrincipal(
  queries: Queries,
  by: Actor,
  { principalId, kind, name, subject, roles, atMs }: NewPrincipal,
): Promise<'created' | 'name_taken' | 'subject_taken'> {
  return askChange(queries, by, {
    call: 'core.create_principal($1, $2, $3, $4, $5, $6, $7)',
    values: [by.orgId, principalId, kind, name, subject ?? null, roles, atMs],
    when: ['created'],
    deed: {
      action: 'principal.create',
      resource: { kind: 'principal', id: principalId },
      detail: { kind, name, roles, ...(subject === undefined ? {} : { subject }) },
    },
  });
}

export function setRoles(
  queries: Queries,
  by: Actor,
  principalId: PrincipalId,
  roles: readonly Role[],
): Promise<PrincipalOutcome> {
  return askChange(queries, by, {
    call: 'core.set_roles($1, $2, $3, $4)',
    values: [by.orgId, by.principalId, principalId, roles],
    when: ['changed'],
    deed: { action: 'principal.change', resource: { kind: 'principal', id: principalId }, detail: { roles } },
  });
}

export function suspendPrincipal(
  queries: Queries,
  by: Actor,
  principalId: PrincipalId,
  { suspended, atMs }: { readonly suspended: boolean; readonly atMs: number },
): Promise<PrincipalOutcome> {
  const action = suspended ? 'principal.suspend' : 'principal.resume';
  return askChange(queries, by, {
    call: 'core.suspend_principal($1, $2, $3, $4, $5)',
    values: [by.orgId, by.principalId, principalId, suspended, atMs],
    when: ['changed'],
    deed: { action, resource: { kind: 'principal', id: principalId } },
  });
}

/** Both in one transaction: a refusal or failure of the second takes the first back. */
export async function changePrincipal(
  pool: ConnectionPool,
  by: Actor,
  principalId: PrincipalId,
  { roles, suspended, atMs }: PrincipalChange,
): Promise<PrincipalOutcome> {
  if (roles === undefined)
    return suspended === undefined ? 'unchanged' : suspendPrincipal(pool, by, principalId, { suspended, atMs });
  if (suspended === undefined) return setRoles(pool, by, principalId, roles);
  const actor = new RecordingActor(by);
  const work = async (connection: Queries): Promise<PrincipalOutcome> => {
    const first = required(await setRoles(connection, actor, principalId, roles));
    const second = required(await suspendPrincipal(connection, actor, principalId, { suspended, atMs }));
    return first === 'unchanged' ? second : first;
  };
  try {
    return await inTransaction(pool, work, { proof: { orgId: by.orgId, eventIds: actor.eventIds } });
  } catch (error) {
    if (error instanceof RefusedChange) return error.outcome;
    throw error;
  }
}

/** Remembers its notes, which tell whether the transaction took place. */
class RecordingActor implements Actor {
  readonly orgId: Actor['orgId'];
  readonly principalId: Actor['principalId'];
  readonly eventIds: AuditEventId[] = [];
  readonly #by: Actor;

  constructor(by: Actor) {
    this.orgId = by.orgId;
    this.principalId = by.principalId;
    this.#by = by;
  }

  note(deed: Deed): AuditNote {
    const note = this.#by.note(deed);
    this.eventIds.push(note.id);
    return note;
  }
}

/** Thrown to roll back. */
class RefusedChange extends Error {
  readonly outcome: PrincipalOutcome;

  constructor(outcome: PrincipalOutcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

function required(outcome: PrincipalOutcome): 'changed' | 'unchanged' {
  if (outcome === 'changed' || outcome === 'unchanged') return outcome;
  throw new RefusedChange(outcome);
}
