import type { Secret } from '../config/secret.ts';
import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { allCapabilities } from '../core/capability.ts';
import { type Clock, toTimestamp } from '../core/clock.ts';
import type { KeyId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import { newId } from '../core/ids.ts';
import { type ConnectionPool, inTransaction } from '../database/transaction.ts';
import { macOf, newApiKey } from './api-key.ts';
import { createPrincipal } from './change-principal.ts';
import { noteForBoth } from './note-for-both.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';

export interface RecoverOptions {
  /** That is to have an administrator again. */
  readonly orgId: OrgId;
  /** Whoever acts, by the scope it is given; in the name of the operator and of the new administrator. */
  readonly actorOf: (scope: Scope) => Actor;
  readonly operator: Scope;
  /** Why, for the log. */
  readonly reason: string | undefined;
  readonly pepper: Secret;
  readonly clock: Clock;
}

export interface RecoveredAdministrator {
  readonly principalId: PrincipalId;
  readonly name: string;
  readonly keyId: KeyId;
  /** Nowhere else. */
  readonly key: Secret;
}

/**
 * Makes an administrator of the org, and a key of his. No rule, group or suspension that was made before can be about him, so
 * that he may do everything whatever locks the others out; and nothing that was decided before is changed by it. Noted in the
 * org's log and the operator's.
 */
export function recoverAdministrator(pool: ConnectionPool, options: RecoverOptions): Promise<RecoveredAdministrator> {
  const { orgId, actorOf, operator, reason, pepper, clock } = options;
  const by = actorOf({ orgId, principalId: newId<PrincipalId>(clock) });
  const { principalId } = by;
  const atMs = clock.now();
  const name = `recovery ${toTimestamp(atMs)} ${principalId.slice(-4)}`;
  const key = newApiKey(clock);
  return inTransaction(pool, async (connection) => {
    const principal = { principalId, kind: 'service', name, subject: undefined, roles: ['admin'], atMs } as const;
    const made = await createPrincipal(connection, by, principal);
    assert(made === 'created', 'nobody has the name of an administrator who was never there');
    const facts = { keyId: key.id, principalId, name, scope: allCapabilities, expiresAtMs: undefined };
    const kept = await new PostgresKeyStore(connection).createKey(by, { ...facts, mac: macOf(key, pepper), atMs });
    assert(kept === 'created', 'an administrator who was just made takes a key');
    const detail = { principalId, keyId: key.id, ...(reason === undefined ? {} : { reason }) };
    await noteForBoth(connection, actorOf(operator), { action: 'org.recover', resource: { kind: 'org', id: orgId }, detail });
    return { principalId, name, keyId: key.id, key: key.text };
  });
}
