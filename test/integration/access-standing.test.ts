import t from 'tap';
import { undoing } from '../../src/access/decide.ts';
import type { GroupMember } from '../../src/access/group-store.ts';
import type { Role } from '../../src/access/role.ts';
import type { AccessRule, SubjectId } from '../../src/access/rule.ts';
import type { RuledThing, RulesOutcome } from '../../src/access/rule-store.ts';
import type { Actor } from '../../src/core/actor.ts';
import { type Capability, capabilities } from '../../src/core/capability.ts';
import type { FolderId, GroupId, PrincipalId } from '../../src/core/ids.ts';
import { accessStores, NOW, newFolder, newGroup, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { actorIn } from '../helpers/actor.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';

/** Who may shut out whom, as the database judges it: also of two changes at once. */

const { pool, admin: superuser } = await openTestDatabase(t);
const { principals, groups, folders, rules } = accessStores(pool);
const ORG: RuledThing = { kind: 'org' };
let count = 0;

interface Org {
  readonly first: Actor;
  person(...roles: Role[]): Promise<Actor>;
  group(...members: SubjectId[]): Promise<GroupId>;
  folder(parentId?: FolderId): Promise<FolderId>;
}

/** With one administrator. */
async function newOrg(): Promise<Org> {
  const first = await makeOrg(superuser, `standing ${count++}`);
  const person = async (...roles: Role[]) => {
    const made = newPrincipal(`person ${count++}`, { roles });
    await principals.createPrincipal(first, made);
    return actorIn({ orgId: first.orgId, principalId: made.principalId });
  };
  const group = async (...members: SubjectId[]) => {
    const made = newGroup(`group ${count++}`);
    await groups.createGroup(first, made);
    for (const id of members) await groups.addMember(first, made.groupId, { kind: 'principal', id } as GroupMember);
    return made.groupId;
  };
  const folder = async (parentId?: FolderId) => {
    const made = newFolder({ parentId });
    await folders.createFolder(first, made);
    return made.folderId;
  };
  await principals.setRoles(first, first.principalId, ['admin']);
  return { first, person, group, folder };
}

async function setRules(by: Actor, thing: RuledThing, ...wanted: AccessRule[]): Promise<RulesOutcome['kind']> {
  const expectedVersion = (await rules.findRules(by, thing))?.version ?? 0;
  return (await rules.replaceRules(by, thing, { rules: wanted, expectedVersion, atMs: NOW })).kind;
}

const at = (folderId: FolderId): RuledThing => ({ kind: 'folder', folderId });
const asPrincipal = ({ principalId }: Actor): GroupMember => ({ kind: 'principal', id: principalId });
const asGroup = (id: GroupId): GroupMember => ({ kind: 'group', id });

t.test('what administrators keep is what decisions leave them', async (t) => {
  const { rows } = await superuser.query<{ bits: number }>('SELECT core.undoing() AS bits');
  t.equal(rows[0]?.bits, undoing);
});

for (const action of ['doc.read', 'acl.admin'] as const) {
  t.test(`the last administrator denies ${action} in the org neither to himself nor to a group around him`, async (t) => {
    const { first, group } = await newOrg();
    t.equal(await setRules(first, ORG, newRule('deny', [action], first.principalId)), 'last_administrator');
    const inner = await group(first.principalId);
    const outer = await group();
    await groups.addMember(first, outer, asGroup(inner));
    t.equal(await setRules(first, ORG, newRule('deny', [action], outer)), 'last_administrator');
    t.strictSame((await rules.findRules(first, ORG))?.rules, [], 'nothing was written');
    t.equal(await setRules(first, ORG, newRule('deny', ['blob.read', 'key.admin'], outer)), 'replaced', 'what can be undone');
  });
}

t.test('a further administrator whom the rules leave alone is enough, and cannot go any more then', async (t) => {
  const { first, person, group } = await newOrg();
  const second = await person('admin');
  t.equal(await setRules(first, ORG, newRule('deny', ['acl.admin'], first.principalId)), 'replaced');
  t.equal(await principals.suspendPrincipal(first, second.principalId, { suspended: true, atMs: NOW }), 'last_administrator');
  t.equal(await principals.setRoles(first, second.principalId, ['reader']), 'last_administrator');
  const denied = await group();
  t.equal(
    await setRules(second, ORG, newRule('deny', ['acl.admin'], first.principalId), newRule('deny', ['doc.read'], denied)),
    'replaced',
  );
  t.equal(await groups.addMember(second, denied, asPrincipal(second)), 'last_administrator');
  const around = await group(second.principalId);
  t.equal(await groups.addMember(second, denied, asGroup(around)), 'last_administrator');
  t.strictSame((await groups.listMembers(first, denied, { limit: 9, after: undefined })).items, [], 'nobody was added');
  t.equal(await setRules(second, ORG), 'replaced');
  t.equal(await groups.addMember(second, denied, asPrincipal(second)), 'added');
});

t.test('of two administrators who deny each other at once, or by rule and membership, one is too late', async (t) => {
  const { first, person, group } = await newOrg();
  const second = await person('admin');
  const denied = await group();
  for (let round = 0; round < 3; round++) {
    t.equal(await setRules(first, ORG, newRule('deny', ['acl.admin'], denied)), 'replaced');
    const outcomes = await Promise.all([
      groups.addMember(first, denied, asPrincipal(second)),
      groups.addMember(second, denied, asPrincipal(first)),
    ]);
    t.strictSame([...outcomes].sort(), ['added', 'last_administrator']);
    for (const one of [first, second]) await groups.removeMember(first, denied, one.principalId);

    const expectedVersion = (await rules.findRules(first, ORG))?.version ?? 0;
    const mixed = await Promise.all([
      groups.addMember(first, denied, asPrincipal(second)),
      rules
        .replaceRules(second, ORG, {
          rules: [newRule('deny', ['acl.admin'], denied), newRule('deny', ['acl.admin'], first.principalId)],
          expectedVersion,
          atMs: NOW,
        })
        .then(({ kind }) => kind),
    ]);
    t.equal(mixed.filter((outcome) => outcome === 'last_administrator').length, 1, mixed.join());
    await setRules(first, ORG);
    await setRules(second, ORG);
    await groups.removeMember(first, denied, second.principalId);
  }
});

t.test('somebody who is no administrator denies nothing to one, by whatever way', async (t) => {
  const { first, person, group, folder } = await newOrg();
  const delegate = await person('clerk');
  const second = await person('admin');
  const folderId = await folder();
  const delegation = newRule('allow', capabilities, delegate.principalId);
  t.equal(await setRules(first, ORG, delegation), 'replaced');
  const withAdmin = await group(second.principalId);
  const around = await group();
  await groups.addMember(first, around, asGroup(withAdmin));
  for (const action of capabilities) {
    for (const subject of [first.principalId, withAdmin, around]) {
      const denial = newRule('deny', [action], subject);
      t.equal(await setRules(delegate, ORG, delegation, denial), 'stands_above', action);
      t.equal(await setRules(delegate, at(folderId), denial), 'stands_above', action);
    }
  }
  t.equal(await principals.suspendPrincipal(delegate, second.principalId, { suspended: true, atMs: NOW }), 'stands_above');
  t.equal(await principals.setRoles(delegate, second.principalId, ['reader']), 'stands_above');

  const denied = await group();
  t.equal(await setRules(delegate, at(folderId), newRule('deny', ['blob.read'], denied)), 'replaced', 'of nobody above');
  t.equal(await groups.addMember(delegate, denied, asPrincipal(first)), 'stands_above');
  t.equal(await groups.addMember(delegate, denied, asGroup(around)), 'stands_above');
  t.equal(await groups.addMember(first, denied, asPrincipal(second)), 'added', 'but an administrator may');
  t.equal(await setRules(delegate, at(folderId), newRule('deny', ['blob.read'], denied)), 'replaced', 'what held before stays');
  const other = await person('clerk');
  t.equal(await groups.addMember(delegate, denied, asPrincipal(other)), 'added');
  t.equal(await setRules(delegate, ORG, delegation, newRule('deny', ['blob.read'], other.principalId)), 'replaced');
});

t.test(
  'nobody hides a folder from an administrator, nor takes its rules from him; other things administrators may deny',
  async (t) => {
    const { first, person, group, folder } = await newOrg();
    const second = await person('admin');
    const both = await group(first.principalId, second.principalId);
    const folderId = await folder();
    for (const subject of [first.principalId, second.principalId, both]) {
      for (const action of ['doc.read', 'acl.admin'] as const) {
        t.equal(await setRules(first, at(folderId), newRule('deny', [action], subject)), 'stands_above');
      }
      t.equal(await setRules(first, at(folderId), newRule('deny', ['blob.read', 'doc.write'], subject)), 'replaced');
    }
  },
);

t.test('a delegate of an inner folder denies nothing to one of an outer folder; the other way round it works', async (t) => {
  const { first, person, group, folder } = await newOrg();
  const [above, below, reader] = [await person(), await person(), await person('reader')];
  const team = await group(above.principalId);
  const outer = await folder();
  const inner = await folder(outer);
  const innermost = await folder(inner);
  const manage: readonly Capability[] = ['doc.read', 'acl.admin'];
  const ofTeam = newRule('allow', manage, team);
  const ofBelow = newRule('allow', manage, below.principalId);
  t.equal(await setRules(first, at(outer), ofTeam), 'replaced');
  t.equal(await setRules(first, at(inner), ofBelow), 'replaced');
  for (const place of [inner, innermost]) {
    for (const subject of [above.principalId, team]) {
      const own = place === inner ? [ofBelow] : [];
      t.equal(await setRules(below, at(place), ...own, newRule('deny', ['doc.read'], subject)), 'stands_above');
    }
  }
  t.equal(
    await setRules(below, at(innermost), newRule('deny', ['doc.read'], reader.principalId)),
    'replaced',
    'a role is no rank',
  );
  // Whoever gives himself more within does not stand farther out by it.
  const raised = newRule('allow', manage, below.principalId);
  t.equal(await setRules(below, at(innermost), raised, newRule('deny', ['doc.read'], team)), 'stands_above');
  t.equal(await setRules(above, at(inner), newRule('deny', manage, below.principalId)), 'replaced');
});

t.test('in an org that is locked out already, whoever may still change something is not kept from mending it', async (t) => {
  const { first, person, group } = await newOrg();
  const delegate = await person();
  const denied = await group();
  const delegation = newRule('allow', ['doc.read', 'acl.admin'], delegate.principalId);
  t.equal(await setRules(first, ORG, delegation, newRule('deny', ['acl.admin'], denied)), 'replaced');
  await superuser.query('INSERT INTO core.group_member (org_id, principal_id, group_id) VALUES ($1, $2, $3)', [
    first.orgId,
    first.principalId,
    denied,
  ]);
  t.equal(await setRules(delegate, ORG, delegation, newRule('deny', ['acl.admin', 'blob.read'], denied)), 'stands_above');
  t.equal(await setRules(delegate, ORG, delegation), 'replaced');
});

t.test('roles that no change touches are free', async (t) => {
  const { first, person } = await newOrg();
  const second = await person('admin');
  t.equal(await principals.setRoles(first, second.principalId, ['clerk']), 'changed');
  t.equal(await principals.setRoles(first, first.principalId, ['clerk', 'admin']), 'changed');
  t.equal(await principals.setRoles(first, first.principalId, ['clerk']), 'last_administrator');
  t.equal(await principals.suspendPrincipal(first, second.principalId as PrincipalId, { suspended: true, atMs: NOW }), 'changed');
});
