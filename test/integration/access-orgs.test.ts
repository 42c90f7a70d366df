import t from 'tap';
import type { FirstKey, NewOrg } from '../../src/access/org-store.ts';
import { type AuditEvent, decodeEvent } from '../../src/audit/event.ts';
import { allCapabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type KeyId, newId, type OrgId, type PrincipalId } from '../../src/core/ids.ts';
import { withTransaction } from '../../src/database/transaction.ts';
import { ALL, accessStores, NOW } from '../helpers/access-rows.ts';
import { actorIn } from '../helpers/actor.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const { orgs, principals, keys } = accessStores(pool);

function newOrg(name: string): NewOrg {
  const [orgId, principalId] = [newId<OrgId>(systemClock), newId<PrincipalId>(systemClock)];
  return { orgId, name, principalId, principalName: 'administrator', atMs: NOW };
}

async function eventsOf(orgId: OrgId): Promise<AuditEvent[]> {
  const text = 'SELECT bytes FROM audit.event WHERE org_id = $1 ORDER BY xid, seq';
  const { rows } = await admin.query<{ bytes: Buffer }>(text, [orgId]);
  return rows.map(({ bytes }) => decodeEvent(bytes) as AuditEvent);
}

t.test('an org is made with its administrator, and noted in both logs', async (t) => {
  const org = newOrg('Northern District');
  const before = (await eventsOf(scope.orgId)).length;
  t.equal(await orgs.createOrg(scope, org), 'created');
  const { orgId, principalId } = org;
  const listed = (await orgs.listOrgs(ALL)).items.find((one) => one.orgId === orgId);
  t.strictSame(listed, { orgId, name: org.name, createdAtMs: NOW, suspendedAtMs: undefined });
  t.match((await principals.listPrincipals({ orgId, principalId }, ALL)).items, [
    { principalId, kind: 'service', name: 'administrator', roles: ['admin'], createdAtMs: NOW },
  ]);
  const [ours, theirs] = [(await eventsOf(scope.orgId)).slice(before), await eventsOf(orgId)];
  const noted = { action: 'org.create', resource: { kind: 'org', id: orgId }, detail: { name: org.name, principalId } };
  t.match(ours, [{ ...noted, orgId: scope.orgId }]);
  t.match(theirs, [{ ...noted, orgId, principal: { id: scope.principalId } }]);
  t.not(ours[0]?.eventId, theirs[0]?.eventId);
});

t.test('an org comes with the first key of its administrator, or not at all', async (t) => {
  const firstKeyOf = ({ orgId, principalId }: NewOrg, forWhom = principalId): FirstKey => {
    const facts = { principalId: forWhom, name: 'first', scope: allCapabilities, expiresAtMs: undefined, atMs: NOW };
    return { by: actorIn({ orgId, principalId }), key: { ...facts, keyId: newId<KeyId>(systemClock), mac: new Uint8Array(32) } };
  };
  const org = newOrg('Central District');
  await t.rejects(orgs.createOrg(scope, org, firstKeyOf(org, scope.principalId)));
  t.strictSame(await eventsOf(org.orgId), []);
  const first = firstKeyOf(org);
  t.equal(await orgs.createOrg(scope, org, first), 'created', 'its name is free still');
  t.match((await keys.listKeys(org, undefined, ALL)).items, [{ keyId: first.key.keyId, principalId: org.principalId }]);
  t.match(
    (await eventsOf(org.orgId)).map(({ action }) => action),
    ['org.create', 'key.create'],
  );
});

t.test('the name of an org is its own, and a refused one leaves nothing', async (t) => {
  const [first, second] = [newOrg('Southern District'), newOrg('Southern District')];
  await orgs.createOrg(scope, first);
  const before = (await eventsOf(scope.orgId)).length;
  t.equal(await orgs.createOrg(scope, second), 'name_taken');
  t.equal(await orgs.createOrg(scope, newOrg('local')), 'name_taken');
  t.equal((await eventsOf(scope.orgId)).length, before);
  t.strictSame(await eventsOf(second.orgId), []);
  t.strictSame((await principals.listPrincipals(second, ALL)).items, []);
});

t.test('of many that take one name at once, one does', async (t) => {
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => orgs.createOrg(scope, newOrg('Eastern District'))));
  t.strictSame(outcomes.sort(), ['created', 'name_taken', 'name_taken', 'name_taken']);
});

t.test('orgs are listed by id, page by page', async (t) => {
  const all = (await orgs.listOrgs(ALL)).items.map(({ orgId }) => orgId);
  t.strictSame(all, all.toSorted());
  t.ok(all.includes(scope.orgId));
  const first = await orgs.listOrgs({ limit: 2, after: undefined });
  const rest = await orgs.listOrgs({ limit: 1000, after: first.next });
  t.strictSame(
    [...first.items, ...rest.items].map(({ orgId }) => orgId),
    all,
  );
  t.equal(rest.next, undefined);
});

t.test('a suspension and its end are noted in both logs, once each', async (t) => {
  const { orgId, ...rest } = newOrg('Western District');
  await orgs.createOrg(scope, { orgId, ...rest });
  const before = (await eventsOf(scope.orgId)).length;
  const suspend = (suspended: boolean) => orgs.suspendOrg(scope, orgId, { suspended, atMs: NOW + 1 });
  t.equal(await suspend(false), 'unchanged');
  t.equal(await suspend(true), 'changed');
  t.equal(await suspend(true), 'unchanged');
  t.equal((await orgs.listOrgs(ALL)).items.find((one) => one.orgId === orgId)?.suspendedAtMs, NOW + 1);
  t.equal(await suspend(false), 'changed');
  const resource = { kind: 'org', id: orgId };
  const noted = [
    { action: 'org.delete', resource },
    { action: 'org.resume', resource },
  ];
  t.match((await eventsOf(scope.orgId)).slice(before), noted);
  t.match((await eventsOf(orgId)).slice(1), noted);
});

t.test('an org that is not there is missing', async (t) => {
  const before = (await eventsOf(scope.orgId)).length;
  const { orgId } = newOrg('nowhere');
  t.equal(await orgs.suspendOrg(scope, orgId, { suspended: true, atMs: NOW }), 'org_missing');
  t.equal((await eventsOf(scope.orgId)).length, before);
});

t.test('an org is made with its function alone', async (t) => {
  const { orgId, principalId } = newOrg('by hand');
  const insert = "INSERT INTO core.org (id, name) VALUES ($1, 'by hand')";
  await t.rejects(
    withTransaction(pool, { orgId, principalId }, ({ query }) => query(insert, [orgId])),
    { cause: { code: '42501' } },
  );
});
