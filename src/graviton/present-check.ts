import { Fault } from '../segment/fault.ts';
import { PAYLOAD_SIZE_MAX } from '../segment/format.ts';
import { readRecord } from '../segment/segment-reader.ts';
import type { IndexEntry } from './index-entry.ts';
import type { BlockKind, OutgoingBlock } from './node.ts';
import type { RecordFinder } from './record-finder.ts';
import type { SegmentFileCache } from './segment-file-cache.ts';
import type { SegmentLedger } from './segment-ledger.ts';

export interface PresentCheckOptions {
  readonly ledger: SegmentLedger;
  readonly segmentFiles: SegmentFileCache;
  readonly finder: RecordFinder;
}

/**
 * Looks before a block is called present: the record is read, and its bytes are compared with those at hand. An index
 * entry alone says only that there was such a record once.
 */
export class PresentCheck {
  readonly #options: PresentCheckOptions;
  readonly #buffers: Buffer[] = [];

  constructor(options: PresentCheckOptions) {
    this.#options = options;
  }

  /** False when the record cannot be vouched for, for whatever reason: storing the block again is always right. */
  async holds(block: OutgoingBlock, entry: IndexEntry): Promise<boolean> {
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(PAYLOAD_SIZE_MAX);
    try {
      const same = await this.#isSame(block, entry, buffer);
      // A bad page in memory, damage, or a wrong index: the second look tells, and marks or mends.
      if (same === false) await this.#options.finder.find(block.id).catch(() => undefined);
      return same === true;
    } finally {
      if (this.#buffers.length < BUFFERS_KEPT) this.#buffers.push(buffer);
    }
  }

  /** Undefined when the record could not be read. */
  async #isSame({ id, kind, bytes }: OutgoingBlock, entry: IndexEntry, buffer: Buffer): Promise<boolean | undefined> {
    const { ledger, segmentFiles } = this.#options;
    const { segment, offset, size } = entry;
    const known = ledger.find(segment);
    if (known === undefined || size !== bytes.byteLength) return false;
    try {
      const header = await segmentFiles.use(segment, (file) => readRecord(file, { mark: known.mark, offset, size }, buffer));
      if (header instanceof Fault || header.id !== id || !servesAs(header.kind, kind)) return false;
      return Buffer.compare(buffer.subarray(0, size), bytes) === 0;
    } catch {
      await segmentFiles.drop(segment);
      return undefined;
    }
  }
}

/** A manifest must be found as one when all else is lost; for bytes that are only read, any record will do. */
export function servesAs(stored: string, wanted: BlockKind): boolean {
  return wanted !== 'manifest' || stored === 'manifest';
}

/** Uploads that bring what is there already come a few at a time. */
const BUFFERS_KEPT = 8;
