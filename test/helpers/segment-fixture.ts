import { join } from 'node:path';
import { blake3 } from '../../src/core/blake3.ts';
import type { Clock } from '../../src/core/clock.ts';
import { type BlockId, digestToHex } from '../../src/core/digest.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { Slab } from '../../src/core/slab.ts';
import { createSegment } from '../../src/segment/create-segment.ts';
import { nodePaths, segmentFileName } from '../../src/segment/format.ts';
import type { SealedSegment } from '../../src/segment/seal-segment.ts';
import type { SegmentFiles } from '../../src/segment/segment-files.ts';
import { type ScanEnd, type ScannedBatch, type ScanOptions, scanSegment } from '../../src/segment/segment-scan.ts';
import {
  type OutgoingRecord,
  SegmentWriter,
  type SegmentWriterOptions,
  type WriterDeath,
  writerBufferSize,
} from '../../src/segment/segment-writer.ts';
import type { Superblock } from '../../src/segment/superblock.ts';

export const nodeDirectory = '/node';
export const nodeId = '018f0000-0000-7000-8000-000000000001' as NodeId;

/** Stands still, and its randomness counts up: two runs give the same bytes. */
export function stillClock(): Clock {
  let seed = 0;
  return { now: () => 1_700_000_000_000, monotonic: () => 0, random: (size) => new Uint8Array(size).fill(++seed) };
}

let sharedSlab: Slab | undefined;

/** One small slab for all writers of a test file; each writer uses the same buffers, so they run one after another. */
export function testSlab(): Slab {
  sharedSlab ??= new Slab({
    slotSize: 1024 * 1024,
    slotCount: 8,
    uploadSlotsMax: 4,
    extraSize: writerBufferSize,
  });
  return sharedSlab;
}

export function recordOf(content: string | Uint8Array, kind: OutgoingRecord['kind'] = 'data'): OutgoingRecord {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { kind, id: digestToHex<BlockId>(blake3(bytes)), bytes };
}

/** `size` bytes that depend on `seed` only. */
export function patterned(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed * 2_654_435_761 + 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function testSuperblock(segment: number, segmentSize = 64 * 1024): Superblock {
  return { segment, salt: 0x1122_3344_5566_7788n + BigInt(segment), nodeId, createdMs: 1_700_000_000_000, segmentSize };
}

export function segmentPath(segment: number): string {
  return join(nodeDirectory, nodePaths.segments, segmentFileName(segment));
}

export interface WriterFixture {
  readonly writer: SegmentWriter;
  readonly sealed: SealedSegment[];
  readonly deaths: WriterDeath[];
  readonly full: unknown[];
  readonly refused: unknown[];
  readonly created: number[];
}

/** A writer over `files` whose segments are numbered from 1. */
export function openWriter(
  files: SegmentFiles,
  options: { segmentSize?: number; directory?: string } & Partial<SegmentWriterOptions> = {},
): WriterFixture {
  const { segmentSize = 64 * 1024, directory = nodeDirectory } = options;
  const slab = testSlab();
  const fixture = {
    sealed: [] as SealedSegment[],
    deaths: [] as WriterDeath[],
    full: [] as unknown[],
    refused: [] as unknown[],
    created: [] as number[],
  };
  const writer = new SegmentWriter({
    memory: slab,
    buffersAt: slab.extraAt,
    segmentSize,
    firstSequence: 1,
    openNext: async () => {
      const segment = fixture.created.length + 1;
      const opened = await createSegment({ files, directory, superblock: testSuperblock(segment, segmentSize), direct: false });
      fixture.created.push(segment);
      return opened;
    },
    onSealed: async (sealed) => {
      fixture.sealed.push(sealed);
    },
    onDeath: (death) => fixture.deaths.push(death),
    onFull: (error) => fixture.full.push(error),
    onRefused: (error) => fixture.refused.push(error),
    ...options,
  });
  return { writer, ...fixture };
}

export interface ScanResult {
  readonly batches: readonly ScannedBatch[];
  readonly end: ScanEnd;
}

export async function scanAll(files: SegmentFiles, path: string, options: ScanOptions): Promise<ScanResult> {
  const file = await files.open(path, { access: 'read', direct: false });
  const batches: ScannedBatch[] = [];
  try {
    for await (const event of scanSegment(file, options)) {
      if (event.type === 'end') return { batches, end: event };
      batches.push(event);
    }
  } finally {
    await file.close();
  }
  throw new Error('a scan ends with an end');
}

export function idsOf(result: ScanResult): string[] {
  return result.batches.flatMap((batch) => batch.records.map((record) => record.header.id));
}
