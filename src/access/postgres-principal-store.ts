import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { GroupId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import type { Queries } from '../database/transaction.ts';
import { askChange, pageOf } from './postgres-rows.ts';
import { type PrincipalRow, toPrincipal } from './principal-row.ts';
import type {
  LoadedRequester,
  NewPrincipal,
  Principal,
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
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  createPrincipal(by: Actor, principal: NewPrincipal): Promise<'created' | 'name_taken' | 'subject_taken'> {
    const { principalId, kind, name, subject, roles, atMs } = principal;
    return askChange(this.#queries, by, {
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

  async listPrincipals(
    scope: Scope,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<Principal>> {
    const values = [scope.orgId, after ?? null, limit + 1];
    const { rows } = await this.#queries.query<PrincipalRow>('SELECT * FROM core.list_principals($1, $2, $3)', values);
    return pageOf(rows, limit, toPrincipal);
  }

  setRoles(by: Actor, principalId: PrincipalId, roles: readonly Role[]): Promise<PrincipalOutcome> {
    return askChange(this.#queries, by, {
      call: 'core.set_roles($1, $2, $3, $4)',
      values: [by.orgId, by.principalId, principalId, roles],
      when: ['changed'],
      deed: { action: 'principal.change', resource: { kind: 'principal', id: principalId }, detail: { roles } },
    });
  }

  suspendPrincipal(
    by: Actor,
    principalId: PrincipalId,
    { suspended, atMs }: { readonly suspended: boolean; readonly atMs: number },
  ): Promise<PrincipalOutcome> {
    const action = suspended ? 'principal.suspend' : 'principal.resume';
    return askChange(this.#queries, by, {
      call: 'core.suspend_principal($1, $2, $3, $4, $5)',
      values: [by.orgId, by.principalId, principalId, suspended, atMs],
      when: ['changed'],
      deed: { action, resource: { kind: 'principal', id: principalId } },
    });
  }

  async findPrincipal(
    orgId: OrgId,
    subject: string,
  ): Promise<{ readonly principalId: PrincipalId; readonly suspended: boolean } | undefined> {
    const text = 'SELECT * FROM core.find_principal($1, $2)';
    const { rows } = await this.#queries.query<{ principal_id: PrincipalId; suspended: boolean }>(text, [orgId, subject]);
    const [row] = rows;
    return row === undefined ? undefined : { principalId: row.principal_id, suspended: row.suspended };
  }

  async loadRequester({ orgId }: Scope, principalId: PrincipalId): Promise<LoadedRequester | undefined> {
    const text = 'SELECT * FROM core.load_requester($1, $2)';
    const { rows } = await this.#queries.query<RequesterRow>(text, [orgId, principalId]);
    const [row] = rows;
    if (row === undefined) return undefined;
    const { suspended, roles, groups, kind } = row;
    const roleCapabilities = capabilitiesOf(roles);
    return { requester: { orgId, principalId, groups: new Set(groups), suspended, roleCapabilities }, roles, kind };
  }
}
