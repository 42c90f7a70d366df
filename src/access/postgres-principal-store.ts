import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { GroupId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import { changePrincipal, createPrincipal, setRoles, suspendPrincipal } from './change-principal.ts';
import { pageOf } from './postgres-rows.ts';
import { type PrincipalRow, toPrincipal } from './principal-row.ts';
import type {
  LoadedRequester,
  NewPrincipal,
  Principal,
  PrincipalChange,
  PrincipalKind,
  PrincipalOutcome,
  PrincipalStore,
} from './principal-store.ts';
import { capabilitiesOf, type Role } from './role.ts';

interface RequesterRow {
  readonly suspended: boolean;
  readonly roles: readonly Role[];
  readonly groups: readonly GroupId[];
  readonly kind: PrincipalKind;
}

/** The functions of migrations/, one round trip each. */
export class PostgresPrincipalStore implements PrincipalStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  createPrincipal(by: Actor, principal: NewPrincipal): Promise<'created' | 'name_taken' | 'subject_taken'> {
    return createPrincipal(this.#pool, by, principal);
  }

  async listPrincipals(
    scope: Scope,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<Principal>> {
    const values = [scope.orgId, after ?? null, limit + 1];
    const { rows } = await this.#pool.query<PrincipalRow>('SELECT * FROM core.list_principals($1, $2, $3)', values);
    return pageOf(rows, limit, toPrincipal);
  }

  setRoles(by: Actor, principalId: PrincipalId, roles: readonly Role[]): Promise<PrincipalOutcome> {
    return setRoles(this.#pool, by, principalId, roles);
  }

  suspendPrincipal(
    by: Actor,
    principalId: PrincipalId,
    change: { readonly suspended: boolean; readonly atMs: number },
  ): Promise<PrincipalOutcome> {
    return suspendPrincipal(this.#pool, by, principalId, change);
  }

  changePrincipal(by: Actor, principalId: PrincipalId, change: PrincipalChange): Promise<PrincipalOutcome> {
    return changePrincipal(this.#pool, by, principalId, change);
  }

  async findPrincipal(
    orgId: OrgId,
    subject: string,
  ): Promise<{ readonly principalId: PrincipalId; readonly suspended: boolean } | undefined> {
    const text = 'SELECT * FROM core.find_principal($1, $2)';
    const { rows } = await this.#pool.query<{ principal_id: PrincipalId; suspended: boolean }>(text, [orgId, subject]);
    const [row] = rows;
    return row === undefined ? undefined : { principalId: row.principal_id, suspended: row.suspended };
  }

  async loadRequester({ orgId }: Scope, principalId: PrincipalId): Promise<LoadedRequester | undefined> {
    const text = 'SELECT * FROM core.load_requester($1, $2)';
    const { rows } = await this.#pool.query<RequesterRow>(text, [orgId, principalId]);
    const [row] = rows;
    if (row === undefined) return undefined;
    const { suspended, roles, groups, kind } = row;
    const roleCapabilities = capabilitiesOf(roles);
    return { requester: { orgId, principalId, groups: new Set(groups), suspended, roleCapabilities }, roles, kind };
  }
}
