import t from 'tap';
import { AccessEpochs } from '../../src/access/access-epochs.ts';
import { AccessLists } from '../../src/access/access-lists.ts';
import type { Authenticator } from '../../src/access/authenticator.ts';
import { PostgresPrincipalStore } from '../../src/access/postgres-principal-store.ts';
import { PostgresRuleStore } from '../../src/access/postgres-rule-store.ts';
import type { Session } from '../../src/access/session.ts';
import { EventWindows } from '../../src/audit/event-windows.ts';
import { EventWriter } from '../../src/audit/event-writer.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { allCapabilities, noCapabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type BlobKey, blake3Of } from '../../src/core/digest.ts';
import { isQuasarError } from '../../src/core/errors.ts';
import { type DocumentId, type FolderId, type GroupId, newId, type PrincipalId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { silentLog } from '../../src/core/log.ts';
import { inTransaction, type QueryResult } from '../../src/database/transaction.ts';
import { AccessGate } from '../../src/http/access-gate.ts';
import { getBlob } from '../../src/http/handlers/content.ts';
import type { Services } from '../../src/http/handlers/services.ts';
import { accessStores, NOW, newFolder, newGroup, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { FakeExchange } from '../helpers/fake-exchange.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { blobFacts, versionWish } from '../helpers/version-wish.ts';

/** What it costs to find out on behalf of which document a blob may be read does not grow with the documents that share it. */

const { pool, admin, scope } = await openTestDatabase(t);
const clock = systemClock;
const texts: string[] = [];
const asked: (readonly unknown[])[] = [];
const counting = {
  query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    texts.push(text);
    asked.push(values);
    return pool.query<Row>(text, values);
  },
  change: <Row extends object>(text: string, values?: readonly unknown[]) => pool.change<Row>(text, values),
};
const catalog = new PostgresCatalog(counting);
const committer = new PostgresVersionCommitter({ pool, catalog: new PostgresCatalog(pool), clock });
const { rules, folders, principals, groups } = accessStores(pool);
const epochs = new AccessEpochs();
const windows = new EventWindows({ writer: new EventWriter(pool), clock, log: silentLog });
t.teardown(() => windows.close());

const reader = newPrincipal('reader');
await principals.createPrincipal(scope, reader);
const group = newGroup('readers');
await groups.createGroup(scope, group);

const gate = new AccessGate({
  authenticator: { authenticate: () => sessionOf(reader.principalId) } as Partial<Authenticator> as Authenticator,
  // Nobody listens, so nothing is remembered: each request asks the database.
  lists: new AccessLists(new PostgresRuleStore(counting), epochs),
  principals: new PostgresPrincipalStore(pool),
  rates: undefined,
  ...{ epochs, windows, clock, operatorOrgId: scope.orgId, log: silentLog },
});
const services = { gate, catalog, clock } as unknown as Services;

/** In one group, with no role: what may be read is what rules allow. */
function sessionOf(principalId: PrincipalId): Session {
  const { orgId } = scope;
  const given = { roleCapabilities: noCapabilities, tokenScope: allCapabilities };
  const requester = { orgId, principalId, groups: new Set<GroupId>([group.groupId]), suspended: false, ...given };
  return {
    orgId,
    principalId,
    kind: 'user',
    roles: [],
    credential: { kind: 'api_key', id: 'k' },
    requester,
    account: { orgId, credential: 'c' },
  };
}

/** How the request ends, and the statements it took. */
async function ask(key: BlobKey, query = ''): Promise<{ outcome: string | number; statements: string[] }> {
  texts.length = 0;
  asked.length = 0;
  const exchange = new FakeExchange({ method: 'HEAD', headers: { authorization: 'x' }, query });
  const params = { key };
  const caller = await gate.enter(exchange, getBlob.access, params);
  try {
    await getBlob.handler(exchange, params, services, caller);
    return { outcome: exchange.sent.status, statements: [...texts] };
  } catch (error) {
    if (!isQuasarError(error)) throw error;
    return { outcome: error.code, statements: [...texts] };
  }
}

/** A blob, and the documents of a first one and `count` more that have it; each `versions` times. */
async function share(
  count: number,
  { versions = 1, folderId = null as FolderId | null } = {},
): Promise<{ key: BlobKey; first: DocumentId }> {
  const wish = versionWish({ blob: { ...blobFacts(newId(clock)), size: 0, blockCount: 0 } });
  await committer.commit(scope, wish);
  const values = [scope.orgId, wish.documentId, blake3Of(wish.blob.key), count, versions, folderId];
  // As the owner of the tables, past row-level security: a commit each would take a minute.
  await admin.query(
    `WITH made AS (
       SELECT gen_random_uuid() AS version_id, ('f' || substr(md5($2::text || n), 2))::uuid AS id, n FROM generate_series(1, $4::int) AS n
     ), document AS (
       INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at, folder_id)
       SELECT $1, id, version_id, $1, now(), now(), $6::uuid FROM made
     )
     INSERT INTO quasar.version (org_id, document_id, id, parents, blob_key, content_type, created_by, created_at)
     SELECT $1, made.id, CASE WHEN again = 1 THEN version_id ELSE gen_random_uuid() END, '{}', decode($3, 'hex'), 'text/plain', $1, now()
       FROM made CROSS JOIN generate_series(1, $5::int) AS again`,
    values,
  );
  return { key: wish.blob.key, first: wish.documentId };
}

function allow(
  thing: { kind: 'document'; documentId: DocumentId } | { kind: 'folder'; folderId: FolderId },
  ...to: (PrincipalId | GroupId)[]
) {
  return rules.replaceRules(scope, thing, {
    rules: [newRule('allow', ['doc.read', 'blob.read'], ...to)],
    expectedVersion: 0,
    atMs: NOW,
  });
}

/** Rows of versions and documents that the look-up fetched. */
async function fetched(key: BlobKey): Promise<number> {
  return inTransaction(pool, async ({ query }) => {
    // Of this connection, earlier transactions that have not been added up yet among them.
    const count = async () => {
      const { rows } = await query<{ n: number }>(
        `SELECT (sum(seq_tup_read) + sum(idx_tup_fetch))::int AS n FROM pg_stat_xact_user_tables WHERE relname IN ('version', 'document')`,
      );
      return rows[0]?.n ?? Number.NaN;
    };
    const before = await count();
    const bounds = [limits.blobDocumentsExaminedMax, limits.accessListBatchMax];
    const values = [scope.orgId, blake3Of(key), [reader.principalId], null, ...bounds];
    await query('SELECT * FROM quasar.documents_of_blob($1, $2, $3::uuid[], $4, $5, $6)', values);
    return (await count()) - before;
  });
}

t.test('thousands of documents that share a blob are looked at no more than are allowed, and answer like none', async (t) => {
  const none = await ask(blobFacts('nothing has it').key);
  t.equal(none.outcome, 'blob_not_found');
  t.equal(none.statements.length, 2);
  const { key } = await share(5 * limits.blobDocumentsExaminedMax);
  const hidden = await ask(key);
  t.strictSame(hidden, none);
  t.ok(((asked[1]?.[1] ?? []) as unknown[]).length <= limits.accessListBatchMax);
  // A version and a document each, and one version where the scan begins.
  for (const known of ['as new tables are', 'by statistics']) {
    // A version and a document each, and what is found where the walk ends.
    const rows = await fetched(key);
    t.ok(rows >= limits.blobDocumentsExaminedMax && rows <= 2 * limits.blobDocumentsExaminedMax + 2, `${rows} rows, ${known}`);
    await admin.query('ANALYZE quasar.version, quasar.document');
  }
});

t.test('versions of one document that share a blob are one step', async (t) => {
  const { key } = await share(2, { versions: 4000 });
  t.equal((await ask(key)).outcome, 'blob_not_found');
  for (const known of ['as new tables are', 'by statistics']) {
    const rows = await fetched(key);
    t.ok(rows <= 10, `${rows} rows, ${known}`);
    await admin.query('ANALYZE quasar.version, quasar.document');
  }
});

t.test('the one that may be read is found among those that may not, by its own rules or by those of its folder', async (t) => {
  const outer = newFolder();
  const inner = newFolder({ parentId: outer.folderId });
  const other = newFolder();
  for (const folder of [outer, inner, other]) await folders.createFolder(scope, folder);
  for (const [name, grant] of [
    ['its own', (first: DocumentId) => allow({ kind: 'document', documentId: first }, reader.principalId)],
    ['its group', (first: DocumentId) => allow({ kind: 'document', documentId: first }, group.groupId)],
    ['its folder', (first: DocumentId) => folders.placeDocument(scope, first, inner.folderId)],
  ] as const) {
    const { key, first } = await share(limits.blobDocumentsExaminedMax - 1, { folderId: other.folderId });
    t.equal((await ask(key)).outcome, 'blob_not_found');
    if (name === 'its folder') await allow({ kind: 'folder', folderId: outer.folderId }, reader.principalId);
    await grant(first);
    const found = await ask(key);
    t.equal(found.outcome, 200, name);
    t.strictSame(found.statements.length, 3, 'one more for the blob itself');
  }
});

t.test('beyond the bound the document is named by the reader', async (t) => {
  const { key, first } = await share(2 * limits.blobDocumentsExaminedMax);
  await allow({ kind: 'document', documentId: first }, reader.principalId);
  t.equal((await ask(key)).outcome, 'blob_not_found');
  t.equal((await ask(key, `document=${first}`)).outcome, 200);
  const stranger = await share(1);
  const none = await ask(blobFacts('nothing').key, `document=${first}`);
  t.equal(none.outcome, 'blob_not_found');
  for (const [other, document] of [
    [key, stranger.first],
    [stranger.key, stranger.first],
    [stranger.key, first],
    [key, newId<DocumentId>(clock)],
  ] as const) {
    t.strictSame(await ask(other, `document=${document}`), none, 'hidden, of another blob, or absent');
  }
  await t.rejects(
    ask(key, 'document=x').then(({ outcome }) => Promise.reject(new Error(String(outcome)))),
    { message: 'bad_parameter' },
  );
});
