import type { AddOutcome, GroupMember } from '../../access/group-store.ts';
import { QuasarError } from '../../core/errors.ts';
import { type GroupId, newId, parseId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Caller } from '../caller.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onOrg } from '../route-access.ts';
import { type Params, route } from '../router.ts';
import { parseGroupBody, parseMemberBody } from './access-bodies.ts';
import { groupView } from './access-views.ts';
import { pageOf } from './request-bodies.ts';
import type { Services } from './services.ts';

const MEMBER = '/v1/groups/{groupId}/members/{memberId}';
const administer = onOrg('acl.admin');

export const listGroups = route('GET', '/v1/groups', administer, async (exchange, _params, services: Services, caller) => {
  const purpose = `groups:${caller.orgId}`;
  const { limit, after } = pageOf(exchange, services.cursors, purpose);
  const page = await services.access.groups.listGroups(caller, { limit, after });
  replyJson(exchange, 200, {
    items: page.items.map(groupView),
    nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
  });
});

export const postGroup = route('POST', '/v1/groups', administer, async (exchange, _params, services: Services, caller) => {
  const op = 'group.create';
  const { name } = parseGroupBody(await readJsonBody(exchange, { optional: false }));
  const groupId = newId<GroupId>(services.clock);
  const atMs = services.clock.now();
  const outcome = await services.access.groups.createGroup(caller, { groupId, name, atMs });
  if (outcome === 'name_taken') throw new QuasarError('name_taken', { op });
  if (outcome === 'groups_full') throw new QuasarError('too_many_groups', { op, details: { countMax: limits.groupsMax } });
  replyJson(exchange, 201, groupView({ groupId, name, createdAtMs: atMs }));
});

export const deleteGroup = route(
  'DELETE',
  '/v1/groups/{groupId}',
  administer,
  async (exchange, params, services: Services, caller) => {
    const outcome = await services.access.groups.deleteGroup(caller, groupIdOf(params));
    if (outcome === 'group_missing') throw new QuasarError('group_not_found', { op: 'group.delete' });
    services.gate.changed({ orgId: caller.orgId, kind: 'group' });
    exchange.reply(204, []);
  },
);

export const listMembers = route(
  'GET',
  '/v1/groups/{groupId}/members',
  administer,
  async (exchange, params, services: Services, caller) => {
    const groupId = groupIdOf(params);
    const purpose = `members:${groupId}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    await requireGroup(groupId, services, caller);
    const page = await services.access.groups.listMembers(caller, groupId, { limit, after });
    replyJson(exchange, 200, {
      items: page.items,
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  },
);

export const putMember = route('PUT', MEMBER, administer, async (exchange, params, services: Services, caller) => {
  const groupId = groupIdOf(params);
  const id = memberIdOf(params);
  const kind = parseMemberBody(await readJsonBody(exchange, { optional: true }));
  const outcome = await services.access.groups.addMember(caller, groupId, { kind, id } as GroupMember);
  refuseUnadded(outcome, kind);
  services.gate.changed({ orgId: caller.orgId, kind: 'group' });
  replyJson(exchange, 200, { groupId, kind, id, added: outcome === 'added' });
});

/** That it is no member already is no failure. */
export const deleteMember = route('DELETE', MEMBER, administer, async (exchange, params, services: Services, caller) => {
  const groupId = groupIdOf(params);
  const outcome = await services.access.groups.removeMember(caller, groupId, memberIdOf(params));
  if (outcome === 'unchanged') await requireGroup(groupId, services, caller);
  services.gate.changed({ orgId: caller.orgId, kind: 'group' });
  exchange.reply(204, []);
});

function refuseUnadded(outcome: AddOutcome, kind: GroupMember['kind']): asserts outcome is 'added' | 'unchanged' {
  const op = 'group.add';
  switch (outcome) {
    case 'group_missing':
      throw new QuasarError('group_not_found', { op });
    case 'member_missing':
      throw new QuasarError(kind === 'group' ? 'group_not_found' : 'principal_not_found', { op });
    case 'cycle':
      throw new QuasarError('nested_in_itself', { op });
    case 'too_deep':
      throw new QuasarError('nested_too_deep', { op, details: { depthMax: limits.groupDepthMax } });
    case 'last_administrator':
    case 'stands_above':
      throw new QuasarError(outcome, { op });
    case 'added':
    case 'unchanged':
  }
}

async function requireGroup(groupId: GroupId, services: Services, caller: Caller): Promise<void> {
  const group = await services.access.directory.findGroup(caller, groupId);
  if (group === undefined) throw new QuasarError('group_not_found', { op: 'group.find' });
}

function groupIdOf(params: Params): GroupId {
  return parseId<GroupId>(params.groupId as string, 'groupId');
}

function memberIdOf(params: Params): GroupMember['id'] {
  return parseId<GroupMember['id']>(params.memberId as string, 'memberId');
}
