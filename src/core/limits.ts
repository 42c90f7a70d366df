import { assert } from './assert.ts';

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
  // blocks and blobs
  blockSizeMax: MiB,
  blobSizeMax: TiB,
  manifestPageEntries: 4096,
  /** Below this, hashing on the event loop costs less than the hop to a lane (55 us is about 450 KiB of BLAKE3). */
  inlineHashMax: 256 * KiB,

  // memory
  slotSize: MiB,
  /** Slab and cache of verified blocks share this budget. */
  slabSize: 160 * MiB,
  /** What uploads may hold of the slab together. */
  uploadSlotsMax: 128,
  /** What one upload may hold: enough to fill, hash, queue and write at the same time. */
  slotsPerUploadMax: 24,
  /** What one download holds at most: the block being sent and those read ahead. */
  slotsPerDownloadMax: 4,
  /** The largest chunk an HTTP adapter hands over at once (the receive buffer of uWebSockets.js). */
  httpChunkMax: 512 * KiB,
  /** Answers up to this size are handed to the socket in one piece and may be copied by it. */
  httpInlineReplyMax: 64 * KiB,

  // uploads
  uploadsInFlightMax: 100,
  /** Idle upload sessions live this long. */
  uploadLifetimeMs: 7 * DAY,
  idempotencyLifetimeMs: 7 * DAY,
  checkpointBytes: 64 * MiB,
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
  /** A write is at most this long; a batch is written in as many as it needs, two in flight. */
  segmentWriteSize: 4 * MiB,
  openSegmentFilesMax: 128,
  indexFlushIntervalMs: SECOND,
  indexFlushEntriesMax: 10_000,
  freeSpaceFloorRatio: 0.05,
  freeSpaceFloorBytes: 4 * GiB,
  freeSpaceCheckMs: SECOND,

  // reading
  rangesMax: 16,
  contentCacheEntriesMax: 10_000,
  manifestCacheBytes: 16 * MiB,

  // requests
  jsonBodyMax: 256 * KiB,
  pathMax: 2 * KiB,
  requestIdMax: 128,
  filenameMax: 1024,
  contentTypeMax: 255,
  idempotencyKeyMax: 255,
  pageSizeDefault: 100,
  pageSizeMax: 1000,

  // database
  databasePoolSize: 10,
  databaseConnectMs: 5 * SECOND,
  databaseStatementMs: 30 * SECOND,
  commitBatchMax: 256,

  // shutdown
  drainMs: 30 * SECOND,
} as const;

assert(limits.slotSize === limits.blockSizeMax, 'a block fills at most one slot');
assert(limits.uploadSlotsMax * limits.slotSize <= limits.slabSize, 'the slab holds what uploads may take');
assert(limits.uploadsInFlightMax <= limits.uploadSlotsMax, 'every admitted upload owns a slot');
assert(limits.slotsPerUploadMax <= limits.uploadSlotsMax, 'one upload fits into the share of uploads');
assert(limits.httpChunkMax <= limits.slotSize, 'a chunk spans at most two slots');
assert(limits.smallRecordMax < limits.batchSizeShared, 'small records fit into a shared batch');
assert(limits.batchSizeShared <= limits.batchSizeMax && limits.batchSizeMax <= limits.segmentSize / 4, 'a batch fits a segment');
assert(limits.inlineHashMax <= limits.slotSize, 'inline hashing reads one slot');
