import t from 'tap';
import { AccessEpochs } from '../../src/access/access-epochs.ts';
import { AccessLists } from '../../src/access/access-lists.ts';
import type { Authenticator } from '../../src/access/authenticator.ts';
import { PostgresPrincipalStore } from '../../src/access/postgres-principal-store.ts';
import { PostgresRuleStore } from '../../src/access/postgres-rule-store.ts';
import { capabilitiesOf, type Role } from '../../src/access/role.ts';
import type { Session } from '../../src/access/session.ts';
import { EventWindows } from '../../src/audit/event-windows.ts';
import { EventWriter } from '../../src/audit/event-writer.ts';
import { CachingCatalog } from '../../src/catalog/caching-catalog.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresDisposalStore } from '../../src/catalog/postgres-disposal-store.ts';
import { PostgresLabelStore } from '../../src/catalog/postgres-label-store.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { allCapabilities } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { BlobKey } from '../../src/core/digest.ts';
import { QuasarError } from '../../src/core/errors.ts';
import { type DocumentId, newId, type PrincipalId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Connection, ConnectionPool, QueryResult } from '../../src/database/transaction.ts';
import { AccessGate } from '../../src/http/access-gate.ts';
import { getBlob, getContent } from '../../src/http/handlers/content.ts';
import { getDocument, listDocuments, listVersions, putDocumentContent } from '../../src/http/handlers/documents.ts';
import { getMetadata } from '../../src/http/handlers/metadata.ts';
import type { Services } from '../../src/http/handlers/services.ts';
import { member } from '../../src/http/route-access.ts';
import type { Params, Route } from '../../src/http/router.ts';
import { accessStores, newPrincipal, newRule } from '../helpers/access-rows.ts';
import { FakeExchange } from '../helpers/fake-exchange.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { blobFacts, versionWish } from '../helpers/version-wish.ts';

const { pool, scope } = await openTestDatabase(t);
const clock = systemClock;

/** Keeps the text of every statement. */
class CountingPool implements ConnectionPool {
  readonly texts: string[] = [];

  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    this.texts.push(text);
    return pool.query<Row>(text, values);
  }

  change<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    this.texts.push(text);
    return pool.change<Row>(text, values);
  }

  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return pool.withConnection((connection) => {
      const query: Connection['query'] = (text, values) => {
        this.texts.push(text);
        return connection.query(text, values);
      };
      const begin: Connection['begin'] = (...how) => {
        this.texts.push('BEGIN');
        return connection.begin(...how);
      };
      return work({ query, change: query, begin, commit: () => connection.commit() });
    });
  }

  take(): string[] {
    return this.texts.splice(0);
  }
}

const counting = new CountingPool();
const stores = new PostgresCatalog(counting);
const committer = new PostgresVersionCommitter({ pool: counting, catalog: stores, clock });
const catalog = new CachingCatalog({
  catalog: stores,
  committer,
  labels: new PostgresLabelStore(counting),
  metadata: new PostgresMetadataStore(counting),
  disposals: new PostgresDisposalStore(counting),
  entriesMax: 1000,
});
const refs = new PostgresRefStore(counting);
const epochs = new AccessEpochs();
epochs.listening = true;
const windows = new EventWindows({ writer: new EventWriter(counting), clock, log: silentLog });
t.teardown(() => windows.close());

/** A document with a blob and a reference of its own. */
interface Thing {
  readonly documentId: DocumentId;
  readonly key: BlobKey;
  readonly ref: string;
}

interface Question {
  readonly route: Route<Services>;
  /** The body, or the code of the problem. */
  readonly answer: string;
  readonly paramsOf: (thing: Thing) => Params;
  readonly queryOf?: (thing: Thing) => string;
}

/** Has a role, and is denied by a rule. */
const denied = newPrincipal('denied', { roles: ['clerk'] });
await accessStores(pool).principals.createPrincipal(scope, denied);

const sessions: Readonly<Record<string, Session>> = {
  owner: sessionOf(scope.principalId, ['admin']),
  stranger: sessionOf(newId<PrincipalId>(clock), []),
  denied: sessionOf(denied.principalId, ['clerk']),
};

function sessionOf(principalId: PrincipalId, roles: readonly Role[]): Session {
  const { orgId } = scope;
  const given = { roleCapabilities: capabilitiesOf(roles), tokenScope: allCapabilities };
  const requester = { orgId, principalId, groups: new Set<never>(), suspended: false, ...given };
  return {
    orgId,
    principalId,
    kind: 'user',
    roles,
    credential: { kind: 'api_key', id: 'k' },
    requester,
    account: { orgId, credential: 'c' },
  };
}

const gate = new AccessGate({
  authenticator: { authenticate: (who: string) => sessions[who] as Session } as Partial<Authenticator> as Authenticator,
  lists: new AccessLists(new PostgresRuleStore(counting), epochs),
  principals: new PostgresPrincipalStore(counting),
  rates: undefined,
  ...{ epochs, windows, clock, operatorOrgId: scope.orgId, log: silentLog },
});
const services = { gate, catalog, records: { refs }, clock } as unknown as Services;

/** As the server dispatches it: the gate, then the handler. The code of what was thrown, or the answer's body. */
async function ask(route: Route<Services>, who: string, params: Params, query = ''): Promise<string> {
  const exchange = new FakeExchange({ method: route.method, headers: { authorization: who }, query });
  try {
    const caller = await gate.enter(exchange, route.access, params);
    await route.handler(exchange, params, services, caller);
    return exchange.answer?.body ?? '';
  } catch (error) {
    if (error instanceof QuasarError) return error.code;
    throw error;
  }
}

/** Straight into the database, so that nothing of it is in memory. */
async function storeDocument(): Promise<Thing> {
  const wish = versionWish();
  const { documentId } = wish;
  await committer.commit(scope, wish);
  const thing = { documentId, key: wish.blob.key, ref: `dms:${documentId}` };
  await refs.addRef(scope, documentId, { system: 'dms', value: documentId, meta: undefined }, clock.now());
  const rules = [newRule('deny', ['doc.read'], denied.principalId)];
  await accessStores(pool).rules.replaceRules(
    scope,
    { kind: 'document', documentId },
    { rules, expectedVersion: 0, atMs: clock.now() },
  );
  return thing;
}

function absentThing(): Thing {
  const documentId = newId<DocumentId>(clock);
  return { documentId, key: blobFacts(documentId).key, ref: `dms:${documentId}` };
}

/** Somebody who may reads it, so that all there is of it is in memory. */
async function warm({ documentId, key, ref }: Thing): Promise<void> {
  const owner = await gate.enter(new FakeExchange({ headers: { authorization: 'owner' } }), member, {});
  await gate.require(owner, { kind: 'document', documentId }, 'blob.read');
  const version = await catalog.findVersion(owner, documentId);
  await catalog.findVersion(owner, documentId, version?.versionId);
  await catalog.findBlob(owner, key);
  await refs.findRef(owner, { system: 'dms', value: ref.slice(4) });
}

const NOWHERE = '{"items":[],"nextCursor":null}';
const questions: readonly Question[] = [
  ...[getDocument, getContent, listVersions, getMetadata, putDocumentContent].map((route) => ({
    route,
    answer: 'document_not_found',
    paramsOf: ({ documentId }: Thing) => ({ documentId }),
  })),
  { route: getBlob, answer: 'blob_not_found', paramsOf: ({ key }) => ({ key }) },
  { route: listDocuments, answer: NOWHERE, paramsOf: () => ({}), queryOf: ({ ref }) => `ref=${ref}` },
];

for (const { route, answer, paramsOf, queryOf } of questions) {
  t.test(`${route.method} ${route.pattern}: what is hidden takes the statements of what is absent`, async (t) => {
    for (const who of ['stranger', 'denied']) {
      const [hidden, absent] = [await storeDocument(), absentThing()];
      const statementsOf = async (thing: Thing): Promise<string[]> => {
        counting.take();
        t.equal(await ask(route, who, paramsOf(thing), queryOf?.(thing)), answer);
        return counting.take();
      };
      // Lists are noted by who reads them, not by what is in them.
      await statementsOf(absentThing());
      const first = await statementsOf(absent);
      t.ok(first.length > 0, 'even what is absent is looked for');
      t.strictSame(await statementsOf(hidden), first, `${who}: at first`);
      const again = await statementsOf(absent);
      t.strictSame(await statementsOf(hidden), again, `${who}: once more`);
      await warm(hidden);
      t.strictSame(await statementsOf(hidden), again, `${who}: when it is in memory because somebody else reads it`);
    }
  });
}
