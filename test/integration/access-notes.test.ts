import t from 'tap';
import { ADMIN_KEY_FILE, ensureAdminKey } from '../../src/access/admin-key.ts';
import { type AuditEvent, decodeEvent } from '../../src/audit/event.ts';
import { systemActor } from '../../src/audit/system-actor.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { Secret } from '../../src/config/secret.ts';
import type { AuditAction, AuditResourceKind } from '../../src/core/audit-action.ts';
import { allCapabilities, capabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type FolderId, type GroupId, type KeyId, newId, type PrincipalId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { ALL, accessStores, NOW, newFolder, newGroup, newKey, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, admin, scope: by } = await openTestDatabase(t);
const { principals, groups, folders, rules, keys, revocations } = accessStores(pool);
const committer = new PostgresVersionCommitter({ pool, catalog: new PostgresCatalog(pool), clock: systemClock });
const { documentId, ...rest } = versionWish();
await committer.commit(by, { documentId, ...rest });
/** As long as a name may be, of characters that take the most bytes. */
const LONGEST = '\u0001'.repeat(200);

/** What is stored about one change; all of it reads as events of the org, by who made it. */
async function eventsOf(change: () => Promise<unknown>): Promise<AuditEvent[]> {
  const read = async () => {
    const text = 'SELECT bytes FROM audit.event WHERE org_id = $1 ORDER BY xid, seq';
    return (await admin.query<{ bytes: Buffer }>(text, [by.orgId])).rows;
  };
  const before = (await read()).length;
  await change();
  return (await read()).slice(before).map(({ bytes }) => {
    const event = decodeEvent(bytes);
    if (!('action' in event)) throw event;
    t.match(event, { orgId: by.orgId, principal: { id: by.principalId }, outcome: 'allowed' });
    return event;
  });
}

type Asserts = Pick<typeof t, 'strictSame'>;

interface Expected {
  readonly action: AuditAction;
  readonly on: readonly [kind: AuditResourceKind, id: string];
  readonly detail?: Readonly<Record<string, unknown>>;
}

async function notedOnce(test: Asserts, change: () => Promise<unknown>, { action, on: [kind, id], detail = {} }: Expected) {
  const events = await eventsOf(change);
  test.strictSame(
    events.map(({ action, resource, detail }) => ({ action, resource, detail })),
    [{ action, resource: { kind, id }, detail }],
  );
}

async function notNoted(test: Asserts, ...changes: (() => Promise<unknown>)[]): Promise<void> {
  for (const change of changes) test.strictSame(await eventsOf(change), [], String(change));
}

t.test('changes of principals', async (t) => {
  const longest = { name: LONGEST, subject: '\u{1f4dc}'.repeat(255), roles: ['clerk', 'reader'] } as const;
  const made = newPrincipal('', longest);
  const { principalId } = made;
  const on = ['principal', principalId] as const;
  await notedOnce(t, () => principals.createPrincipal(by, made), {
    ...{ action: 'principal.create', on, detail: { kind: 'user', ...longest } },
  });
  const suspend = (suspended: boolean) => () => principals.suspendPrincipal(by, principalId, { suspended, atMs: NOW });
  await notedOnce(t, suspend(true), { action: 'principal.suspend', on });
  await notNoted(t, suspend(true));
  await notedOnce(t, suspend(false), { action: 'principal.resume', on });
  const setRoles = () => principals.setRoles(by, principalId, ['auditor']);
  await notedOnce(t, setRoles, { action: 'principal.change', on, detail: { roles: ['auditor'] } });
  const nobody = newId<PrincipalId>(systemClock);
  await notNoted(
    t,
    setRoles,
    suspend(false),
    () => principals.createPrincipal(by, { ...newPrincipal(LONGEST), subject: undefined }),
    () => principals.createPrincipal(by, newPrincipal('other', { subject: longest.subject })),
    () => principals.setRoles(by, nobody, []),
    () => principals.suspendPrincipal(by, nobody, { suspended: true, atMs: NOW }),
  );
});

t.test('roles and a suspension that are asked for together are changed together, or not at all', async (t) => {
  const made = newPrincipal('both', { roles: ['clerk'] });
  const { principalId } = made;
  await principals.createPrincipal(by, made);
  const rolesOf = async (id: PrincipalId) => (await principals.loadRequester(by, id))?.roles;
  const both = () => principals.changePrincipal(by, principalId, { roles: ['reader'], suspended: true, atMs: NOW });
  const actions = async (change: () => Promise<unknown>) => (await eventsOf(change)).map(({ action }) => action);
  t.strictSame(await actions(both), ['principal.change', 'principal.suspend']);
  t.equal(await both(), 'unchanged');
  const roleAlone = () => principals.changePrincipal(by, principalId, { roles: ['auditor'], suspended: true, atMs: NOW });
  t.strictSame(await actions(roleAlone), ['principal.change']);

  const before = await rolesOf(by.principalId);
  const refused = () => principals.changePrincipal(by, by.principalId, { roles: ['admin', 'clerk'], suspended: true, atMs: NOW });
  await notNoted(t, refused);
  t.equal(await refused(), 'last_administrator');
  t.strictSame(await rolesOf(by.principalId), before, 'the roles alone would have been taken');
});

t.test('changes of groups', async (t) => {
  const [clerks, court] = [newGroup(LONGEST), newGroup('court')];
  const { groupId } = clerks;
  await groups.createGroup(by, court);
  const on = ['group', groupId] as const;
  await notedOnce(t, () => groups.createGroup(by, clerks), { action: 'group.create', on, detail: { name: LONGEST } });
  const [person, nested] = [
    { kind: 'principal', id: by.principalId },
    { kind: 'group', id: court.groupId },
  ] as const;
  for (const { kind, id } of [person, nested]) {
    const add = () => groups.addMember(by, groupId, { kind, id } as typeof person);
    await notedOnce(t, add, { action: 'group.add', on, detail: { kind, memberId: id } });
    await notNoted(t, add);
  }
  await notNoted(t, () => groups.addMember(by, court.groupId, { kind: 'group', id: groupId }));
  for (const { id } of [person, nested]) {
    const remove = () => groups.removeMember(by, groupId, id);
    await notedOnce(t, remove, { action: 'group.remove', on, detail: { memberId: id } });
    await notNoted(t, remove);
  }
  await notedOnce(t, () => groups.deleteGroup(by, groupId), { action: 'group.delete', on });
  await notNoted(
    t,
    () => groups.deleteGroup(by, groupId),
    () => groups.createGroup(by, newGroup('court')),
    () => groups.addMember(by, newId<GroupId>(systemClock), person),
  );
});

t.test('changes of folders, and documents that move', async (t) => {
  const outer = newFolder();
  const inner = newFolder({ parentId: outer.folderId, name: LONGEST, caseNumber: LONGEST });
  await folders.createFolder(by, outer);
  const on = ['folder', inner.folderId] as const;
  await notedOnce(t, () => folders.createFolder(by, inner), {
    ...{ action: 'folder.create', on, detail: { name: LONGEST, caseNumber: LONGEST, parentId: outer.folderId } },
  });
  const move = () => folders.moveFolder(by, inner.folderId, undefined);
  await notedOnce(t, move, { action: 'folder.move', on, detail: { parentId: null } });
  const place = (folderId: FolderId | undefined) => () => folders.placeDocument(by, documentId, folderId);
  const placed = { action: 'document.move', on: ['document', documentId] } as const;
  await notedOnce(t, place(inner.folderId), { ...placed, detail: { folderId: inner.folderId } });
  const noFolder = newId<FolderId>(systemClock);
  await notNoted(
    t,
    move,
    place(inner.folderId),
    place(noFolder),
    () => folders.createFolder(by, newFolder({ parentId: noFolder })),
    () => folders.moveFolder(by, inner.folderId, noFolder),
    () => folders.deleteFolder(by, inner.folderId),
    () => folders.deleteFolder(by, noFolder),
  );
  await notedOnce(t, place(undefined), { ...placed, detail: { folderId: null } });
  await notedOnce(t, () => folders.deleteFolder(by, inner.folderId), { action: 'folder.delete', on });
});

t.test('rules, of every place', async (t) => {
  const folder = newFolder();
  await folders.createFolder(by, folder);
  const { folderId } = folder;
  const things = [
    [{ kind: 'document', documentId }, documentId],
    [{ kind: 'folder', folderId }, folderId],
    [{ kind: 'org' }, by.orgId],
  ] as const;
  for (const [thing, id] of things) {
    const rule = newRule('deny', ['blob.read', 'doc.write'], by.principalId);
    const replace = () => rules.replaceRules(by, thing, { rules: [rule], expectedVersion: 0, atMs: NOW });
    const noted = { id: rule.id, effect: 'deny', actions: ['blob.read', 'doc.write'], principals: [by.principalId] };
    const detail = { version: 1, count: 1, rules: [noted] };
    await notedOnce(t, replace, { action: 'acl.set', on: [thing.kind, id], detail });
    const stranger = newRule('allow', ['doc.read'], newId<PrincipalId>(systemClock));
    await notNoted(t, replace, () => rules.replaceRules(by, thing, { rules: [stranger], expectedVersion: 1, atMs: NOW }));
  }
});

t.test('rules that are too many for an event are counted', async (t) => {
  const rule = newRule('allow', capabilities, by.principalId);
  const wish = { rules: Array.from({ length: 256 }, () => rule), expectedVersion: 1, atMs: NOW };
  await notedOnce(t, () => rules.replaceRules(by, { kind: 'document', documentId }, wish), {
    ...{ action: 'acl.set', on: ['document', documentId], detail: { version: 2, count: 256 } },
  });
});

t.test('keys and tokens, never what a key is checked with', async (t) => {
  const key = newKey(by.principalId, { name: LONGEST, scope: allCapabilities, expiresAtMs: NOW });
  const { keyId, principalId } = key;
  const on = ['key', keyId] as const;
  const detail = { principalId, name: LONGEST, scope: capabilities, expiresAt: '2030-01-02T00:00:00.000Z' };
  await notedOnce(t, () => keys.createKey(by, key), { action: 'key.create', on, detail });
  const revoke = () => keys.revokeKey(by, keyId, NOW);
  await notedOnce(t, revoke, { action: 'key.revoke', on });
  const token = { jti: '\u{1f4dc}'.repeat(255), untilMs: NOW, atMs: NOW - 1 };
  const revokeToken = () => revocations.revokeToken(by, token);
  await notedOnce(t, revokeToken, {
    ...{ action: 'token.revoke', on: ['token', token.jti], detail: { until: '2030-01-02T00:00:00.000Z' } },
  });
  await notNoted(
    t,
    revoke,
    revokeToken,
    () => keys.noteUse(by.orgId, keyId, NOW),
    () => keys.revokeKey(by, newId<KeyId>(systemClock), NOW),
    () => keys.createKey(by, newKey(newId<PrincipalId>(systemClock))),
  );
});

t.test("the administrator's key is noted as the system's, once", async (t) => {
  const directory = temporaryFolder(t);
  const options = { directory, pepper: new Secret('pepper'), keys, clock: systemClock, log: silentLog };
  for (let start = 0; start < 2; start++) await ensureAdminKey({ ...options, by: systemActor(by, 'up', systemClock) });
  const made = (await keys.listKeys(by, by.principalId, ALL)).items.filter(({ name }) => name === ADMIN_KEY_FILE);
  t.equal(made.length, 1);
  const keyId = made[0]?.keyId;
  const text = "SELECT bytes FROM audit.event WHERE org_id = $1 AND convert_from(bytes, 'UTF8') LIKE $2";
  const { rows } = await admin.query<{ bytes: Buffer }>(text, [by.orgId, `%${keyId}%`]);
  t.equal(rows.length, 1);
  const system = { kind: 'system', id: 'up' };
  const resource = { kind: 'key', id: keyId };
  t.match(decodeEvent(rows[0]?.bytes as Buffer), { action: 'key.create', principal: system, resource });
});
