import type { PrincipalId } from '../core/ids.ts';
import type { Principal, PrincipalKind } from './principal-store.ts';
import type { Role } from './role.ts';

/** A row of core.principal, its times in milliseconds. */
export interface PrincipalRow {
  readonly id: PrincipalId;
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly subject: string | null;
  readonly roles: readonly Role[];
  readonly created_at_ms: number;
  readonly suspended_at_ms: number | null;
}

export function toPrincipal(row: PrincipalRow): Principal {
  const { id, kind, name, subject, roles, created_at_ms, suspended_at_ms } = row;
  return {
    principalId: id,
    kind,
    name,
    subject: subject ?? undefined,
    roles,
    createdAtMs: created_at_ms,
    suspendedAtMs: suspended_at_ms ?? undefined,
  };
}
