import type { Log } from '../core/log.ts';
import { systemCodeOf } from '../segment/disk-fault.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { NodeJournal } from './node-journal.ts';
import { addMark } from './read-only-mark.ts';
import type { DiskFailure } from './recovery.ts';
import { NODE_ITSELF } from './segment-ledger.ts';

export interface DiskFailuresOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly journal: NodeJournal;
  readonly log: Log;
}

/**
 * Ends a node's writing when its disk fails, for good and loud: a second sync may succeed over lost pages, so only an
 * operator can take the disk back. That is kept in MANIFEST; where MANIFEST does not take it, in a mark of its own.
 */
export class DiskFailures {
  readonly #options: DiskFailuresOptions;
  #reason: string | undefined;
  /** Some come again and again, like the index's. */
  readonly #known = new Set<string>();
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: DiskFailuresOptions) {
    this.#options = options;
    this.#reason = options.journal.ledger.nodeSuspect;
  }

  /** Why the node takes no writes; undefined while it does. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** From now on the node takes no writes. Resolves when that is kept, or cannot be; never rejects. */
  report({ step, segment, cause }: DiskFailure): Promise<void> {
    if (this.#known.has(`${segment} ${step}`)) return this.#keeping;
    this.#known.add(`${segment} ${step}`);
    const why = systemCodeOf(cause);
    const reason = `The ${step} failed (${why}). Check the disk, then take it back with: quasar graviton accept-disk`;
    this.#reason ??= reason;
    this.#options.log.error({ error: cause, step, segment }, `The storage node is read-only now. ${reason}`);
    this.#keeping = this.#keeping.then(() => this.#keep(segment, reason));
    return this.#keeping;
  }

  /** Resolves when what was reported so far is kept. */
  settled(): Promise<void> {
    return this.#keeping;
  }

  async #keep(segment: number, reason: string): Promise<void> {
    const { files, directory, journal, log } = this.#options;
    try {
      if (segment !== NODE_ITSELF) await journal.record({ kind: 'suspect', segment, reason });
      await journal.record({ kind: 'suspect', segment: NODE_ITSELF, reason });
      if (!journal.frozen) return;
    } catch (error) {
      log.error({ error }, 'The failure of the disk could not be entered in MANIFEST.');
    }
    try {
      await addMark(files, directory, { segment, reason });
    } catch (error) {
      log.error({ error }, 'The failure of the disk could not be kept durably; do not start this node on that disk again.');
    }
  }
}
