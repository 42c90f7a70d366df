import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { createSegment } from '../segment/create-segment.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { OpenSegment } from '../segment/segment-writer.ts';
import { isDiskFull } from './disk-full.ts';
import { segmentPath } from './node-directory.ts';
import type { NodeJournal } from './node-journal.ts';
import type { SpareSegments } from './spare-segments.ts';

export interface SupplyOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly journal: NodeJournal;
  readonly spares: SpareSegments;
  readonly direct: boolean;
  readonly clock: Clock;
}

/** Makes the segments the writer appends to: superblock, name, MANIFEST entry, each durable before the next. */
export class SegmentSupply {
  readonly #options: SupplyOptions;
  #last: number;

  constructor(options: SupplyOptions) {
    this.#options = options;
    this.#last = options.journal.ledger.lastSegment;
  }

  /** Every record appended from now on lies in this segment or a later one. */
  get lastSegment(): number {
    return this.#last;
  }

  /** @throws QuasarError `storage_full` when the disk has no room; the error of the disk otherwise. */
  async open(): Promise<OpenSegment> {
    const { clock, identity, journal, files, directory, spares, direct } = this.#options;
    const segment = Math.max(this.#last, journal.ledger.lastSegment) + 1;
    const salt = Buffer.from(clock.random(8)).readBigUInt64LE();
    const { nodeId, segmentSize } = identity;
    const superblock = { segment, salt, nodeId, createdMs: clock.now(), segmentSize };
    const spare = spares.take();
    let opened: OpenSegment | undefined;
    try {
      opened = await createSegment({ files, directory, superblock, direct, ...(spare === undefined ? {} : { spare }) });
      await journal.record({ kind: 'create', segment, salt });
    } catch (cause) {
      await this.#undo(segment, opened);
      if (!isDiskFull(cause)) throw cause;
      throw new QuasarError('storage_full', { op: 'graviton.openSegment', cause });
    }
    this.#last = segment;
    return opened;
  }

  /** What is left after this is a file that MANIFEST does not name; the next start settles it. */
  async #undo(segment: number, opened: OpenSegment | undefined): Promise<void> {
    const { files, directory } = this.#options;
    const steps = [
      () => opened?.file.close(),
      () => opened?.sealFile.close(),
      () => files.unlink(segmentPath(directory, segment)),
    ];
    for (const step of steps) await Promise.resolve(step()).catch(() => undefined);
  }
}
