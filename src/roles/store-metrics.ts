import type { SequencerStatistics } from '../audit/sequencer-loop.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Slab } from '../core/slab.ts';
import type { BlockCache } from '../graviton/block-cache.ts';
import type { LocalNode } from '../graviton/local-node.ts';
import type { Scrub } from '../graviton/scrub.ts';
import type { StretchReader } from '../graviton/stretch-reader.ts';
import type { Edge } from '../http/edge.ts';
import type { Admission } from '../upload/admission.ts';

export interface MetricSources {
  readonly slab: Slab;
  readonly cache: BlockCache;
  readonly stretches: StretchReader;
  readonly node: LocalNode;
  readonly admission: Admission;
  /** Undefined when it is switched off. */
  readonly scrub: Scrub | undefined;
  readonly audit: SequencerStatistics;
  readonly edge: () => Edge | undefined;
}

/** Utilisation, saturation and errors of what requests share: slab, cache, writer, disk. */
export function registerStoreMetrics(metrics: Metrics, sources: MetricSources): void {
  const { slab, cache, stretches, node, admission, edge } = sources;
  metrics.gauge({ name: 'quasar_http_requests_active', help: 'Requests not answered in full yet.' }, () => edge()?.active ?? 0);
  metrics.gauge({ name: 'quasar_uploads_active', help: 'Uploads in flight.' }, () => admission.active);
  metrics.gauge({ name: 'quasar_slab_slots', help: 'Slots of the slab.' }, () => slab.slotCount);
  metrics.gauge({ name: 'quasar_slab_slots_free', help: 'Slots nobody holds, cached blocks apart.' }, () => slab.freeSlots);
  metrics.gauge({ name: 'quasar_slab_slots_uploading', help: 'Slots uploads hold.' }, () => slab.uploadSlots);
  metrics.gauge({ name: 'quasar_cache_blocks', help: 'Verified blocks in memory.' }, () => cache.statistics.blocks);
  metrics.counterOf({ name: 'quasar_cache_hits_total', help: 'Block reads served from memory.' }, () => cache.statistics.hits);
  metrics.counterOf(
    { name: 'quasar_cache_misses_total', help: 'Block reads that went to the disk.' },
    () => cache.statistics.misses,
  );
  metrics.gauge(
    { name: 'quasar_stretch_blocks', help: 'Blocks of which parts can be verified by themselves.' },
    () => stretches.statistics.blocks,
  );
  metrics.counterOf(
    { name: 'quasar_stretch_reads_total', help: 'Parts of blocks read and verified without the rest.' },
    () => stretches.statistics.reads,
  );
  metrics.counterOf(
    {
      name: 'quasar_stretch_mismatches_total',
      help: 'Reads of parts that failed or did not match; the whole block was read then.',
    },
    () => stretches.statistics.mismatches,
  );
  metrics.counterOf(
    { name: 'quasar_writer_batches_total', help: 'Batches made durable, one fdatasync each.' },
    () => node.writerStats.batches,
  );
  metrics.counterOf({ name: 'quasar_writer_records_total', help: 'Records made durable.' }, () => node.writerStats.records);
  metrics.counterOf({ name: 'quasar_writer_bytes_total', help: 'Payload bytes made durable.' }, () => node.writerStats.bytes);
  metrics.gauge(
    { name: 'quasar_writer_appends_waiting', help: 'Appends accepted or queued, not durable yet.' },
    () => node.writerStats.waiting,
  );
  metrics.gauge(
    { name: 'quasar_disk_free_bytes', help: 'Free bytes where segments lie; NaN where the file system does not say.' },
    () => node.health().freeBytes ?? Number.NaN,
  );
  metrics.gauge(
    { name: 'quasar_disk_floor_bytes', help: 'New uploads stop below this many free bytes.' },
    () => node.health().floorBytes,
  );
  metrics.gauge({ name: 'quasar_node_writable', help: '1 while the node takes writes.' }, () => (node.health().writable ? 1 : 0));
  metrics.gauge(
    { name: 'quasar_damaged_records', help: 'Records marked damaged and not healed yet.' },
    () => node.health().damagedRecords,
  );
  metrics.gauge(
    { name: 'quasar_damaged_structures', help: 'Segments whose superblock or footer is damaged; their records are read.' },
    () => node.health().damagedStructures,
  );
  registerAuditMetrics(metrics, sources.audit);
  if (sources.scrub !== undefined) registerScrubMetrics(metrics, sources.scrub);
}

function registerAuditMetrics(metrics: Metrics, audit: SequencerStatistics): void {
  metrics.counterOf({ name: 'quasar_audit_leaves_total', help: 'Events that were given their number.' }, () => audit.leaves);
  metrics.counterOf({ name: 'quasar_audit_checkpoints_total', help: 'Heads of audit logs signed.' }, () => audit.checkpoints);
  metrics.counterOf(
    { name: 'quasar_audit_failures_total', help: 'Audit logs that could not be numbered or signed, each time.' },
    () => audit.failures,
  );
  metrics.gauge(
    {
      name: 'quasar_audit_signed_timestamp_seconds',
      help: 'When every audit log was last seen signed to its end; 0 when never. Old: events wait for their signature.',
    },
    () => audit.signedMs / 1000,
  );
}

function registerScrubMetrics(metrics: Metrics, scrub: Scrub): void {
  metrics.counterOf({ name: 'quasar_scrub_bytes_total', help: 'Payload bytes hashed again.' }, () => scrub.statistics.bytes);
  metrics.counterOf({ name: 'quasar_scrub_records_total', help: 'Records hashed again.' }, () => scrub.statistics.records);
  metrics.counterOf(
    { name: 'quasar_scrub_damaged_records_total', help: 'Records the scrub found damaged and marked.' },
    () => scrub.statistics.damaged,
  );
  metrics.counterOf(
    { name: 'quasar_scrub_unreadable_total', help: 'Records and segments the disk did not give to the scrub.' },
    () => scrub.statistics.unreadable,
  );
  metrics.gauge(
    { name: 'quasar_scrub_segment', help: 'Segment the scrub is at; 0 between passes.' },
    () => scrub.statistics.segment,
  );
  metrics.gauge(
    { name: 'quasar_scrub_segment_last', help: 'Last segment of the pass; 0 between passes.' },
    () => scrub.statistics.through,
  );
  metrics.gauge(
    { name: 'quasar_scrub_completed_timestamp_seconds', help: 'When the last whole pass ended; 0 when there was none.' },
    () => scrub.statistics.completedMs / 1000,
  );
}
