import { join } from 'node:path';
import { ensureAdminKey } from '../access/admin-key.ts';
import { PostgresKeyStore } from '../access/postgres-key-store.ts';
import { PostgresOrgStore } from '../access/postgres-org-store.ts';
import { systemActor } from '../audit/system-actor.ts';
import { CachingCatalog } from '../catalog/caching-catalog.ts';
import { CachingSchemaStore } from '../catalog/caching-schema-store.ts';
import { PostgresCatalog } from '../catalog/postgres-catalog.ts';
import { PostgresDisposalStore } from '../catalog/postgres-disposal-store.ts';
import { PostgresLabelStore } from '../catalog/postgres-label-store.ts';
import { PostgresMetadataStore } from '../catalog/postgres-metadata-store.ts';
import { PostgresMigrationStore } from '../catalog/postgres-migration-store.ts';
import { PostgresRefStore } from '../catalog/postgres-ref-store.ts';
import { PostgresSchemaStore } from '../catalog/postgres-schema-store.ts';
import { PostgresVersionCommitter } from '../catalog/postgres-version-committer.ts';
import type { ChunkerName } from '../chunker/hasher.ts';
import { PiscinaHasher } from '../chunker/piscina-hasher.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { ensureSecret } from '../config/secrets.ts';
import { systemClock } from '../core/clock.ts';
import { Closer } from '../core/closer.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { Slab } from '../core/slab.ts';
import { findLocalScope } from '../database/local-scope.ts';
import { makeFolder } from '../disk/durable-folder.ts';
import { BlockMap } from '../download/block-map.ts';
import { BlockCache } from '../graviton/block-cache.ts';
import { LocalNode } from '../graviton/local-node.ts';
import { Scrub } from '../graviton/scrub.ts';
import { explainStart } from '../graviton/start-fault.ts';
import { StretchReader } from '../graviton/stretch-reader.ts';
import { ClientAddresses } from '../http/client-address.ts';
import { Cursors } from '../http/cursor.ts';
import { dispatchTo } from '../http/dispatch.ts';
import { defaultEdgeRules, type Edge } from '../http/edge.ts';
import type { Services } from '../http/handlers/services.ts';
import { openEdge } from '../http/open-edge.ts';
import { openapiText } from '../http/openapi/openapi.ts';
import { requestIds } from '../http/request-id.ts';
import { requestLog } from '../http/request-log.ts';
import { Router } from '../http/router.ts';
import { routes } from '../http/routes.ts';
import { SchemaValidator } from '../metadata/schema-validator.ts';
import { writerBufferSize } from '../segment/segment-writer.ts';
import { openPinoLog } from '../telemetry/pino-log.ts';
import { createPromMetrics } from '../telemetry/prom-metrics.ts';
import { Admission } from '../upload/admission.ts';
import type { OneShotDeps } from '../upload/one-shot.ts';
import { PostgresSessionStore } from '../upload/postgres-session-store.ts';
import { Uploads } from '../upload/uploads.ts';
import { accessStores } from './access-stores.ts';
import { openAuditLog } from './audit-log.ts';
import { checkNode } from './check-node.ts';
import { countConnections } from './connection-count.ts';
import { DatabaseCheck } from './database-check.ts';
import { looksEmptied, looksLost, looksNew } from './lost-database.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';
import { openGate } from './open-gate.ts';
import { openPepper } from './open-pepper.ts';
import { readReadiness } from './readiness.ts';
import { waitForStopSignal } from './stop-signal.ts';
import { registerStoreMetrics } from './store-metrics.ts';
import { welcome } from './welcome.ts';

export interface UpFlags {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** A node to go on with although the database belongs to another one. */
  readonly acceptNode?: string | undefined;
  /** To go on with an empty database although the node holds documents. */
  readonly acceptEmptyDatabase?: boolean;
}

/** `quasar up`: everything on one machine. Resolves with the exit code after a signal and an orderly end. */
export async function runUp(flags: UpFlags): Promise<number> {
  const { config } = await readConfig({ configDirectory: flags.config, flags });
  const log = await openPinoLog(config.logging);
  const closer = new Closer();
  closer.push('log', () => log.close());
  try {
    const running = await openAllInOne(config, log, closer, flags);
    process.stderr.write(welcome(config, running));
    const signal = await waitForStopSignal(systemClock);
    await drain(running, signal, config, log);
    return 0;
  } finally {
    for (const { name, cause } of await closer.close()) log.error({ part: name, error: cause }, 'a part did not close in order');
  }
}

export interface AllInOne {
  readonly edge: Edge;
  readonly databaseLost: boolean;
  readonly admission: Admission;
  readonly uploads: Uploads;
  readonly database: OpenedDatabase;
  readonly node: LocalNode;
}

/** Opens every part, the slow ones side by side; each is closed by `closer` in reverse order. */
export async function openAllInOne(
  config: Config,
  log: Log,
  closer: Closer,
  { acceptNode: accepted, acceptEmptyDatabase: acceptsEmpty = false }: Pick<UpFlags, 'acceptNode' | 'acceptEmptyDatabase'> = {},
): Promise<AllInOne> {
  const connectionsMax = await countConnections(config, log);
  await makeFolder(config.dataDirectory).catch((error: unknown) => {
    throw explainStart(error, config.dataDirectory);
  });
  const metrics = createPromMetrics();
  const slab = new Slab({
    slotSize: limits.slotSize,
    slotCount: Math.floor(config.memory.slabSize / limits.slotSize),
    uploadSlotsMax: config.memory.uploadSlotsMax,
    extraSize: writerBufferSize,
  });
  const { database, hasher, node } = await openSlowParts(config, log, slab, closer);
  const scope = await findLocalScope(database.pool);
  const plainCatalog = new PostgresCatalog(database.pool);
  const isEmptied = () => looksEmptied(scope, plainCatalog, node);
  const isLost = () => looksNew(scope, plainCatalog, new PostgresOrgStore(database.pool), node);
  await checkNode({ queries: database.pool, node, isEmptied, isLost, accepted, acceptsEmpty, log });
  const scrub = startScrub(config, { node, slab, hasher, log });
  closer.push('scrub', () => scrub?.close());
  const keys = new PostgresKeyStore(database.pool);
  const pepper = await openPepper({ directory: config.secretsDirectory, keys, scope, clock: systemClock, log });
  await ensureAdminKey({
    directory: join(config.dataDirectory, 'secrets'),
    ...{ pepper, by: systemActor(scope, 'up', systemClock), keys, clock: systemClock, log },
  });

  // Before what still notes something when it closes.
  const audit = await openAuditLog({
    pool: database.pool,
    secretsDirectory: config.secretsDirectory,
    scope,
    clock: systemClock,
    log: log.child({ part: 'audit' }),
  });
  closer.push('audit log', () => audit.close());

  const gateOptions = { config, database, pepper, writer: audit.writer, operatorOrgId: scope.orgId, clock: systemClock };
  const gate = await openGate({ ...gateOptions, log: log.child({ part: 'access' }) }, closer);

  const committer = new PostgresVersionCommitter({ pool: database.pool, catalog: plainCatalog, clock: systemClock });
  const catalog = new CachingCatalog({
    catalog: plainCatalog,
    committer,
    labels: new PostgresLabelStore(database.pool),
    metadata: new PostgresMetadataStore(database.pool),
    disposals: new PostgresDisposalStore(database.pool),
    entriesMax: limits.contentCacheEntriesMax,
  });
  const cache = new BlockCache({
    slab,
    node,
    hasher,
    onCorrupt: (id, reason) =>
      log.error({ blockId: id, reason }, 'a stored block is corrupt; its record is marked and no longer read'),
  });
  const stretches = new StretchReader({ node, hasher, cachedBlocks: slab.slotCount });
  const admission = new Admission({
    slab,
    node,
    uploadsInFlightMax: config.uploads.inFlightMax,
    slotsPerUploadMax: limits.slotsPerUploadMax,
  });
  const chunker: ChunkerName = config.storage.chunker === 'fixed' ? 'fixed-1m' : config.storage.chunker;
  const oneShot: OneShotDeps = {
    slab,
    hasher,
    node,
    admission,
    catalog,
    committer: catalog,
    clock: systemClock,
    chunker,
    uploadSizeMax: config.uploads.sizeMax,
    stallRule: { windowMs: config.uploads.progressWindowMs, bytesMin: config.uploads.progressBytesMin },
  };
  const uploads = new Uploads({
    ...oneShot,
    sessions: new PostgresSessionStore({ pool: database.pool, clock: systemClock, lifetimeMs: config.uploads.lifetimeMs }),
    cache,
    log,
    idleHashStatesMax: limits.idleHashStatesMax,
    checkpointBytes: limits.checkpointBytes,
    checkpointIntervalMs: limits.checkpointIntervalMs,
  });
  closer.push('uploads', () => uploads.close());

  const validator = SchemaValidator.onDemand({ clock: systemClock });
  closer.push('schema validator', () => validator.close());

  let edge: Edge | undefined;
  registerStoreMetrics(metrics, {
    slab,
    cache,
    stretches,
    node,
    admission,
    scrub,
    audit: audit.statistics,
    edge: () => edge,
  });
  const databaseCheck = new DatabaseCheck({ ping: () => ping(database) });
  const cursorSecret = await ensureSecret({ directory: config.secretsDirectory, name: 'cursor' }, 32, systemClock);
  const services: Services = {
    gate,
    uploads,
    oneShot,
    catalog,
    records: {
      catalog,
      metadata: catalog,
      schemas: new CachingSchemaStore(new PostgresSchemaStore(database.pool), systemClock),
      refs: new PostgresRefStore(database.pool),
      migrations: new PostgresMigrationStore(database.pool),
      validator,
      clock: systemClock,
    },
    restore: { cache, stretches, map: new BlockMap(catalog) },
    audit,
    access: accessStores(database.pool, pepper, scope),
    cursors: new Cursors(cursorSecret.reveal(), systemClock),
    clock: systemClock,
    chunker,
    durability: 'fsync;nodes=1',
    uploadLifetimeMs: config.uploads.lifetimeMs,
    downloadStallMs: config.downloads.stallMs,
    readiness: () =>
      readReadiness({
        node,
        slab,
        admission,
        databaseAnswers: () => databaseCheck.answers(),
        edgeName: () => edge?.name ?? 'not listening yet',
      }),
    metricsText: () => metrics.render(),
    openapi: openapiText(),
  };
  const databaseLost = await looksLost(scope, plainCatalog, node);
  edge = await openEdge(config.http.adapter, {
    host: config.http.host,
    port: config.http.port,
    clock: systemClock,
    dispatch: dispatchTo(new Router(routes), services, { gate, addresses: openAddresses(config, log) }),
    newRequestId: requestIds(systemClock),
    onFinished: requestLog(log, metrics),
    rules: { ...defaultEdgeRules, connectionsMax },
  });
  const opened = edge;
  closer.push('http', () => opened.close());
  if (databaseLost)
    log.warn({}, 'the database is empty, but the node holds manifests: was the database lost? See docs/operations.md');
  const { directIo, missingSegments } = node.health();
  const facts = { host: edge.host, port: edge.port, edge: edge.name, connectionsMax, directIo, chunker };
  if (missingSegments === undefined) log.info(facts, 'ready');
  else log.error({ ...facts, missingSegments }, 'listening, but not ready: segments are missing');
  return { edge, databaseLost, admission, uploads, database, node };
}

interface SlowParts {
  readonly database: OpenedDatabase;
  readonly hasher: PiscinaHasher;
  readonly node: LocalNode;
}

/** They do not depend on each other; what did open is closed when another one fails. */
async function openSlowParts(config: Config, log: Log, slab: Slab, closer: Closer): Promise<SlowParts> {
  const data = config.dataDirectory;
  const password = await ensureSecret({ directory: config.secretsDirectory, name: 'postgres-password' }, 32, systemClock);
  const [node, database, hasher] = await Promise.allSettled([
    LocalNode.open({
      directory: join(data, 'node'),
      slab,
      segmentSize: config.storage.segmentSize,
      spareSegments: config.storage.spareSegments,
      freeSpaceFloor: { ratio: config.storage.freeSpaceFloorRatio, bytes: config.storage.freeSpaceFloorBytes },
      directIo: config.storage.directIo === 'auto',
      clock: systemClock,
      log: log.child({ part: 'node' }),
    }),
    openDatabase(config, { password, directory: join(data, 'postgres'), log }),
    PiscinaHasher.open({
      slab,
      lanes: HASH_LANES,
      onLaneFault: (error) => log.error({ error }, 'a hash lane died; its uploads fail and a new thread takes over'),
    }),
  ]);
  if (hasher.status === 'fulfilled') closer.push('hash lanes', () => hasher.value.close());
  if (database.status === 'fulfilled') closer.push('database', () => database.value.close(), DATABASE_CLOSE_MS);
  if (node.status === 'fulfilled') closer.push('node', () => node.value.close(), NODE_CLOSE_MS);
  if (node.status === 'rejected') throw node.reason;
  if (database.status === 'rejected') throw database.reason;
  if (hasher.status === 'rejected') throw hasher.reason;
  return { node: node.value, database: database.value, hasher: hasher.value };
}

function startScrub(config: Config, parts: { node: LocalNode; slab: Slab; hasher: PiscinaHasher; log: Log }): Scrub | undefined {
  const { enabled, intervalMs, rateMax } = config.storage.scrub;
  if (!enabled) return undefined;
  const { node, log, ...memory } = parts;
  const rules = { intervalMs, rateMax };
  return Scrub.start({ ...memory, access: node.scrubAccess, clock: systemClock, log: log.child({ part: 'scrub' }), rules });
}

/** No new uploads or connections; what runs may finish until the limit, then it is cut. Nothing acknowledged is at stake. */
async function drain({ edge, admission }: AllInOne, signal: string, config: Config, log: Log): Promise<void> {
  log.info({ signal, active: edge.active }, 'draining: no new uploads, running requests finish');
  admission.drain();
  edge.stopListening();
  const deadline = systemClock.monotonic() + config.shutdown.drainMs;
  while (edge.active > 0 && systemClock.monotonic() < deadline)
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  if (edge.active > 0) log.warn({ active: edge.active }, 'the drain limit is reached; what still runs is cut');
}

/** Behind a proxy that is not named everybody comes from one address, in the audit log and where addresses are limited. */
function openAddresses({ http: { behindTlsProxy, trustedProxies, forwardedHeader } }: Config, log: Log): ClientAddresses {
  if (behindTlsProxy && trustedProxies.length === 0) {
    log.warn(
      {},
      'http.trusted-proxies is not set: the audit log and the limit by address have the address of the proxy for all clients',
    );
  }
  return new ClientAddresses({ trustedProxies, header: forwardedHeader });
}

async function ping(database: OpenedDatabase): Promise<void> {
  await database.pool.query('SELECT 1');
}

/** One hashes while the event loop moves bytes; the second keeps two uploads, or two hashes of one, apart. */
const HASH_LANES = 2;
const DRAIN_POLL_MS = 20;
const DATABASE_CLOSE_MS = 60_000;
const NODE_CLOSE_MS = 60_000;
