import { once } from 'node:events';
import pg from 'pg';
import t from 'tap';
import { ACCESS_CHANNEL, accessChangeKinds, documentClassOf, parseAccessChange } from '../../src/access/access-change.ts';
import { AccessEpochs } from '../../src/access/access-epochs.ts';
import { AccessLists } from '../../src/access/access-lists.ts';
import type { RuledThing, RuleStore } from '../../src/access/rule-store.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { withTransaction } from '../../src/database/transaction.ts';
import { accessStores, NOW, newFolder, newGroup, newKey, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const MARK = 'mark';
const { database, pool, scope } = await openTestDatabase(t);
const { principals, orgs, groups, folders, rules, keys, revocations } = accessStores(pool);
const { host, port, user, password, database: name } = database.server.target('quasar');
const listener = new pg.Client({ host, port, user, password, database: name });
await listener.connect();
t.teardown(() => listener.end());
let payloads: string[] = [];
listener.on('notification', ({ channel, payload = '' }) => {
  if (channel === ACCESS_CHANNEL) payloads.push(payload);
  if (payload === MARK) listener.emit(MARK);
});
await listener.query(`LISTEN ${ACCESS_CHANNEL}`);

/** Resolves when all that was told so far has arrived: notifications come in the order of commits. */
async function settle(): Promise<void> {
  const arrived = once(listener, MARK);
  await pool.query('SELECT pg_notify($1, $2)', [ACCESS_CHANNEL, MARK]);
  await arrived;
}

/** What is told about one change. */
async function toldOf(change: () => Promise<unknown>): Promise<string[]> {
  await settle();
  payloads = [];
  await change();
  await settle();
  return payloads.filter((payload) => payload !== MARK);
}

const told = (kind: string) => [`${scope.orgId} ${kind}`];

t.test('every change tells the org and what kind of change it was, and nothing else', async (t) => {
  const principal = newPrincipal('Jane Doe');
  const { principalId } = principal;
  t.strictSame(await toldOf(() => principals.createPrincipal(scope, principal)), told('principal'));
  t.strictSame(await toldOf(() => principals.setRoles(scope, principalId, ['reader'])), told('principal'));
  const suspension = { suspended: true, atMs: NOW };
  t.strictSame(await toldOf(() => principals.suspendPrincipal(scope, principalId, suspension)), told('principal'));
  t.strictSame(await toldOf(() => orgs.suspendOrg(scope, scope.orgId, suspension)), told('org'));
  t.strictSame(await toldOf(() => orgs.suspendOrg(scope, scope.orgId, { suspended: false, atMs: NOW })), told('org'));

  const [inner, outer] = [newGroup('inner'), newGroup('outer')];
  for (const group of [inner, outer]) await groups.createGroup(scope, group);
  const { groupId } = inner;
  t.strictSame(await toldOf(() => groups.addMember(scope, groupId, { kind: 'principal', id: principalId })), told('group'));
  t.strictSame(await toldOf(() => groups.addMember(scope, outer.groupId, { kind: 'group', id: groupId })), told('group'));
  t.strictSame(await toldOf(() => groups.removeMember(scope, groupId, principalId)), told('group'));
  t.strictSame(await toldOf(() => groups.deleteGroup(scope, groupId)), told('group'));

  const key = newKey(principalId);
  t.strictSame(await toldOf(() => keys.createKey(scope, key)), told('key'));
  t.strictSame(await toldOf(() => keys.revokeKey(scope, key.keyId, NOW)), told('key'));
  const token = { jti: 'a secret name', untilMs: NOW + 1, atMs: NOW };
  t.strictSame(await toldOf(() => revocations.revokeToken(scope, token)), told('token'));
});

t.test('rules, and folders that move, are told, with the largest list of rules too', async (t) => {
  const catalog = new PostgresCatalog(pool);
  const { documentId, ...rest } = versionWish();
  await new PostgresVersionCommitter({ pool, catalog, clock: systemClock }).commit(scope, { documentId, ...rest });
  const [outer, inner] = [newFolder(), newFolder()];
  for (const folder of [outer, inner]) await folders.createFolder(scope, folder);
  const toldOfDocument = told(`document ${documentId.slice(-3)}`);
  t.strictSame(await toldOf(() => folders.moveFolder(scope, inner.folderId, outer.folderId)), told('folder'));
  t.strictSame(await toldOf(() => folders.placeDocument(scope, documentId, inner.folderId)), toldOfDocument);
  const many = Array.from({ length: 256 }, () => newRule('allow', ['doc.read'], scope.principalId));
  const wish = { rules: many, expectedVersion: 0, atMs: NOW };
  t.strictSame(await toldOf(() => rules.replaceRules(scope, { kind: 'document', documentId }, wish)), toldOfDocument);
  t.strictSame(await toldOf(() => rules.replaceRules(scope, { kind: 'folder', folderId: outer.folderId }, wish)), told('rules'));
  await folders.placeDocument(scope, documentId, undefined);
  t.strictSame(await toldOf(() => folders.deleteFolder(scope, inner.folderId)), told('folder'));
});

t.test('documents that are placed or ruled make nothing be asked again of other places, nor of who is who', async (t) => {
  const catalog = new PostgresCatalog(pool);
  const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
  const wishes = Array.from({ length: 12 }, () => versionWish());
  for (const wish of wishes) await committer.commit(scope, wish);
  const folder = newFolder();
  await folders.createFolder(scope, folder);
  let asked = 0;
  const counting: Partial<RuleStore> = {
    loadAccessList: (...question) => {
      asked += 1;
      return rules.loadAccessList(...question);
    },
    loadAccessLists: (...question) => {
      asked += 1;
      return rules.loadAccessLists(...question);
    },
  };
  const epochs = new AccessEpochs();
  epochs.listening = true;
  const lists = new AccessLists(counting as RuleStore, epochs);
  const documents = wishes.map(({ documentId }) => ({ kind: 'document', documentId }) as const);
  const [placed, ruled] = documents as [(typeof documents)[0], (typeof documents)[0]];
  const classes = [placed, ruled].map(({ documentId }) => documentClassOf(documentId));
  const others = documents.slice(2).filter(({ documentId }) => !classes.includes(documentClassOf(documentId)));
  const things: RuledThing[] = [...others, { kind: 'folder', folderId: folder.folderId }, { kind: 'org' }];
  const find = (thing: RuledThing) => lists.peek(scope, thing) ?? lists.load(scope, thing);
  await Promise.all([...things, placed, ruled].map(find));
  const [before, identities] = [asked, epochs.identities.epochOf(scope.orgId)];
  for (let round = 0; round < 3; round++) {
    const wish = { rules: [newRule('allow', ['doc.read'], scope.principalId)], expectedVersion: round, atMs: NOW };
    const told = await toldOf(async () => {
      await folders.placeDocument(scope, placed.documentId, round % 2 === 0 ? folder.folderId : undefined);
      await rules.replaceRules(scope, ruled, wish);
    });
    for (const payload of told) epochs.changed(parseAccessChange(payload));
    await Promise.all(things.map(find));
    t.equal(asked, before + round * 2, 'nothing of the others');
    for (const thing of [placed, ruled]) await find(thing);
    t.equal(asked, before + round * 2 + 2, 'of the two, each once');
    t.equal(lists.peek(scope, placed)?.places.length, round % 2 === 0 ? 3 : 2, 'as it is now');
  }
  t.equal(epochs.identities.epochOf(scope.orgId), identities);
});

t.test('what changes nothing tells nothing', async (t) => {
  const key = newKey(scope.principalId);
  await keys.createKey(scope, key);
  t.strictSame(await toldOf(() => keys.noteUse(scope.orgId, key.keyId, NOW)), []);
  t.strictSame(await toldOf(() => principals.setRoles(scope, scope.principalId, ['admin'])), []);
  const stale = { rules: [], expectedVersion: 7, atMs: NOW };
  t.strictSame(await toldOf(() => rules.replaceRules(scope, { kind: 'org' }, stale)), []);
  t.strictSame(await toldOf(() => t.rejects(principals.setRoles(scope, scope.principalId, ['admin', 'root' as never]))), []);
});

t.test('a statement that bypasses the functions is told all the same', async (t) => {
  const direct = 'UPDATE core.principal SET suspended_at = now()';
  t.strictSame(await toldOf(() => withTransaction(pool, scope, ({ query }) => query(direct))), told('principal'));
});

t.test('what is told can be read', async (t) => {
  for (const kind of accessChangeKinds) t.strictSame(parseAccessChange(told(kind)[0] as string), { orgId: scope.orgId, kind });
});
