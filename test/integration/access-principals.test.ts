import t from 'tap';
import type { GroupMember } from '../../src/access/group-store.ts';
import { capabilitiesOf } from '../../src/access/role.ts';
import { allCapabilities, noCapabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type GroupId, newId, type PrincipalId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { ALL, accessStores, NOW, newGroup, newPrincipal } from '../helpers/access-rows.ts';
import { actorIn } from '../helpers/actor.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const { principals, orgs, groups } = accessStores(pool);
const nobody = newId<PrincipalId>(systemClock);
const noGroup = newId<GroupId>(systemClock);

async function makeGroup(name: string): Promise<GroupId> {
  const group = newGroup(name);
  await groups.createGroup(scope, group);
  return group.groupId;
}

async function makePrincipal(name: string): Promise<PrincipalId> {
  const principal = newPrincipal(name);
  await principals.createPrincipal(scope, principal);
  return principal.principalId;
}

const asGroup = (id: GroupId): GroupMember => ({ kind: 'group', id });
const asPrincipal = (id: PrincipalId): GroupMember => ({ kind: 'principal', id });

t.test('the principal that acted for everybody is the service account of the administrator', async (t) => {
  const [local] = (await principals.listPrincipals(scope, ALL)).items;
  t.match(local, { principalId: scope.principalId, kind: 'service', name: 'local', roles: ['admin'] });
  t.equal(local?.subject, undefined);
  t.equal(local?.suspendedAtMs, undefined);
  const { orgId, principalId } = scope;
  const requester = { orgId, principalId, groups: new Set(), suspended: false, roleCapabilities: allCapabilities };
  t.strictSame(await principals.loadRequester(scope, principalId), { requester, kind: 'service', roles: ['admin'] });
});

t.test('a principal is found by the subject of its tokens', async (t) => {
  const made = newPrincipal('found', { roles: ['clerk'] });
  t.equal(await principals.createPrincipal(scope, made), 'created');
  const { atMs, ...rest } = made;
  const listed = (await principals.listPrincipals(scope, ALL)).items.find(({ name }) => name === 'found');
  t.strictSame(listed, { ...rest, createdAtMs: atMs, suspendedAtMs: undefined });
  t.strictSame(await principals.findPrincipal(scope.orgId, 'subject of found'), {
    principalId: made.principalId,
    suspended: false,
  });
  t.equal(await principals.findPrincipal(scope.orgId, 'Subject of found'), undefined);
});

t.test('names and subjects are given once', async (t) => {
  await principals.createPrincipal(scope, newPrincipal('once'));
  t.equal(await principals.createPrincipal(scope, newPrincipal('once', { subject: 'another' })), 'name_taken');
  t.equal(await principals.createPrincipal(scope, newPrincipal('again', { subject: 'subject of once' })), 'subject_taken');
  for (const name of ['no tokens', 'no tokens either']) {
    t.equal(await principals.createPrincipal(scope, newPrincipal(name, { subject: undefined })), 'created');
  }
});

t.test('pages of principals follow each other', async (t) => {
  const all = (await principals.listPrincipals(scope, ALL)).items;
  const first = await principals.listPrincipals(scope, { limit: 2, after: undefined });
  t.strictSame(first.items, all.slice(0, 2));
  const rest = await principals.listPrincipals(scope, { limit: 1000, after: first.next });
  t.strictSame(rest.items, all.slice(2));
  t.equal(rest.next, undefined);
});

t.test('roles give together, and can be taken away', async (t) => {
  const id = await makePrincipal('roles');
  t.equal((await principals.loadRequester(scope, id))?.requester.roleCapabilities, noCapabilities);
  t.equal(await principals.setRoles(scope, id, ['reader', 'auditor']), 'changed');
  t.equal(await principals.setRoles(scope, id, ['reader', 'auditor']), 'unchanged');
  t.equal((await principals.loadRequester(scope, id))?.requester.roleCapabilities, capabilitiesOf(['auditor', 'reader']));
  t.equal(await principals.setRoles(scope, id, []), 'changed');
  t.equal((await principals.loadRequester(scope, id))?.requester.roleCapabilities, noCapabilities);
  t.equal(await principals.setRoles(scope, nobody, []), 'principal_missing');
  await t.rejects(principals.setRoles(scope, id, ['root' as never]), { cause: { code: '23514' } });
});

t.test('a suspended principal is suspended until it is let in again', async (t) => {
  const id = await makePrincipal('suspended');
  const seen = async () => {
    const loaded = await principals.loadRequester(scope, id);
    const found = await principals.findPrincipal(scope.orgId, 'subject of suspended');
    return [loaded?.requester.suspended, found?.suspended];
  };
  const change = (suspended: boolean) => principals.suspendPrincipal(scope, id, { suspended, atMs: NOW });
  t.equal(await change(true), 'changed');
  t.equal(await change(true), 'unchanged');
  t.strictSame(await seen(), [true, true]);
  t.equal(await change(false), 'changed');
  t.strictSame(await seen(), [false, false]);
  t.equal(await principals.suspendPrincipal(scope, nobody, { suspended: true, atMs: NOW }), 'principal_missing');
});

t.test('a suspended org suspends everybody in it, and nobody else', async (t) => {
  const other = await makeOrg(admin, 'to be suspended');
  await principals.createPrincipal(other, newPrincipal('clerk'));
  const seen = async () => [
    (await principals.loadRequester(other, other.principalId))?.requester.suspended,
    (await principals.findPrincipal(other.orgId, 'subject of clerk'))?.suspended,
    (await principals.loadRequester(scope, scope.principalId))?.requester.suspended,
  ];
  t.equal(await orgs.suspendOrg(scope, other.orgId, { suspended: true, atMs: NOW }), 'changed');
  t.equal(await orgs.suspendOrg(scope, other.orgId, { suspended: true, atMs: NOW }), 'unchanged');
  t.strictSame(await seen(), [true, true, false]);
  t.equal(await orgs.suspendOrg(scope, other.orgId, { suspended: false, atMs: NOW }), 'changed');
  t.strictSame(await seen(), [false, false, false]);
});

t.test('a requester belongs to the groups around its groups, to each once', async (t) => {
  const id = await makePrincipal('member');
  const [a, b, c, top] = [await makeGroup('a'), await makeGroup('b'), await makeGroup('c'), await makeGroup('top')];
  await makeGroup('elsewhere');
  t.equal(await groups.addMember(scope, a, asPrincipal(id)), 'added');
  t.equal(await groups.addMember(scope, a, asPrincipal(id)), 'unchanged');
  for (const [within, group] of [
    [b, a],
    [c, a],
    [top, b],
    [top, c],
  ] as const) {
    t.equal(await groups.addMember(scope, within, asGroup(group)), 'added');
  }
  t.equal(await groups.addMember(scope, b, asGroup(a)), 'unchanged');
  t.strictSame((await principals.loadRequester(scope, id))?.requester.groups, new Set([a, b, c, top]));
  t.strictSame(new Set((await groups.listMembers(scope, top, ALL)).items), new Set([asGroup(b), asGroup(c)]));

  t.equal(await groups.removeMember(scope, top, b), 'removed');
  t.equal(await groups.removeMember(scope, top, b), 'unchanged');
  t.strictSame((await principals.loadRequester(scope, id))?.requester.groups, new Set([a, b, c, top]), 'by way of c');
  t.equal(await groups.deleteGroup(scope, c), 'deleted');
  t.equal(await groups.deleteGroup(scope, c), 'group_missing');
  t.strictSame((await principals.loadRequester(scope, id))?.requester.groups, new Set([a, b]));
  t.equal(await groups.removeMember(scope, a, id), 'removed');
  t.strictSame((await principals.loadRequester(scope, id))?.requester.groups, new Set());
});

t.test('whoever is not there belongs to nothing', async (t) => {
  const id = await makeGroup('lonely');
  t.equal(await principals.loadRequester(scope, nobody), undefined);
  t.equal(await groups.addMember(scope, id, asPrincipal(nobody)), 'member_missing');
  t.equal(await groups.addMember(scope, id, asGroup(noGroup)), 'member_missing');
  t.equal(await groups.addMember(scope, noGroup, asPrincipal(scope.principalId)), 'group_missing');
  t.equal(await groups.addMember(scope, noGroup, asGroup(id)), 'group_missing');
  t.equal(await groups.createGroup(scope, newGroup('lonely')), 'name_taken');
});

t.test('no group belongs to itself, whichever way round', async (t) => {
  const ring = [await makeGroup('ring 1'), await makeGroup('ring 2'), await makeGroup('ring 3')] as const;
  t.equal(await groups.addMember(scope, ring[0], asGroup(ring[0])), 'cycle');
  await groups.addMember(scope, ring[1], asGroup(ring[0]));
  await groups.addMember(scope, ring[2], asGroup(ring[1]));
  t.equal(await groups.addMember(scope, ring[0], asGroup(ring[2])), 'cycle');
  t.equal(await groups.addMember(scope, ring[0], asGroup(ring[1])), 'cycle');
});

t.test('two memberships that make a ring together are not both taken', async (t) => {
  for (let round = 0; round < 5; round++) {
    const [a, b] = [await makeGroup(`left ${round}`), await makeGroup(`right ${round}`)];
    const outcomes = await Promise.all([groups.addMember(scope, a, asGroup(b)), groups.addMember(scope, b, asGroup(a))]);
    t.strictSame(outcomes.sort(), ['added', 'cycle']);
  }
});

t.test('groups lie within each other no deeper than the limit, from whichever end they are joined', async (t) => {
  const line: GroupId[] = [];
  for (let index = 0; index < limits.groupDepthMax; index++) line.push(await makeGroup(`line ${index}`));
  for (let index = 1; index < line.length; index++) {
    t.equal(await groups.addMember(scope, line[index] as GroupId, asGroup(line[index - 1] as GroupId)), 'added');
  }
  const further = await makeGroup('further');
  t.equal(await groups.addMember(scope, further, asGroup(line.at(-1) as GroupId)), 'too_deep');
  t.equal(await groups.addMember(scope, line[0] as GroupId, asGroup(further)), 'too_deep');
  t.equal(await groups.addMember(scope, line[1] as GroupId, asGroup(further)), 'added');
});

t.test('an org has no more groups than the limit', async (t) => {
  const other = await makeOrg(admin, 'full of groups');
  await admin.query(
    `INSERT INTO core.principal_group (org_id, id, name, created_by, created_at)
     SELECT $1, gen_random_uuid(), n::text, $2, now() FROM generate_series(1, $3) AS n`,
    [other.orgId, other.principalId, limits.groupsMax],
  );
  t.equal(await groups.createGroup(other, newGroup('one more')), 'groups_full');
  t.equal(await groups.createGroup(scope, newGroup('one more')), 'created');
  const page = await groups.listGroups(other, { limit: 3, after: undefined });
  t.equal(page.items.length, 3);
  t.equal(page.next, page.items[2]?.groupId);
});

t.test('of administrators who suspend each other or take the role from each other at once, one stays', async (t) => {
  for (let round = 0; round < 10; round++) {
    const org = await makeOrg(admin, `left alone ${round}`);
    const [one, other] = [newPrincipal('one', { roles: ['admin'] }), newPrincipal('other', { roles: ['admin'] })];
    for (const principal of [one, other]) await principals.createPrincipal(org, principal);
    for (const { principalId } of (await principals.listPrincipals(org, ALL)).items) {
      if (principalId === one.principalId || principalId === other.principalId) continue;
      await principals.setRoles(org, principalId, []);
    }
    const suspend = { suspended: true, atMs: NOW };
    const [byOne, byOther] = [actorIn({ ...org, ...one }), actorIn({ ...org, ...other })];
    const outcomes = await Promise.all([
      principals.suspendPrincipal(byOther, one.principalId, suspend),
      round % 2 === 0
        ? principals.suspendPrincipal(byOne, other.principalId, suspend)
        : principals.setRoles(byOne, other.principalId, ['clerk']),
    ]);
    t.strictSame([...outcomes].sort(), ['changed', 'last_administrator']);
  }
});

t.test('the last administrator can be given more, and let in again', async (t) => {
  const org = await makeOrg(admin, 'one administrator');
  const only = newPrincipal('only', { roles: ['admin'] });
  await principals.createPrincipal(org, only);
  for (const { principalId, roles } of (await principals.listPrincipals(org, ALL)).items) {
    if (principalId !== only.principalId && roles.length > 0) await principals.setRoles(org, principalId, []);
  }
  t.equal(await principals.setRoles(org, only.principalId, ['reader']), 'last_administrator');
  t.equal(await principals.setRoles(org, only.principalId, ['admin', 'auditor']), 'changed');
  t.equal(await principals.suspendPrincipal(org, only.principalId, { suspended: false, atMs: NOW }), 'unchanged');
});
