import { macOf, newApiKey } from '../../access/api-key.ts';
import { makeNote } from '../../audit/note-maker.ts';
import type { Actor } from '../../core/actor.ts';
import { allCapabilities, hasCapability } from '../../core/capability.ts';
import { QuasarError } from '../../core/errors.ts';
import { newId, type OrgId, type PrincipalId, parseId, type Scope } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { member, onOrg } from '../route-access.ts';
import { type Params, route } from '../router.ts';
import { parseOrgBody, parseOrgChange } from './access-bodies.ts';
import { orgView } from './access-views.ts';
import { WHOLE_ORG } from './held-capabilities.ts';
import { pageOf } from './request-bodies.ts';
import type { Services } from './services.ts';

/** All of them for those who operate the server; everybody else learns of his own alone. */
export const listOrgs = route('GET', '/v1/orgs', member, async (exchange, _params, services: Services, caller) => {
  const purpose = `orgs:${caller.orgId}`;
  const { limit, after } = pageOf(exchange, services.cursors, purpose);
  if (!(await operates(caller, services))) {
    const org = await services.access.directory.findOrg(caller);
    replyJson(exchange, 200, { items: org === undefined ? [] : [orgView(org)], nextCursor: null });
    return;
  }
  await services.gate.require(caller, WHOLE_ORG, 'cluster.admin');
  const page = await services.access.orgs.listOrgs({ limit, after });
  await services.gate.noteListing(caller, { action: 'cluster.admin', list: 'orgs' });
  replyJson(exchange, 200, {
    items: page.items.map(orgView),
    nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
  });
});

/** With an administrator and his key, which is shown in this answer and never again. */
export const postOrg = route(
  'POST',
  '/v1/orgs',
  onOrg('cluster.admin'),
  async (exchange, _params, services: Services, caller) => {
    const op = 'org.create';
    const { name } = parseOrgBody(await readJsonBody(exchange, { optional: false }));
    const { access, clock } = services;
    const scope: Scope = { orgId: newId<OrgId>(clock), principalId: newId<PrincipalId>(clock) };
    const atMs = clock.now();
    const key = newApiKey(clock);
    const facts = { keyId: key.id, principalId: scope.principalId, name: ADMINISTRATOR, scope: allCapabilities };
    const first = { ...facts, mac: macOf(key, access.pepper), expiresAtMs: undefined, atMs };
    const outcome = await access.orgs.createOrg(
      caller,
      { ...scope, name, principalName: ADMINISTRATOR, atMs },
      { by: founderOf(scope, caller, services), key: first },
    );
    if (outcome === 'name_taken') throw new QuasarError('name_taken', { op });
    replyJson(exchange, 201, { ...scope, name, keyId: key.id, key: key.text.reveal() });
  },
);

/** Suspends, or lets in again. */
export const putOrg = route(
  'PUT',
  '/v1/orgs/{orgId}',
  onOrg('cluster.admin'),
  async (exchange, params, services: Services, caller) => {
    const orgId = orgIdOf(params);
    const { suspended } = parseOrgChange(await readJsonBody(exchange, { optional: false }));
    await suspendOrg(orgId, suspended, services, caller);
    exchange.reply(204, []);
  },
);

/** Suspends: nobody in it may do anything from then on, and everything is kept. */
export const deleteOrg = route(
  'DELETE',
  '/v1/orgs/{orgId}',
  onOrg('cluster.admin'),
  async (exchange, params, services: Services, caller) => {
    await suspendOrg(orgIdOf(params), true, services, caller);
    exchange.reply(204, []);
  },
);

async function suspendOrg(orgId: OrgId, suspended: boolean, services: Services, caller: Caller): Promise<void> {
  const op = 'org.suspend';
  if (orgId === services.access.operatorOrgId) throw new QuasarError('operator_org', { op });
  const outcome = await services.access.orgs.suspendOrg(caller, orgId, { suspended, atMs: services.clock.now() });
  if (outcome === 'org_missing') throw new QuasarError('org_not_found', { op });
  services.gate.changed({ orgId, kind: 'org' });
}

export function orgIdOf(params: Params): OrgId {
  return parseId<OrgId>(params.orgId as string, 'orgId');
}

/** Which only those of the operator's org can hold. */
async function operates(caller: Caller, { gate }: Services): Promise<boolean> {
  return hasCapability(await gate.capabilitiesOn(caller, WHOLE_ORG), 'cluster.admin');
}

/** The new administrator, in the log of the new org; that of both says who made the org, under the same request. */
function founderOf(scope: Scope, { requestId, address }: Caller, { clock }: Services): Actor {
  const principal = { kind: 'service_account', id: scope.principalId } as const;
  const context = { orgId: scope.orgId, principal, outcome: 'allowed', reason: 'role_allows', requestId, address } as const;
  return { ...scope, note: (deed) => makeNote(context, deed, clock) };
}

const ADMINISTRATOR = 'admin';
