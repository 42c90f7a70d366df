import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { createSegment } from '../segment/create-segment.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { OpenSegment } from '../segment/segment-writer.ts';
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

interface FailedOpening {
  readonly opened: OpenSegment | undefined;
  readonly spare: string | undefined;
  readonly cause: unknown;
}

function ignore(): void {}

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

  /** @throws QuasarError `storage_full` when the disk has no room, `storage_busy` when it may do better next time; its error otherwise. */
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
      throw await this.#giveUp(segment, { opened, spare, cause });
    }
    this.#last = segment;
    return opened;
  }

  /** Returns what to throw. */
  async #giveUp(segment: number, { opened, spare, cause }: FailedOpening): Promise<unknown> {
    const fault = diskFaultOf(cause);
    await opened?.file.close().catch(ignore);
    await opened?.sealFile.close().catch(ignore);
    // Nobody knows then whether MANIFEST names the segment: its file must be there for the next start.
    if (fault === 'final') return cause;
    const { files, directory } = this.#options;
    // A file that was there before is none of ours. Its number is not tried again.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') this.#last = segment;
    else await files.unlink(segmentPath(directory, segment)).catch(ignore);
    // What is left of this is a file that MANIFEST does not name; the next start settles it.
    if (spare !== undefined) await files.unlink(spare).catch(ignore);
    return new QuasarError(fault === 'full' ? 'storage_full' : 'storage_busy', { op: 'graviton.openSegment', cause });
  }
}
