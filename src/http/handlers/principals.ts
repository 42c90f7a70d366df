import type { Principal, PrincipalOutcome } from '../../access/principal-store.ts';
import { capabilitiesOf } from '../../access/role.ts';
import { capabilityNames } from '../../core/capability.ts';
import { QuasarError } from '../../core/errors.ts';
import { newId, type PrincipalId, parseId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { member, onOrg } from '../route-access.ts';
import { type Params, route } from '../router.ts';
import { parsePrincipalBody, parsePrincipalChange } from './access-bodies.ts';
import { principalView } from './access-views.ts';
import { requireHeld, WHOLE_ORG } from './held-capabilities.ts';
import { pageOf } from './request-bodies.ts';
import { requireStanding } from './require-standing.ts';
import type { Services } from './services.ts';

export const listPrincipals = route(
  'GET',
  '/v1/principals',
  onOrg('acl.admin'),
  async (exchange, _params, services: Services, caller) => {
    const { limit, after } = pageOf(exchange, services.cursors, purposeOf(caller));
    const page = await services.access.principals.listPrincipals(caller, { limit, after });
    replyJson(exchange, 200, {
      items: page.items.map(principalView),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purposeOf(caller), page.next),
    });
  },
);

export const postPrincipal = route(
  'POST',
  '/v1/principals',
  onOrg('acl.admin'),
  async (exchange, _params, services: Services, caller) => {
    const op = 'principal.create';
    const wish = parsePrincipalBody(await readJsonBody(exchange, { optional: false }));
    await requireHeld(caller, capabilitiesOf(wish.roles), services, op);
    requireStanding(caller, wish.roles, op);
    const principalId = newId<PrincipalId>(services.clock);
    const atMs = services.clock.now();
    const outcome = await services.access.principals.createPrincipal(caller, { principalId, ...wish, atMs });
    if (outcome !== 'created') throw new QuasarError(outcome, { op });
    const view = principalView({ principalId, ...wish, createdAtMs: atMs, suspendedAtMs: undefined });
    replyJson(exchange, 201, view);
  },
);

/** Who asks, and what the credentials of the request are good for in the whole org. */
export const getMe = route('GET', '/v1/principals/me', member, async (exchange, _params, services: Services, caller) => {
  const { directory, principals } = services.access;
  const [principal, loaded, held] = await Promise.all([
    directory.findPrincipal(caller, caller.principalId),
    principals.loadRequester(caller, caller.principalId),
    services.gate.capabilitiesOn(caller, WHOLE_ORG),
  ]);
  if (principal === undefined || loaded === undefined) throw new QuasarError('principal_not_found', { op: 'principal.me' });
  replyJson(exchange, 200, {
    ...principalView(principal),
    orgId: caller.orgId,
    groups: [...loaded.requester.groups].sort(),
    capabilities: capabilityNames(held),
  });
});

export const putPrincipal = route(
  'PUT',
  '/v1/principals/{principalId}',
  onOrg('acl.admin'),
  async (exchange, params, services: Services, caller) => {
    const principalId = principalIdOf(params);
    const { roles, suspended } = parsePrincipalChange(await readJsonBody(exchange, { optional: false }));
    const current = await requireChangeable(principalId, services, caller);
    if (roles !== undefined) {
      await requireHeld(caller, capabilitiesOf(roles), services, 'principal.set');
      requireStanding(caller, roles, 'principal.set');
    }
    const atMs = services.clock.now();
    refuseLast(await services.access.principals.changePrincipal(caller, principalId, { roles, suspended, atMs }));
    services.gate.changed({ orgId: caller.orgId, kind: 'principal' });
    // Not read again: a change that took place is not answered as one that failed.
    const suspendedAtMs =
      suspended === undefined ? current.suspendedAtMs : suspended ? (current.suspendedAtMs ?? atMs) : undefined;
    replyJson(exchange, 200, principalView({ ...current, roles: roles ?? current.roles, suspendedAtMs }));
  },
);

/** Suspends: rows name a principal for ever. */
export const deletePrincipal = route(
  'DELETE',
  '/v1/principals/{principalId}',
  onOrg('acl.admin'),
  async (exchange, params, services: Services, caller) => {
    const principalId = principalIdOf(params);
    await requireChangeable(principalId, services, caller);
    const change = { suspended: true, atMs: services.clock.now() };
    refuseLast(await services.access.principals.suspendPrincipal(caller, principalId, change));
    services.gate.changed({ orgId: caller.orgId, kind: 'principal' });
    exchange.reply(204, []);
  },
);

/** Whoever has less cannot take from those who have more, nor anybody from himself: so the last administrator stays. */
async function requireChangeable(principalId: PrincipalId, services: Services, caller: Caller): Promise<Principal> {
  const op = 'principal.change';
  const current = await services.access.directory.findPrincipal(caller, principalId);
  if (current === undefined) throw new QuasarError('principal_not_found', { op });
  if (principalId === caller.principalId) throw new QuasarError('own_principal', { op });
  await requireHeld(caller, capabilitiesOf(current.roles), services, op);
  requireStanding(caller, current.roles, op);
  return current;
}

function refuseLast(outcome: PrincipalOutcome): void {
  if (outcome === 'last_administrator' || outcome === 'stands_above') throw new QuasarError(outcome, { op: 'principal.change' });
}

function principalIdOf(params: Params): PrincipalId {
  return parseId<PrincipalId>(params.principalId as string, 'principalId');
}

function purposeOf({ orgId }: Caller): string {
  return `principals:${orgId}`;
}
