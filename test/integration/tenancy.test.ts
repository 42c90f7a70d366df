import t from 'tap';
import { PostgresAuditStore } from '../../src/audit/postgres-audit-store.ts';
import { AuditSequencer } from '../../src/audit/sequencer.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresMetadataStore } from '../../src/catalog/postgres-metadata-store.ts';
import { PostgresMigrationStore } from '../../src/catalog/postgres-migration-store.ts';
import { PostgresRefStore } from '../../src/catalog/postgres-ref-store.ts';
import { PostgresSchemaStore } from '../../src/catalog/postgres-schema-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { isId, type Scope } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { withTransaction } from '../../src/database/transaction.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import { newSession } from '../contract/session-store.contract.ts';
import { fillAccess } from '../helpers/access-rows.ts';
import { appendEvents } from '../helpers/append-events.ts';
import { eventsOf, signerOf } from '../helpers/audit-database.ts';
import { CASE, metadataEntry, metadataWish, putting } from '../helpers/metadata-wish.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const sequencer = new AuditSequencer({ store: new PostgresAuditStore(pool), signerOf, clock: systemClock, log: silentLog });
const stranger = await makeOrg(admin, 'stranger');
const TENANT_TABLES = [
  'audit.event',
  'audit.leaf',
  'audit.subtree',
  'audit.checkpoint',
  'audit.progress',
  'core.principal',
  'core.principal_group',
  'core.group_member',
  'core.group_nesting',
  'core.api_key',
  'core.revoked_token',
  'graviton.blob',
  'graviton.manifest_page',
  'quasar.document',
  'quasar.folder',
  'quasar.rule_set',
  'quasar.access_rule',
  'quasar.version',
  'quasar.label',
  'quasar.label_move',
  'quasar.metadata',
  'quasar.bundle_entry',
  'quasar.external_ref',
  'quasar.namespace',
  'quasar.schema',
  'quasar.schema_migration',
  'quasar.upload',
  'quasar.upload_checkpoint',
  'quasar.idempotency',
];

/** One row in every table. */
async function fill(of: Actor): Promise<void> {
  const catalog = new PostgresCatalog(pool);
  const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
  await withTransaction(pool, of, (transaction) => appendEvents(transaction, eventsOf(of, 0, 2)));
  await sequencer.sequence();
  await sequencer.sign();
  const idempotency = { key: 'key', fingerprint: 'f' };
  const wish = versionWish({ labels: ['signed'], pages: [Buffer.alloc(72)], idempotency });
  await committer.commit(of, wish);
  await new PostgresMetadataStore(pool).commitMetadata(of, metadataWish(wish.documentId, [putting(metadataEntry())]));
  const body = { body: '{}', digest: wish.blob.sha256, namespace: CASE, twinKey: CASE, state: 'draft' } as const;
  await new PostgresRefStore(pool).addRef(of, wish.documentId, { system: 'dms', value: '1', meta: undefined }, 0);
  const urn = 'urn:quasar:schema:case@1.0.0';
  await new PostgresSchemaStore(pool).addSchema(of, { urn, ...body }, 0);
  const migration = { from: urn, to: urn, forward: '[]', inverse: '[]', samples: '[]' };
  await new PostgresMigrationStore(pool).addMigration(of, migration, 0);
  await fillAccess(pool, of, wish.documentId);
  const sessions = new PostgresSessionStore({ pool, clock: systemClock });
  const session = newSession(systemClock);
  const { uploadId, fence } = session;
  await sessions.create(of, { session, attached: undefined, idempotency: undefined });
  const block = { id: versionWish().blob.sha256 as never, size: 1 };
  await sessions.checkpoint(of, { uploadId, fence, offset: 1, fromBlock: 0, blocks: [block], piece: undefined });
}

/** Tables, partitions and partitioned tables alike. */
const TABLES = `
  SELECT c.oid, c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy,
         EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND 0 = ANY (p.polroles)) AS for_everyone,
         pg_get_userbyid(c.relowner) AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname IN ('audit', 'core', 'graviton', 'quasar') AND c.relkind IN ('r', 'p')
   ORDER BY name`;

interface TableRow {
  readonly name: string;
  readonly forced: boolean;
  readonly has_policy: boolean;
  readonly for_everyone: boolean;
  readonly owner: string;
}

t.test('every table forces row-level security, and its policies name their role', async (t) => {
  const { rows } = await admin.query<TableRow>(TABLES);
  t.strictSame(
    rows.map(({ name }) => name).sort(),
    [...TENANT_TABLES, 'core.migration', 'core.org', 'graviton.store_node'].sort(),
  );
  for (const { name, forced, has_policy, for_everyone, owner } of rows) {
    t.ok(forced, `${name} forces row-level security`);
    t.ok(has_policy, `${name} has a policy`);
    t.notOk(for_everyone, `${name} has no policy for everyone`);
    t.equal(owner, 'quasar_owner', `${name} belongs to quasar_owner`);
  }
});

t.test('the catalogue test sees a partition that was forgotten', async (t) => {
  await admin.query(`
    CREATE TABLE quasar.split (org_id uuid) PARTITION BY LIST (org_id);
    ALTER TABLE quasar.split ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE TABLE quasar.split_rest PARTITION OF quasar.split DEFAULT`);
  const { rows } = await admin.query<TableRow>(TABLES);
  t.strictSame(
    rows.filter(({ forced }) => !forced).map(({ name }) => name),
    ['quasar.split_rest'],
  );
  await admin.query('DROP TABLE quasar.split');
});

t.test('views check the rights of their reader', async (t) => {
  const { rows } = await admin.query<{ name: string; options: string[] | null; kind: string }>(`
    SELECT c.oid::regclass::text AS name, c.reloptions AS options, c.relkind AS kind
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('audit', 'core', 'graviton', 'quasar') AND c.relkind IN ('v', 'm')`);
  t.ok(rows.length > 0);
  for (const { name, options, kind } of rows) {
    t.equal(kind, 'v', `${name} is no materialised view: those have no row-level security`);
    t.ok(options?.includes('security_invoker=true'), `${name} is security_invoker`);
  }
});

t.test('functions with the rights of their owner belong to quasar_definer and pin their search_path', async (t) => {
  const { rows } = await admin.query<{
    name: string;
    owner: string;
    config: string[] | null;
    everyone: boolean;
    definer: boolean;
  }>(`
    SELECT f.oid::regprocedure::text AS name, pg_get_userbyid(f.proowner) AS owner, f.proconfig AS config, f.prosecdef AS definer,
           f.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee = 0) AS everyone
      FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
     WHERE n.nspname IN ('audit', 'core', 'graviton', 'quasar')`);
  t.ok(rows.some(({ definer }) => definer));
  for (const { name, owner, config, everyone, definer } of rows) {
    t.notOk(everyone, `${name} is not for everyone to call`);
    if (!definer) continue;
    t.equal(owner, 'quasar_definer', `${name} belongs to quasar_definer`);
    t.ok(
      config?.some((setting) => setting.startsWith('search_path=')),
      `${name} pins its search_path`,
    );
  }
});

t.test('the application may not log in as more than it is', async (t) => {
  const { rows } = await admin.query<{ rolname: string; can_login: boolean; powerful: boolean }>(`
    SELECT rolname, rolcanlogin AS can_login, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS powerful
      FROM pg_roles WHERE rolname LIKE 'quasar%' ORDER BY rolname`);
  t.strictSame(rows, [
    { rolname: 'quasar_app', can_login: true, powerful: false },
    { rolname: 'quasar_definer', can_login: false, powerful: false },
    { rolname: 'quasar_owner', can_login: false, powerful: false },
    { rolname: 'quasar_runner', can_login: false, powerful: false },
  ]);
  await t.rejects(pool.query('CREATE TABLE quasar.mine (x int)'));
  await t.rejects(pool.query('CREATE TABLE public.mine (x int)'));
  await t.rejects(pool.query('ALTER TABLE quasar.document DISABLE ROW LEVEL SECURITY'));
  await t.rejects(pool.query('SET ROLE quasar_owner'));
  await t.rejects(pool.change('DELETE FROM quasar.version'));
  await t.rejects(pool.change("UPDATE core.migration SET checksum = ''"));
});

t.test('without an org nothing is visible, with one its rows alone are', async (t) => {
  await fill(scope);
  await fill(stranger);
  const count = async (table: string, as: Scope | undefined) => {
    const text = `SELECT count(*)::int AS count, array_agg(DISTINCT org_id) AS orgs FROM ${table}`;
    type Seen = { count: number; orgs: string[] | null };
    const { rows } = as ? await withTransaction(pool, as, ({ query }) => query<Seen>(text)) : await pool.query<Seen>(text);
    return rows[0] as Seen;
  };
  for (const table of TENANT_TABLES) {
    t.strictSame(await count(table, undefined), { count: 0, orgs: null }, `${table} without an org`);
    t.strictSame((await count(table, scope)).orgs, [scope.orgId], `${table} of the one org`);
    t.strictSame((await count(table, stranger)).orgs, [stranger.orgId], `${table} of the other`);
  }
});

t.test('an org that was set does not outlive its transaction, nor a failed one', async (t) => {
  const visible = async () => (await pool.query('SELECT FROM quasar.document')).rows.length;
  await withTransaction(pool, scope, ({ query }) => query('SELECT FROM quasar.document'));
  await t.rejects(withTransaction(pool, scope, ({ query }) => query('SELECT 1 / 0')));
  await new PostgresCatalog(pool).listDocuments(scope, { limit: 1, after: undefined });
  // Every connection of the pool, whichever it hands out.
  const counts = await Promise.all(Array.from({ length: 10 }, visible));
  t.ok(counts.every((count) => count === 0));
});

t.test('an org that is empty or unknown shows nothing', async (t) => {
  for (const org of ['', stranger.orgId.replaceAll(/[0-9]/g, 'a')]) {
    const rows = await pool.withConnection(async (connection) => {
      await connection.query("SELECT set_config('app.org_id', $1, false)", [org]);
      const { rows: seen } = await connection.query('SELECT FROM quasar.document');
      await connection.query("SELECT set_config('app.org_id', '', false)");
      return seen;
    });
    t.equal(rows.length, 0);
  }
});

t.test('rows cannot be written for another org, nor moved to it', async (t) => {
  const { documentId, versionId } = versionWish();
  const insert = `INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at)
                  VALUES ($1, $2, $3, $4, now(), now())`;
  const values = [stranger.orgId, documentId, versionId, scope.principalId];
  await t.rejects(
    withTransaction(pool, scope, ({ query }) => query(insert, values)),
    { cause: { code: '42501' } },
  );
  const move = 'UPDATE quasar.document SET org_id = $1';
  await t.rejects(
    withTransaction(pool, scope, ({ query }) => query(move, [stranger.orgId])),
    { cause: { code: '42501' } },
  );
});

t.test('the first migration makes one org and one principal with time-ordered ids', async (t) => {
  t.ok(isId(scope.orgId) && isId(scope.principalId));
  for (const id of [scope.orgId, scope.principalId]) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
    const ms = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    t.ok(ms > Date.UTC(2024, 0) && ms <= systemClock.now());
  }
});
