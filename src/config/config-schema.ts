import { limits } from '../core/limits.ts';
import {
  databaseUrl,
  duration,
  host,
  integer,
  type Key,
  networks,
  oneOf,
  path,
  port,
  ratio,
  size,
  toggle,
} from './config-key.ts';
import { rateKeys } from './rate-keys.ts';
import { tokenKeys } from './token-keys.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const SECOND = 1000;
const DAY = 86_400 * SECOND;

/**
 * Every key of every config file. docs/configuration.md and config/*.conf.example say the same; a test compares them.
 * A key appears here when the program uses it.
 */
export const configSchema = {
  'quasar.conf': {
    data: path({
      default: './data',
      description:
        'Folder of everything that is kept: database, storage node, secrets. Like --data. The default lies in the working directory.',
    }),
    'http.host': host({
      default: '127.0.0.1',
      description: 'Address to listen on. Like --host. Beyond loopback, http.behind-tls-proxy must be true.',
    }),
    'http.port': port({ default: 8080, description: 'Port to listen on. Like --port.' }),
    'http.adapter': oneOf(['net', 'node'], {
      default: 'net',
      description: 'HTTP server: our own on sockets (net), or that of Node.js (node), which takes bodies in more slowly.',
    }),
    'http.connectionsMax': integer({
      min: limits.httpConnectionsMin,
      max: 65_536,
      default: limits.httpConnectionsMax,
      description:
        'Connections open at once, or fewer where the limit of open files (ulimit -n) leaves fewer. With all of them taken a new one gets the place of the one that has waited longest without a request.',
    }),
    'http.behind-tls-proxy': toggle({
      default: false,
      description:
        'Quasar speaks plain HTTP. True says that a proxy in front of it speaks TLS, and that nobody else reaches the port, and lets it listen beyond loopback.',
    }),
    'http.trusted-proxies': networks({
      example: '10.1.0.7 10.2.0.0/16',
      description:
        'Addresses and networks of the proxies in front. The client address that they report is used in the audit log and for limits by address. Without it, the address of the connection is used.',
    }),
    'http.forwarded-header': oneOf(['auto', 'x-forwarded-for', 'forwarded'], {
      default: 'auto',
      description:
        "The header those proxies write addresses into. With auto the one that is there; when both are there and differ, the address is the proxy's.",
    }),
    ...tokenKeys,
    ...rateKeys,
    'uploads.inFlightMax': integer({
      min: 1,
      max: limits.uploadSlotsMax,
      default: limits.uploadsInFlightMax,
      description: `Uploads that send bytes at the same time; more are answered 503 with Retry-After. ${limits.uploadsKept} further places are kept for principals and organisations with fewer than ${limits.uploadsFew} of them.`,
    }),
    'uploads.sizeMax': size({
      min: 1,
      max: limits.blobSizeMax,
      default: limits.blobSizeMax,
      description: 'Largest upload; a larger one is answered 413.',
    }),
    'uploads.lifetime': duration({
      min: 60 * SECOND,
      max: 365 * DAY,
      default: limits.uploadLifetimeMs,
      description: 'An upload session that is idle for this long expires.',
    }),
    'uploads.progressBytesMin': size({
      min: 1,
      max: 64 * MiB,
      default: limits.uploadProgressBytesMin,
      description: 'A client that sends less than this within uploads.progressWindow is cut; what it sent stays.',
    }),
    'uploads.progressWindow': duration({
      min: SECOND,
      max: 600 * SECOND,
      default: limits.uploadProgressWindowMs,
      description: 'The window of uploads.progressBytesMin.',
    }),
    'downloads.stallTime': duration({
      min: SECOND,
      max: 600 * SECOND,
      default: limits.downloadStallMs,
      description: 'A client that takes no byte of an answer for this long is cut.',
    }),
    'memory.slabSize': size({
      min: 8 * limits.slotSize,
      max: 16 * GiB,
      multipleOf: limits.slotSize,
      default: limits.slabSize,
      description:
        'Memory for content on its way in and out, cached blocks included. 31 of 32 MiB of it bound uploads.inFlightMax.',
    }),
    'shutdown.drainTime': duration({
      min: 0,
      max: 3600 * SECOND,
      default: limits.drainMs,
      description: 'After SIGTERM running requests have this long to finish.',
    }),
  },
  'db.conf': {
    url: databaseUrl({
      description:
        'PostgreSQL server to use; it may go through PgBouncer. Without it, `quasar up` runs a server of its own. Add ?sslmode=verify-full for TLS: docs/operations.md tells of it.',
    }),
    directUrl: databaseUrl({
      description:
        'The same server without PgBouncer, for locks, notifications and migrations. The default is url, which then must not go through a pooler.',
    }),
    poolSize: integer({
      min: 1,
      max: 100,
      default: limits.databasePoolSize,
      description: 'Connections for requests that this process opens at most. A few more serve its start and its notifications.',
    }),
    connectTimeout: duration({
      min: 100,
      max: 300 * SECOND,
      default: limits.databaseConnectMs,
      description: 'How long to wait for a connection, be it to the server or for a free one of the pool.',
    }),
    statementTimeout: duration({
      min: 100,
      max: 3600 * SECOND,
      default: limits.databaseStatementMs,
      description:
        'A statement that takes longer is cancelled, changes nothing and is answered 503 with the code timeout. Migrations have an hour.',
    }),
  },
  'storage.conf': {
    segmentSize: size({
      min: 4 * limits.batchSizeMax,
      max: 4 * GiB,
      multipleOf: MiB,
      default: limits.segmentSize,
      description: 'Size of a segment file. Fixed when a storage folder is made; another value is refused later.',
    }),
    spareSegments: integer({
      min: 0,
      max: limits.spareSegmentsMax,
      default: limits.spareSegmentsMax,
      description:
        'Segment files prepared in idle time: writing into them is up to twice as fast, and each takes segmentSize of the disk.',
    }),
    'freeSpaceFloor.ratio': ratio({
      min: 0,
      max: 0.9,
      default: limits.freeSpaceFloorRatio,
      description: 'New uploads are answered 507 when less than this share of the disk is free.',
    }),
    'freeSpaceFloor.bytes': size({
      min: MiB,
      max: 1024 * GiB,
      default: limits.freeSpaceFloorBytes,
      description: 'New uploads are answered 507 when less than this is free, whatever the share.',
    }),
    chunker: oneOf(['fixed', 'fastcdc-v1'], {
      default: 'fixed',
      description:
        'How new uploads are cut into blocks: every 1 MiB, or by content (better dedupe of edited files, slower). Old ones stay as they are.',
    }),
    directIo: oneOf(['auto', 'off'], {
      default: 'auto',
      description: 'Write past the page cache where the file system can, or never.',
    }),
    'scrub.enabled': toggle({
      default: true,
      description: 'Hash every stored record again in idle time, and mark what is damaged.',
    }),
    'scrub.interval': duration({
      min: 60 * SECOND,
      max: 365 * DAY,
      default: limits.scrubIntervalMs,
      description: 'Every record is hashed again within this time; two passes share it.',
    }),
    'scrub.rateMax': size({
      min: limits.scrubRateMin,
      max: 16 * GiB,
      default: limits.scrubRateMax,
      description: 'What the scrub reads in a second at most. With time to spare it reads 1MiB a second.',
    }),
  },
  'logging.conf': {
    level: oneOf(['debug', 'info', 'warn', 'error'], {
      default: 'info',
      description: 'The least important lines that are written.',
    }),
    format: oneOf(['auto', 'json', 'pretty'], {
      default: 'auto',
      description: 'One JSON object a line, lines for people, or the latter on a terminal and the former elsewhere.',
    }),
  },
} as const satisfies Record<string, Record<string, Key<unknown>>>;

/** Files of the contract whose capability this version does not have. They may lie there, empty. */
export const reservedFiles: readonly string[] = ['redis.conf', 'minio.conf', 'plugins.conf'];

export type ConfigSchema = typeof configSchema;
export type ConfigFileName = keyof ConfigSchema;
