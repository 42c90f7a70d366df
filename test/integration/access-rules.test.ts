import t from 'tap';
import { decide } from '../../src/access/decide.ts';
import type { FoundAccessList, RuledThing } from '../../src/access/rule-store.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { allCapabilities, noCapabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, type FolderId, type GroupId, newId, type PrincipalId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { ALL, accessStores, NOW, newFolder, newGroup, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, scope } = await openTestDatabase(t);
const { principals, groups, folders, rules } = accessStores(pool);
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
const reader = newPrincipal('reader');
await principals.createPrincipal(scope, reader);
const noFolder = newId<FolderId>(systemClock);
const noDocument = newId<DocumentId>(systemClock);
const ORG: RuledThing = { kind: 'org' };

async function makeFolder(parentId?: FolderId): Promise<FolderId> {
  const folder = newFolder({ parentId });
  const outcome = await folders.createFolder(scope, folder);
  if (outcome !== 'created') throw new Error(outcome);
  return folder.folderId;
}

async function makeDocument(folderId?: FolderId): Promise<{ readonly kind: 'document'; readonly documentId: DocumentId }> {
  const { documentId, ...wish } = versionWish();
  await committer.commit(scope, { documentId, ...wish });
  if (folderId !== undefined) await folders.placeDocument(scope, documentId, folderId);
  return { kind: 'document', documentId };
}

const inFolder = (folderId: FolderId): RuledThing => ({ kind: 'folder', folderId });
const versionOf = async (thing: RuledThing) => (await rules.loadAccessList(scope, thing))?.version;

async function setRules(thing: RuledThing, ...wanted: ReturnType<typeof newRule>[]): Promise<void> {
  const expectedVersion = (await rules.findRules(scope, thing))?.version ?? 0;
  const outcome = await rules.replaceRules(scope, thing, { rules: wanted, expectedVersion, atMs: NOW });
  if (outcome.kind !== 'replaced') throw new Error(outcome.kind);
}

t.test('a folder is made, found, listed, and deleted when nothing is in it', async (t) => {
  const outer = await makeFolder();
  const inner = newFolder({ parentId: outer, name: 'Exhibits', caseNumber: undefined });
  t.equal(await folders.createFolder(scope, inner), 'created');
  const { atMs, ...rest } = inner;
  t.strictSame(await folders.findFolder(scope, inner.folderId), { ...rest, createdAtMs: atMs });
  t.strictSame((await folders.listFolders(scope, outer, ALL)).items, [{ ...rest, createdAtMs: atMs }]);
  t.ok((await folders.listFolders(scope, undefined, ALL)).items.some(({ folderId }) => folderId === outer));
  t.equal(await folders.findFolder(scope, noFolder), undefined);
  t.equal(await folders.createFolder(scope, newFolder({ parentId: noFolder })), 'parent_missing');

  const { documentId } = await makeDocument(inner.folderId);
  t.equal(await folders.deleteFolder(scope, outer), 'folder_not_empty');
  t.equal(await folders.deleteFolder(scope, inner.folderId), 'folder_not_empty');
  t.equal(await folders.placeDocument(scope, documentId, undefined), 'placed');
  t.equal(await folders.placeDocument(scope, documentId, undefined), 'unchanged');
  t.equal(await folders.deleteFolder(scope, inner.folderId), 'deleted');
  t.equal(await folders.deleteFolder(scope, inner.folderId), 'folder_missing');
  t.equal(await folders.placeDocument(scope, documentId, inner.folderId), 'folder_missing');
  t.equal(await folders.placeDocument(scope, noDocument, outer), 'document_missing');
});

t.test('no folder is within itself', async (t) => {
  const [a, b] = [await makeFolder(), await makeFolder()];
  const inner = await makeFolder(a);
  t.equal(await folders.moveFolder(scope, a, a), 'cycle');
  t.equal(await folders.moveFolder(scope, a, inner), 'cycle');
  t.equal(await folders.moveFolder(scope, inner, b), 'moved');
  t.equal(await folders.moveFolder(scope, inner, b), 'unchanged');
  t.equal(await folders.moveFolder(scope, a, inner), 'moved');
  t.equal(await folders.moveFolder(scope, b, a), 'cycle');
  t.equal(await folders.moveFolder(scope, a, undefined), 'moved');
  t.equal(await folders.moveFolder(scope, a, noFolder), 'parent_missing');
  t.equal(await folders.moveFolder(scope, noFolder, a), 'folder_missing');
});

t.test('two moves that make a ring together are not both taken', async (t) => {
  for (let round = 0; round < 5; round++) {
    const [a, b] = [await makeFolder(), await makeFolder()];
    const outcomes = await Promise.all([folders.moveFolder(scope, a, b), folders.moveFolder(scope, b, a)]);
    t.strictSame(outcomes.sort(), ['cycle', 'moved']);
  }
});

t.test('folders lie within each other no deeper than the limit, made or moved, and all have a say', async (t) => {
  const line = [await makeFolder()];
  while (line.length < limits.folderDepthMax) line.push(await makeFolder(line.at(-1)));
  const innermost = line.at(-1) as FolderId;
  t.equal(await folders.createFolder(scope, newFolder({ parentId: innermost })), 'too_deep');
  const other = await makeFolder();
  t.equal(await folders.moveFolder(scope, line[0] as FolderId, other), 'too_deep');
  t.equal(await folders.moveFolder(scope, other, innermost), 'too_deep');
  t.equal(await folders.moveFolder(scope, other, line.at(-2)), 'moved');
  const list = await rules.loadAccessList(scope, await makeDocument(innermost));
  t.strictSame(
    list?.places.map(({ place }) => place),
    [{ kind: 'document' }, ...line.toReversed().map((folderId) => ({ kind: 'folder', folderId })), { kind: 'org' }],
  );
});

t.test('rules come back as they were given, in their order, place by place outwards', async (t) => {
  const group = newGroup('readers');
  await groups.createGroup(scope, group);
  const outer = await makeFolder();
  const inner = await makeFolder(outer);
  const document = await makeDocument(inner);
  const first = newRule('allow', ['doc.read', 'doc.export'], reader.principalId, group.groupId);
  const second = newRule('deny', ['doc.export'], group.groupId);
  const outside = newRule('deny', ['doc.write'], reader.principalId);
  await setRules(document, first, second);
  await setRules(inFolder(outer), outside);
  const list = await rules.loadAccessList(scope, document);
  t.equal(list?.orgId, scope.orgId);
  t.strictSame(
    list?.places.map(({ place, rules }) => ({ place, rules })),
    [
      { place: { kind: 'document' }, rules: [first, second] },
      { place: { kind: 'folder', folderId: inner }, rules: [] },
      { place: { kind: 'folder', folderId: outer }, rules: [outside] },
      { place: { kind: 'org' }, rules: [] },
    ],
  );
  t.strictSame(
    (await rules.loadAccessList(scope, inFolder(outer)))?.places.map(({ rules }) => rules),
    [[outside], []],
  );
  t.strictSame(
    (await rules.loadAccessList(scope, ORG))?.places.map(({ place }) => place),
    [{ kind: 'org' }],
  );
  for (const thing of [inFolder(noFolder), { kind: 'document', documentId: noDocument } as const]) {
    t.equal(await rules.loadAccessList(scope, thing), undefined);
    t.equal(await rules.findRules(scope, thing), undefined);
    const wish = { rules: [], expectedVersion: 0, atMs: NOW };
    t.strictSame(await rules.replaceRules(scope, thing, wish), { kind: 'place_missing' });
  }
});

t.test('rules replace the version they were written against, and no other', async (t) => {
  const thing = await makeDocument();
  t.strictSame(await rules.findRules(scope, thing), { version: 0, rules: [] });
  const [one, other] = [newRule('allow', ['doc.read'], reader.principalId), newRule('deny', ['doc.read'], reader.principalId)];
  const replace = (expectedVersion: number, ...wanted: (typeof one)[]) =>
    rules.replaceRules(scope, thing, { rules: wanted, expectedVersion, atMs: NOW + expectedVersion });
  t.strictSame(await replace(1, one), { kind: 'rules_changed', version: 0 });
  t.strictSame(await replace(0, one), { kind: 'replaced', version: 1 });
  t.strictSame(await replace(0, other), { kind: 'rules_changed', version: 1 });
  t.strictSame(await replace(1, one, other), { kind: 'replaced', version: 2 });
  t.strictSame(await replace(2), { kind: 'replaced', version: 3 });
  t.strictSame(await rules.findRules(scope, thing), { version: 3, rules: [] });

  const change = (version: number, ...held: (typeof one)[]) => ({
    ...{ version, rules: held, changedBy: scope.principalId, changedAtMs: NOW + version - 1 },
  });
  t.strictSame((await rules.listRuleChanges(scope, thing, ALL)).items, [change(3), change(2, one, other), change(1, one)]);
  const page = await rules.listRuleChanges(scope, thing, { limit: 1, after: '3' });
  t.strictSame(page, { items: [change(2, one, other)], next: '2' });
  t.strictSame(await rules.listRuleChanges(scope, thing, { limit: 1, after: '2' }), { items: [change(1, one)], next: undefined });
});

t.test('a page of changes ends where its bytes do, and the next one goes on behind it', async (t) => {
  const thing = await makeDocument();
  const many = () => Array.from({ length: limits.accessRulesMax }, () => newRule('allow', ['doc.read'], reader.principalId));
  const count = 1 + Math.ceil(limits.pageBytesMax / JSON.stringify(many()).length) * 2;
  for (let version = 0; version < count; version++) {
    t.match(await rules.replaceRules(scope, thing, { rules: many(), expectedVersion: version, atMs: NOW }), { kind: 'replaced' });
  }
  const seen: number[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await rules.listRuleChanges(scope, thing, { limit: 1000, after });
    t.ok(JSON.stringify(page.items).length < 2 * limits.pageBytesMax);
    seen.push(...page.items.map(({ version }) => version));
    after = page.next;
    pages += 1;
  } while (after !== undefined);
  t.strictSame(
    seen,
    Array.from({ length: count }, (_, index) => count - index),
  );
  t.ok(pages > 1);
});

t.test('of writers at once one replaces the rules', async (t) => {
  const thing = await makeDocument();
  const wishes = Array.from({ length: 8 }, () => newRule('allow', ['doc.read'], reader.principalId));
  const outcomes = await Promise.all(
    wishes.map((rule) => rules.replaceRules(scope, thing, { rules: [rule], expectedVersion: 0, atMs: NOW })),
  );
  const winners = wishes.filter((_, index) => outcomes[index]?.kind === 'replaced');
  t.equal(winners.length, 1);
  t.equal(outcomes.filter((outcome) => outcome.kind === 'rules_changed' && outcome.version === 1).length, 7);
  t.strictSame(await rules.findRules(scope, thing), { version: 1, rules: winners });
});

t.test('a rule about nobody is refused by name, and nothing is written', async (t) => {
  const thing = await makeDocument();
  for (const nobody of [newId<PrincipalId>(systemClock), newId<GroupId>(systemClock)]) {
    const wanted = [newRule('allow', ['doc.read'], reader.principalId, nobody)];
    const outcome = await rules.replaceRules(scope, thing, { rules: wanted, expectedVersion: 0, atMs: NOW });
    t.strictSame(outcome, { kind: 'subject_missing', subjectId: nobody });
  }
  t.strictSame(await rules.findRules(scope, thing), { version: 0, rules: [] });
});

t.test('what was ever a rule cannot be changed or taken away', async (t) => {
  for (const table of ['quasar.rule_set', 'quasar.access_rule']) {
    await t.rejects(pool.change(`DELETE FROM ${table}`), { cause: { code: '42501' } });
    await t.rejects(pool.change(`UPDATE ${table} SET version = 9`), { cause: { code: '42501' } });
  }
});

t.test('the version of a list is another one when a rule or the chain of folders is another one', async (t) => {
  const [outer, elsewhere] = [await makeFolder(), await makeFolder()];
  const inner = await makeFolder(outer);
  const [document, neighbour] = [await makeDocument(inner), await makeDocument(inner)];
  const seen = new Set<string | undefined>();
  const isNew = async (what: string) => {
    const version = await versionOf(document);
    t.notOk(seen.has(version), what);
    seen.add(version);
  };
  await isNew('at first');
  t.ok(seen.has(await versionOf(neighbour)), 'neighbours without rules of their own share it');
  const rule = newRule('allow', ['doc.read'], reader.principalId);
  for (const thing of [document, inFolder(inner), inFolder(outer), ORG]) {
    await setRules(thing, rule);
    await isNew(`a rule at the ${thing.kind}`);
  }
  await setRules(document);
  await isNew('the same rules as once, but later');
  t.notOk(seen.has(await versionOf(neighbour)), 'rules of its own are not shared');
  await folders.moveFolder(scope, inner, elsewhere);
  await isNew('a folder around its folder');
  await folders.placeDocument(scope, document.documentId, elsewhere);
  await isNew('another folder');
});

t.test('requester and list decide together', async (t) => {
  const group = newGroup('sealed out');
  await groups.createGroup(scope, group);
  await groups.addMember(scope, group.groupId, { kind: 'principal', id: reader.principalId });
  const folder = await makeFolder();
  const document = await makeDocument(folder);
  const may = async () => {
    const { requester } = (await principals.loadRequester(scope, reader.principalId)) ?? {};
    const list = await rules.loadAccessList(scope, document);
    if (requester === undefined || list === undefined) throw new Error('both are there');
    return decide({ ...requester, tokenScope: allCapabilities }, list, 'doc.read').reason;
  };
  await setRules(ORG);
  t.equal((await principals.loadRequester(scope, reader.principalId))?.requester.roleCapabilities, noCapabilities);
  t.equal(await may(), 'nothing_allows');
  await setRules(document, newRule('allow', ['doc.read'], reader.principalId));
  t.equal(await may(), 'rule_allows');
  await setRules(inFolder(folder), newRule('deny', ['doc.read'], group.groupId));
  t.equal(await may(), 'rule_denies');
  await groups.removeMember(scope, group.groupId, reader.principalId);
  t.equal(await may(), 'rule_allows');
});

/** Documents that never had rules of their own share a list, whichever of them its first place is named by. */
function butUnruled(list: FoundAccessList | undefined): unknown {
  const places = list?.places.map((place) => (place.version === 0 ? { ...place, placeId: undefined } : place));
  return { ...list, places };
}

t.test('the lists of many documents are those of each, whatever lies around them', async (t) => {
  const outer = await makeFolder();
  const inner = await makeFolder(outer);
  const deny = () => newRule('deny', ['doc.write'], reader.principalId);
  await setRules(inFolder(outer), deny(), newRule('allow', ['doc.read'], scope.principalId));
  const documents = [await makeDocument(inner), await makeDocument(inner), await makeDocument(outer), await makeDocument()];
  const ruled = await makeDocument(inner);
  await setRules(ruled, deny());
  const all = [...documents, ruled];
  const ids = all.map(({ documentId }) => documentId);
  const lists = await rules.loadAccessLists(scope, [...ids, noDocument, ids[0] as DocumentId]);
  t.equal(lists.size, all.length);
  for (const document of all) {
    const [alone, shared] = [await rules.loadAccessList(scope, document), lists.get(document.documentId)];
    t.strictSame(butUnruled(shared), butUnruled(alone));
  }
  t.equal((await rules.loadAccessLists(scope, [])).size, 0);
  t.equal((await rules.loadAccessLists(scope, [noDocument])).size, 0);
});

t.test('lists that are loaded together share what they have in common', async (t) => {
  const folder = await makeFolder(await makeFolder());
  const [first, second, ruled, elsewhere] = [
    await makeDocument(folder),
    await makeDocument(folder),
    await makeDocument(folder),
    await makeDocument(),
  ];
  await setRules(ruled, newRule('allow', ['doc.read'], reader.principalId));
  const all = [first, second, ruled, elsewhere];
  const lists = await rules.loadAccessLists(
    scope,
    all.map(({ documentId }) => documentId),
  );
  const [one, two, own, other] = all.map(({ documentId }) => lists.get(documentId));
  t.equal(one, two);
  t.not(one, own);
  t.equal(own?.places.length, 4);
  for (const at of [1, 2, 3]) t.equal(own?.places[at], one?.places[at]);
  t.equal(other?.places[1], one?.places[3], 'the org');
});
