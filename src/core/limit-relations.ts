import { assert } from './assert.ts';
import type { limits as Limits } from './limits.ts';

/** What the limits demand of each other; checked when they are loaded. */
export function assertRelations(limits: Readonly<Record<keyof typeof Limits, number>>): void {
  assert(limits.slotSize === limits.blockSizeMax, 'a block fills at most one slot');
  assert(limits.uploadSlotsMax * limits.slotSize <= limits.slabSize, 'the slab holds what uploads may take');
  assert(limits.uploadsInFlightMax <= limits.uploadSlotsMax, 'every admitted upload owns a slot');
  assert(limits.slotsPerUploadMax <= limits.uploadSlotsMax, 'one upload fits into the share of uploads');
  assert(limits.httpChunkMax <= limits.slotSize, 'a chunk spans at most two slots');
  assert(limits.smallRecordMax < limits.batchSizeShared, 'small records fit into a shared batch');
  assert(
    limits.batchSizeShared <= limits.batchSizeMax && limits.batchSizeMax <= limits.segmentSize / 4,
    'a batch fits a segment',
  );
  assert(limits.scrubRateMin <= limits.scrubRateMax, 'a scrub has a rate to go at');
  assert(limits.httpHeadMax < limits.httpReadAheadMax && limits.httpReadAheadMax <= limits.httpChunkMax, 'a read holds a head');
  assert(limits.httpConnectionsMax * limits.httpReadAheadMax <= 256 * 1024 * 1024, 'what waits behind requests fits into memory');
  assert(limits.httpLingerSilenceMs <= limits.httpLingerMs, 'a silence is noticed before the time is up');
  assert(limits.httpConnectionsMin <= limits.httpConnectionsFew, 'a warning comes before a refusal');
  assert(limits.uploadsInFlightMax <= limits.httpConnectionsMax, 'every admitted upload has a connection');
  assert(
    limits.openSegmentFilesMax + limits.spareSegmentsMax + limits.databasePoolSize + limits.httpRefusalsMax + 64 <=
      limits.descriptorsReserved,
    'open segments, the database and what every process has open fit into what is reserved for them',
  );
  assert(limits.inlineHashMax <= limits.slotSize, 'inline hashing reads one slot');
  assert(limits.inlineManifestEntriesMax <= limits.manifestPageEntries, 'a short manifest is one page');
  assert(Number.isInteger(Math.log2(limits.manifestPageEntries)), "a page's tree is a subtree of the blob's");
  assert(limits.inlineSingleMax <= limits.inlineHashMax, 'two hashes take longer than one');
  assert(limits.slotSize % limits.stretchSize === 0, 'stretches divide a block');
  assert(limits.stretchReadMax % limits.stretchSize === 0, 'a read takes whole stretches');
  assert(
    limits.httpInlineReplyMax + limits.stretchSize <= limits.stretchReadMax,
    'a small answer fits one read wherever it starts',
  );
  assert(
    limits.putOneShotMax * limits.putLargeParallelDefault + limits.putSmallMax * limits.putParallelDefault <= 64 * 1024 * 1024,
    'a client command stays small',
  );
  assert(
    limits.databasePoolSize + limits.commitLanes < limits.databaseConnectionsMax,
    'the embedded server takes every connection',
  );
  assert(2 * limits.bearerMax <= limits.httpHeadMax, 'a token leaves room for the other headers');
  assert(limits.jwksTimeoutMs < limits.jwksCoolDownMs, 'one request for keys is over before the next may start');
  assert(limits.jwksFreshMs <= limits.jwksStaleMaxMs, 'keys are fresh before they are stale');
  assert(limits.tokenAgeMaxMs <= limits.tokenExpiryAheadMaxMs, 'a token that lives as long as it may is no mistake');
  assert(limits.jsonBodyMax <= limits.metadataLayerSizeMax, 'a layer holds what one request brings');
  assert(limits.metadataSizeMax <= limits.jsonBodyMax, 'metadata fits into a request');
  assert(limits.jsonStringMax <= limits.metadataSizeMax, 'a string fits into metadata');
  assert(limits.auditDetailMax < limits.auditEventMax, 'an event holds its detail');
  assert(
    2 * limits.noteSizeMax < limits.auditLineMax && limits.auditEventMax < limits.auditLineMax,
    'a line holds a note or an event',
  );
  assert(limits.indexFlushEntriesMax < limits.indexUnflushedMax, 'the index is flushed before writers wait for it');
}
