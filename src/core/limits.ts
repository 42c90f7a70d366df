import { httpLimits } from './http-limits.ts';
import { assertRelations } from './limit-relations.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Every bound of the program. Those an operator may change are the defaults of config keys; the rest is fixed.
 * Sizes in bytes, durations in milliseconds.
 */
export const limits = {
  ...httpLimits,

  // blocks and blobs
  blockSizeMax: MiB,
  blobSizeMax: TiB,
  manifestPageEntries: 4096,
  /** Below this, hashing on the event loop costs less than the hop to a lane (55 us is about 450 KiB of BLAKE3). */
  inlineHashMax: 256 * KiB,
  /** The same for BLAKE3 and SHA-256 together, which take five times as long. */
  inlineSingleMax: 128 * KiB,
  /** Manifest entries take some 7 us each to hash: more of them than this are hashed on a lane. */
  inlineManifestEntriesMax: 256,

  /** How long the readiness of what the server depends on is waited for: load balancers ask every few seconds. */
  readinessMs: 2 * SECOND,

  // memory
  slotSize: MiB,
  /** Slab and cache of verified blocks share this budget. Reading alone leaves a quarter of what uploads may hold untouched. */
  slabSize: 136 * MiB,
  /** What uploads may hold of the slab together. */
  uploadSlotsMax: 128,
  /**
   * What one upload may hold: enough to fill, hash by three, queue and write at the same time. One stream measured 1.13 to 1.19
   * times as fast with 18 or 24 as with 12, four streams alike; 32 gave no more.
   */
  slotsPerUploadMax: 18,
  /** What all uploads together may hold of received bytes that found no slot yet; more by one chunk at most. */
  uploadOverflowMax: 4 * MiB,
  /** What one download holds at most: the block being sent and those read ahead. */
  slotsPerDownloadMax: 4,
  /** Answers up to this size are handed to the socket in one piece and may be copied by it. */
  httpInlineReplyMax: 64 * KiB,

  /** A JSON body takes at most this long to arrive. */
  jsonBodyMs: 30 * SECOND,

  // uploads
  uploadsInFlightMax: 100,
  /** Places beyond these, as far as the slab has slots, for principals and orgs with fewer than two uploads in flight. */
  uploadsKept: 8,
  uploadsFew: 2,
  /** Idle upload sessions live this long. */
  uploadLifetimeMs: 7 * DAY,
  idempotencyLifetimeMs: 7 * DAY,
  checkpointBytes: 64 * MiB,
  /** Entries of a session's block list that are read from the database at once: 144 KiB. */
  checkpointReadEntries: 4096,
  checkpointIntervalMs: SECOND,
  /** A client that sends less than this within the window is cut; what it sent stays durable. */
  uploadProgressBytesMin: 64 * KiB,
  uploadProgressWindowMs: 30 * SECOND,
  /** A client that takes nothing for this long is cut. */
  downloadStallMs: 30 * SECOND,
  /** Sessions between two requests whose whole-blob hash states are kept; older ones are re-hashed from the store. */
  idleHashStatesMax: 1000,
  retryAfterSeconds: 2,

  // segments
  segmentSize: 256 * MiB,
  segmentIdleSealMs: HOUR,
  spareSegmentsMax: 4,
  /** Bytes of large records that join one batch. */
  batchSizeMax: 16 * MiB,
  /** The same while small records arrive too, so that they do not wait long behind bulk. */
  batchSizeShared: 4 * MiB,
  batchRecordsMax: 4096,
  /** Records up to this size always join the next batch. */
  smallRecordMax: 256 * KiB,
  /** A write is at most this long; a batch is written in as many as it needs, two in flight, from three buffers of this size. */
  segmentWriteSize: MiB,
  openSegmentFilesMax: 128,
  /** Footers a command keeps in memory while it reads segments without an index: 64 bytes a record, 16 KiB each with full blocks. */
  segmentTablesMax: 8192,
  /** How long a record that was found damaged is refused without another look: its file may be restored from a copy. */
  damageJudgedMs: MINUTE,
  /** Blocks of a range that are looked at before its first byte is sent, while some are known to be damaged. */
  damageLookAheadMax: 4096,
  /** Reads that wait while segments are searched for a block that is not where the index says; more are refused. */
  recordSearchesMax: 64,
  /** Blocks that were found whole in no segment, and are not looked for again for `damageJudgedMs`. */
  lostBlocksMax: 10_000,
  /** How often segments that could not be read are looked for. */
  missingSegmentCheckMs: 2 * SECOND,
  indexFlushIntervalMs: SECOND,
  indexFlushEntriesMax: 10_000,
  /** Beyond this writers wait for the index: entries not yet flushed are held in memory. */
  indexUnflushedMax: 50_000,
  freeSpaceFloorRatio: 0.05,
  freeSpaceFloorBytes: 4 * GiB,
  freeSpaceCheckMs: 100,
  freeSpaceWarningMs: MINUTE,
  /** A write that the disk refused is told by readiness for so long, unless one succeeds before. */
  diskTroubleMs: 10 * SECOND,

  /** Every record is hashed again within this time. */
  scrubIntervalMs: 30 * DAY,
  /** Bytes a second: a scrub that has time goes no slower, one that is late no faster. */
  scrubRateMin: MiB,
  scrubRateMax: 64 * MiB,

  // reading
  rangesMax: 16,
  /** A stretch is a block's smallest part that can be verified by itself: what a small range asks for, most of the time. */
  stretchSize: 64 * KiB,
  /** Blocks whose stretches have known digests, in memory: 16 GiB of records for 8 MiB. */
  stretchedBlocksMax: 16 * KiB,
  /** Stretches read at once; beyond this a whole block, which can be kept, costs little more. */
  stretchReadMax: 256 * KiB,
  /** Reads of stretches under way at once: enough for the threads that read and for what they have just read. */
  stretchReadsMax: 32,
  contentCacheEntriesMax: 10_000,
  /** Metadata of versions in memory. */
  metadataCacheSize: 8 * MiB,
  manifestCacheBytes: 16 * MiB,

  // requests
  jsonBodyMax: 256 * KiB,
  pathMax: 2 * KiB,
  requestIdMax: 128,
  filenameMax: 1024,
  contentTypeMax: 255,
  idempotencyKeyMax: 255,
  /** Of a version, besides the one that was current. */
  versionParentsMax: 32,
  pageSizeDefault: 100,
  pageSizeMax: 1000,
  /** Pages of more than the default size that are made at once; more of them wait for their turn. */
  largePagesMax: 4,
  largePagesWaitingMax: 256,
  largePagesWaitingKept: 64,
  largePagesWaitingFew: 8,
  /** Where items may be large, a page ends with the one that reaches this. */
  pageBytesMax: MiB,
  /** Documents, or folders, a list looks at for one page, when many of them are hidden. */
  listExaminedMax: 5000,

  // access
  /** Of one document, folder or org. */
  accessRulesMax: 256,
  rulePrincipalsMax: 256,
  /** Names as they come; there are fewer capabilities than this. */
  ruleActionsMax: 64,
  /** Documents, folders and orgs whose rules are in memory; those without rules of their own share most of it. */
  accessListsMax: 20_000,
  /** Documents whose rules are asked for by one statement. */
  accessListBatchMax: 200,
  accessListLanes: 2,
  /** Documents that share a blob, among which one that its reader may read is looked for: some 50 us each. */
  blobDocumentsExaminedMax: 1000,
  /** Principals with their credentials, as they were taken last. */
  sessionsMax: 10_000,
  /** Of one org: what bounds the groups of one principal. */
  groupsMax: 4096,
  /** Groups within each other, counted along the longest line. */
  groupDepthMax: 8,
  /** Folders around a document. */
  folderDepthMax: 16,
  /** Of one principal, revoked ones aside. */
  apiKeysMax: 100,
  /** The last use of a key is written at most this often. */
  keyUseIntervalMs: MINUTE,
  /** Revoked tokens that have run out and are forgotten with one that is revoked. */
  tokensForgottenMax: 100,
  /** Principals (or places of rules) whose last revocation is remembered one by one; more are revoked all together. */
  revocationEpochsMax: 10_000,

  // metadata
  /** Arrays and objects within each other; the recursion of everything that walks metadata. */
  jsonDepthMax: 64,
  /** Members of all objects and items of all arrays together. */
  jsonKeysMax: 20_000,
  /** UTF-16 units of one string or name. */
  jsonStringMax: 64 * KiB,
  jsonNumberMax: 64,
  /** Characters. */
  jsonPointerMax: 1024,
  /** One namespace's data as JSON. */
  metadataSizeMax: 256 * KiB,
  metadataNamespacesMax: 64,
  /** All namespaces of a layer together: an answer shows them all. */
  metadataLayerSizeMax: MiB,
  metadataFaultsMax: 100,
  metadataFaultTextMax: 500,
  /** Characters of an IRI; an index over it stays well below a page. */
  iriMax: 512,
  /** Names of a document in other systems, UTF-16 units of one, and of what is said of it as canonical JSON. */
  externalRefsMax: 32,
  externalRefMax: 512,
  externalRefMetaMax: 4 * KiB,
  provenanceTextMax: 255,
  patchOperationsMax: 1000,
  /** What the copy and move operations of one patch may carry together: a bomb doubles until it meets this. */
  patchCarriedMax: MiB,
  schemaSizeMax: 64 * KiB,
  schemaPatternMax: 256,
  schemaPatternsMax: 256,
  /** For one job of a validation thread, compilation included; the thread is ended after it. */
  validationMs: 2 * SECOND,
  validationThreads: 2,
  validationQueueMax: 256,
  /** Beyond these, for principals and orgs of which few jobs wait. */
  validationQueueKept: 64,
  validationQueueFew: 8,
  /** An org whose job was stopped leaves a thread to the others for so long. */
  validationPenaltyMs: MINUTE,
  /** A schema's state that another process changed is noticed within this time. */
  schemaCacheMs: 1000,
  schemaCacheEntriesMax: 1000,
  /** A thread that has not said hello after this is given up. */
  validationStartMs: MINUTE,
  /** Heap of one validation thread, in MiB. */
  validationHeapMiB: 96,
  /** Per validation thread; compiled code is some 10 times the size of its schema. */
  compiledSchemasMax: 64,
  migrationSamplesMax: 100,

  /** Nesting of whatever is hashed or signed in canonical form; it bounds a recursion. */
  canonicalJsonDepthMax: 128,

  // audit
  /** Canonical bytes of an event, its detail among them. */
  auditEventMax: 12 * KiB,
  auditDetailMax: 4 * KiB,
  auditDetailDepthMax: 8,
  /** UTF-16 units of the id of what an event is about: a schema's URN, a blob's key. */
  auditResourceIdMax: 512,
  /** A signed note, with the signatures of witnesses whose keys we may not know. */
  noteSizeMax: 256 * KiB,
  noteSignaturesMax: 64,
  noteKeyNameMax: 255,
  /** One line of an exported log, in UTF-16 units: a note as JSON text, each of its characters possibly escaped. */
  auditLineMax: MiB,
  /** Findings a verification reports in full; further ones are counted. */
  auditFindingsMax: 1000,
  /** Leaves between two checkpoints among which a verification looks for two that changed places. */
  auditPairSearchMax: 64,
  /** Events that get their leaves in one transaction: 12 MiB of memory at most, and what a restart repeats. */
  auditBatchMax: 1000,
  /** How long events wait for their leaves when there was nothing to do before. */
  auditSequenceMs: 200,
  /** Between two checkpoints of a log that grows: what its owner could still change without being found out. */
  auditCheckpointMs: 5 * SECOND,
  /** How long a stop waits for events to be numbered and signed; the next start does the rest. */
  auditCloseMs: 3 * SECOND,
  /** Events that get their hashes without a turn for others: some 3 ms. */
  auditTurnMax: 128,
  /** An export is written in pieces of about this size. */
  auditExportPieceSize: 64 * KiB,
  /** Leaves an export reads at once. */
  auditExportPageMax: 500,
  /** Statements that store events of reads and denials at the same time. */
  auditWriteLanes: 2,
  auditWriteBatchMax: 500,
  /** Reads of one principal and version, or denials of one kind, within this time are one event and its counters. */
  auditWindowMs: 5 * MINUTE,
  /** How often windows that have ended are looked for. */
  auditWindowSweepMs: 5 * SECOND,
  /** Some 1 KiB each; with more, the oldest ends early. */
  auditWindowsMax: 20_000,
  /** Refused credentials that nobody is known by: addresses, each with a reason, that are named at once. */
  refusalWindowsMax: 1000,

  // credentials
  /** Characters of an API key or token; with everything else of a head it stays below `httpHeadMax`. */
  bearerMax: 8 * KiB,
  /** Clocks of those who issue tokens and ours may differ by this much. */
  tokenSkewMs: 30 * SECOND,
  tokenAgeMaxMs: DAY,
  /** A token that lives longer than this was made by mistake: with milliseconds where seconds belong, most likely. */
  tokenExpiryAheadMaxMs: 366 * DAY,
  /**
   * A token that was verified is not verified again for this long, which saves some 60 to 140 us of processor time. A key
   * that its issuer withdraws is good for so much longer; revocations are looked at each time.
   */
  verifiedTokenMs: MINUTE,
  verifiedTokensMax: 10_000,
  /** Characters of sub, jti and kid. */
  tokenNameMax: 255,
  tokenJsonDepthMax: 16,
  /** RFC 7518 section 3.2: as long as the digest at least. */
  tokenSecretSizeMin: 32,
  jwksSizeMax: 256 * KiB,
  jwksKeysMax: 100,
  jwksTimeoutMs: 5 * SECOND,
  jwksFreshMs: 10 * MINUTE,
  /** A token with an unknown key makes at most one request to the issuer within this time, however many tokens there are. */
  jwksCoolDownMs: 30 * SECOND,
  /** Keys are used for this long while their server does not answer. */
  jwksStaleMaxMs: DAY,
  /** Bits of an RSA modulus: below, it is weak; above, each check costs milliseconds. */
  rsaModulusMin: 2048,
  rsaModulusMax: 8192,
  /** About 15 MiB. */
  rateLimitKeysMax: 100_000,

  // database
  databasePoolSize: 10,
  databaseConnectMs: 5 * SECOND,
  databaseStatementMs: 30 * SECOND,
  /** How much longer than the server's own bounds a statement is waited for, and once more after it was cancelled. */
  databaseGraceMs: 5 * SECOND,
  /** One statement of a migration may build an index. */
  migrationStatementMs: HOUR,
  /** What waits for a lock keeps everybody else waiting behind it. */
  migrationLockMs: MINUTE,
  /** How often, and with what pauses, it is asked what became of a change whose answer was lost: a restart takes a few seconds. */
  outcomeAttemptsMax: 20,
  outcomeIntervalMs: 250,
  /** Statements that a connection keeps prepared. */
  databasePreparedMax: 256,
  /** A change to who may, made by another process, is heard of within this time, or it is known that it may not be. */
  listenerSilenceMs: 400,
  listenerQuestionMs: 300,
  /** Before a lost connection that listens is made again. */
  listenerRestMs: 200,
  commitBatchMax: 256,
  /** Commit statements under way at once; each takes a share of what waits. */
  commitLanes: 2,
  /** Look-ups of versions that share one statement, and such statements under way at once. */
  findBatchMax: 256,
  findLanes: 2,
  /** Manifest pages that share one commit statement; a single larger manifest goes alone. */
  commitPagesBytesMax: 4 * MiB,
  /** Deadlocks and serialisation failures in a row before a statement's failure is reported. */
  statementRetriesMax: 5,
  /** A server that replays its log after a crash is given this long; nothing else makes a start slow. */
  databaseStartMs: 10 * MINUTE,
  /** Fast shutdown writes a checkpoint; after this it is made immediate, which costs a recovery at the next start. */
  databaseStopMs: 10 * SECOND,
  databaseRestartsMax: 10,
  databaseRestartDelayMinMs: 100,
  databaseRestartDelayMaxMs: 5 * SECOND,
  databaseConnectionsMax: 40,
  /** sockaddr_un holds 108 bytes; the margin is for systems with less. */
  socketPathMax: 100,

  // commands that talk to a server
  /** Files up to this size are sent in one request, from memory; larger ones in a session that resumes. */
  putOneShotMax: 8 * MiB,
  /** Small files are mostly waited for: together they share syncs and commits of the server. */
  putParallelDefault: 16,
  putSmallMax: MiB,
  /** Of those above `putSmallMax`. */
  putLargeParallelDefault: 4,
  putParallelMax: 64,
  /** Standard input cannot be read twice: this much of it is kept until the server holds it. */
  putPipedPieceSize: 8 * MiB,
  putReadSize: 512 * KiB,
  /** A file that changes while it is read is read this often before it is refused. */
  putReadAttemptsMax: 3,
  /** Attempts in a row without progress before a command gives up. */
  clientAttemptsMax: 8,
  clientBackOffMinMs: 250,
  clientBackOffMaxMs: 10 * SECOND,
  /** The longest wait a server may ask for with Retry-After. */
  clientRetryAfterMaxMs: MINUTE,
  /** A connection on which nothing moves for this long is given up. */
  clientSilenceMs: 2 * MINUTE,
  /** How often a command that follows the audit log asks. */
  clientTailMs: SECOND,
  clientJsonMax: 16 * MiB,
  progressIntervalMs: 100,

  // config
  configFileMax: 256 * KiB,
  secretFileMax: 16 * KiB,

  // shutdown
  drainMs: 30 * SECOND,
} as const;

assertRelations(limits);
