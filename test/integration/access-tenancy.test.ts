import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type FolderId, newId } from '../../src/core/ids.ts';
import { withTransaction } from '../../src/database/transaction.ts';
import { ALL, accessStores, NOW, newFolder, newGroup, newKey, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const stranger = await makeOrg(admin, 'stranger');
const { principals, groups, folders, rules, keys, revocations } = accessStores(pool);

// What the one org has; the other one knows every name and id of it.
const clerk = newPrincipal('clerk');
const group = newGroup('clerks');
const [folder, inner] = [newFolder(), newFolder()];
const key = newKey(clerk.principalId);
const { documentId, ...wish } = versionWish();
const document = { kind: 'document', documentId } as const;
const rule = newRule('allow', ['doc.read'], clerk.principalId);
await principals.createPrincipal(scope, clerk);
await groups.createGroup(scope, group);
await groups.addMember(scope, group.groupId, { kind: 'principal', id: clerk.principalId });
for (const one of [folder, inner]) await folders.createFolder(scope, one);
const catalog = new PostgresCatalog(pool);
await new PostgresVersionCommitter({ pool, catalog, clock: systemClock }).commit(scope, { documentId, ...wish });
await folders.placeDocument(scope, documentId, folder.folderId);
await rules.replaceRules(scope, document, { rules: [rule], expectedVersion: 0, atMs: NOW });
await keys.createKey(scope, key);
const everything = async () => ({
  principals: await principals.listPrincipals(scope, ALL),
  members: await groups.listMembers(scope, group.groupId, ALL),
  folders: await folders.listFolders(scope, undefined, ALL),
  list: await rules.loadAccessList(scope, document),
  keys: await keys.listKeys(scope, undefined, ALL),
});

t.test('what another org has is absent in every read', async (t) => {
  t.equal(await principals.findPrincipal(stranger.orgId, clerk.subject as string), undefined);
  t.equal(await principals.loadRequester(stranger, clerk.principalId), undefined);
  t.equal(await folders.findFolder(stranger, folder.folderId), undefined);
  for (const thing of [document, { kind: 'folder', folderId: folder.folderId } as const]) {
    t.equal(await rules.loadAccessList(stranger, thing), undefined);
    t.equal(await rules.findRules(stranger, thing), undefined);
    t.strictSame((await rules.listRuleChanges(stranger, thing, ALL)).items, []);
  }
  t.equal((await rules.loadAccessLists(stranger, [documentId])).size, 0);
  t.equal((await rules.loadAccessLists(scope, [documentId])).size, 1);
  const anybody = { names: [], documentId: undefined };
  t.strictSame(await catalog.findBlobDocuments(stranger, wish.blob.key, anybody), []);
  t.strictSame(await catalog.findBlobDocuments(scope, wish.blob.key, anybody), [documentId]);
  t.strictSame(
    (await principals.listPrincipals(stranger, ALL)).items.map(({ principalId }) => principalId),
    [stranger.principalId],
  );
  t.strictSame((await groups.listGroups(stranger, ALL)).items, []);
  t.strictSame((await groups.listMembers(stranger, group.groupId, ALL)).items, []);
  t.strictSame((await folders.listFolders(stranger, undefined, ALL)).items, []);
  t.strictSame((await folders.listFolders(stranger, folder.folderId, ALL)).items, []);
  t.strictSame((await keys.listKeys(stranger, clerk.principalId, ALL)).items, []);
});

t.test('what another org has is absent to every change, and stays as it is', async (t) => {
  const before = await everything();
  const own = newGroup('own');
  await groups.createGroup(stranger, own);
  const suspension = { suspended: true, atMs: NOW };
  t.equal(await principals.setRoles(stranger, clerk.principalId, ['admin']), 'principal_missing');
  t.equal(await principals.suspendPrincipal(stranger, clerk.principalId, suspension), 'principal_missing');
  t.equal(await groups.addMember(stranger, group.groupId, { kind: 'principal', id: stranger.principalId }), 'group_missing');
  t.equal(await groups.addMember(stranger, own.groupId, { kind: 'principal', id: clerk.principalId }), 'member_missing');
  t.equal(await groups.addMember(stranger, own.groupId, { kind: 'group', id: group.groupId }), 'member_missing');
  t.equal(await groups.addMember(stranger, group.groupId, { kind: 'group', id: own.groupId }), 'group_missing');
  t.equal(await groups.removeMember(stranger, group.groupId, clerk.principalId), 'unchanged');
  t.equal(await groups.deleteGroup(stranger, group.groupId), 'group_missing');
  t.equal(await folders.createFolder(stranger, newFolder({ parentId: folder.folderId })), 'parent_missing');
  t.equal(await folders.moveFolder(stranger, inner.folderId, folder.folderId), 'folder_missing');
  t.equal(await folders.deleteFolder(stranger, inner.folderId), 'folder_missing');
  t.equal(await folders.placeDocument(stranger, documentId, undefined), 'document_missing');
  t.strictSame(await rules.replaceRules(stranger, document, { rules: [], expectedVersion: 1, atMs: NOW }), {
    kind: 'place_missing',
  });
  t.equal(await keys.createKey(stranger, newKey(clerk.principalId)), 'principal_missing');
  t.equal(await keys.revokeKey(stranger, key.keyId, NOW), 'key_missing');
  t.equal(await keys.noteUse(stranger.orgId, key.keyId, NOW), false);
  t.strictSame(await everything(), before);
});

t.test('rules about those of another org are refused like rules about nobody', async (t) => {
  for (const subjectId of [clerk.principalId, group.groupId]) {
    const foreign = { rules: [newRule('deny', ['doc.read'], subjectId)], expectedVersion: 0, atMs: NOW };
    t.strictSame(await rules.replaceRules(stranger, { kind: 'org' }, foreign), { kind: 'subject_missing', subjectId });
  }
});

t.test('names, subjects, ids and tokens that another org has are free', async (t) => {
  t.equal(await principals.createPrincipal(stranger, clerk), 'created');
  t.equal(await groups.createGroup(stranger, group), 'created');
  t.equal(await folders.createFolder(stranger, folder), 'created');
  t.equal(await keys.createKey(stranger, { ...key, atMs: NOW + 1 }), 'created');
  for (const of of [scope, stranger]) await revocations.revokeToken(of, { jti: 'same', untilMs: NOW + 1, atMs: NOW });
  t.match(await keys.findKey(key.keyId), { orgId: scope.orgId });
});

t.test('no unique constraint spans orgs', async (t) => {
  const { rows } = await admin.query<{ name: string; first: string }>(`
    SELECT i.indexrelid::regclass::text AS name, a.attname AS first
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
     WHERE i.indisunique AND n.nspname IN ('core', 'graviton', 'quasar') AND c.relname NOT IN ('org', 'migration', 'store_node')`);
  t.ok(rows.length > 10);
  for (const { name, first } of rows) t.equal(first, 'org_id', name);
});

t.test('rows cannot be written for another org, nor moved to it', async (t) => {
  const id = newId<FolderId>(systemClock);
  const [theirs, by] = [scope.orgId, stranger.principalId];
  const statements: readonly (readonly [string, readonly unknown[]])[] = [
    ["INSERT INTO core.principal (org_id, id, name, roles) VALUES ($1, $2, 'x', '{admin}')", [theirs, id]],
    ["INSERT INTO core.principal_group VALUES ($1, $2, 'x', $3, now())", [theirs, id, by]],
    ['INSERT INTO core.group_member VALUES ($1, $2, $3)', [theirs, scope.principalId, group.groupId]],
    ['INSERT INTO core.group_nesting VALUES ($1, $2, $3)', [theirs, group.groupId, id]],
    ["INSERT INTO quasar.folder VALUES ($1, $2, NULL, 'x', NULL, $3, now())", [theirs, id, by]],
    ["INSERT INTO quasar.rule_set VALUES ($1, 'document', $2, 2, $3, now())", [theirs, documentId, by]],
    [
      "INSERT INTO quasar.access_rule VALUES ($1, 'document', $2, 1, 2, $3, 'allow', 1, ARRAY[$3]::uuid[])",
      [theirs, documentId, id],
    ],
    [
      "INSERT INTO core.api_key (org_id, id, principal_id, name, scope, mac, created_by, created_at) VALUES ($1, $2, $3, 'x', 1, $4, $3, now())",
      [theirs, id, scope.principalId, Buffer.alloc(32)],
    ],
    ["INSERT INTO core.revoked_token VALUES ($1, 'x', now(), $2, now())", [theirs, by]],
    ['UPDATE core.principal SET org_id = $1', [theirs]],
    ['UPDATE quasar.folder SET org_id = $1', [theirs]],
    ['UPDATE core.api_key SET org_id = $1', [theirs]],
    ["INSERT INTO core.org (id, name) VALUES ($1, 'x')", [id]],
  ];
  for (const [text, values] of statements) {
    await t.rejects(
      withTransaction(pool, stranger, ({ query }) => query(text, values)),
      { cause: { code: '42501' } },
      text,
    );
  }
});

t.test('folders, parents and holders of another org cannot be pointed at', async (t) => {
  const pointing: readonly (readonly [string, readonly unknown[]])[] = [
    ['UPDATE quasar.folder SET parent_id = $1', [inner.folderId]],
    ['INSERT INTO core.group_member VALUES ($1, $2, $3)', [stranger.orgId, scope.principalId, group.groupId]],
    ['INSERT INTO core.group_nesting VALUES ($1, $2, $3)', [stranger.orgId, group.groupId, newGroup('x').groupId]],
    [
      "INSERT INTO core.api_key (org_id, id, principal_id, name, scope, mac, created_by, created_at) VALUES ($1, $2, $2, 'x', 1, $3, $2, now())",
      [stranger.orgId, scope.principalId, Buffer.alloc(32)],
    ],
  ];
  for (const [text, values] of pointing) {
    await t.rejects(
      withTransaction(pool, stranger, ({ query }) => query(text, values)),
      { cause: { code: '23503' } },
      text,
    );
  }
});

t.test('statements without a condition touch the own org alone', async (t) => {
  const before = await everything();
  await withTransaction(pool, stranger, async ({ query }) => {
    await query("UPDATE core.principal SET roles = '{}', suspended_at = now()");
    await query('UPDATE core.org SET suspended_at = now()');
    await query('UPDATE core.api_key SET revoked_at = now(), revoked_by = principal_id');
    for (const table of [
      'core.group_member',
      'core.group_nesting',
      'core.principal_group',
      'quasar.folder',
      'core.revoked_token',
    ]) {
      await query(`DELETE FROM ${table}`);
    }
  });
  t.strictSame(await everything(), before);
  t.equal((await principals.loadRequester(scope, clerk.principalId))?.requester.suspended, false);
  t.equal((await keys.findKey(key.keyId))?.revokedAt, undefined);
  t.equal(await revocations.isRevoked({ orgId: scope.orgId, jti: 'same', subject: '' }), true);
});

t.test('a key tells its org to whoever has its id, and nothing can be listed without an org', async (t) => {
  const { rows } = await pool.query('SELECT core.find_key_org($1) AS org_id', [key.keyId]);
  t.strictSame(rows, [{ org_id: scope.orgId }]);
  for (const table of ['core.api_key', 'core.revoked_token']) t.equal((await pool.query(`SELECT FROM ${table}`)).rows.length, 0);
});

t.test('looking for a key leaves no org behind', async (t) => {
  const left = await pool.withConnection(async (connection) => {
    await connection.query('SELECT core.find_api_key($1)', [key.keyId]);
    return connection.query<{ count: number }>('SELECT count(*)::int AS count FROM core.api_key');
  });
  t.strictSame(left.rows, [{ count: 0 }]);
});

t.test('the role that looks keys up for everybody cannot read what their secrets are checked with', async (t) => {
  const { rows } = await admin.query<{ may: boolean }>(
    "SELECT has_column_privilege('quasar_definer', 'core.api_key', 'mac', 'SELECT') AS may",
  );
  t.strictSame(rows, [{ may: false }]);
});
