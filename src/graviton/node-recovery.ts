import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import type { DiskFailures } from './disk-failures.ts';
import { assertOwnFile } from './foreign-file.ts';
import { absenceOf, isAbsence, type MissingSegments } from './missing-segments.ts';
import type { OutgoingBlock } from './node.ts';
import { segmentPath } from './node-directory.ts';
import type { NodeParts } from './node-parts.ts';
import { openIfThere } from './open-if-there.ts';
import { readUnsealed, type UnsealedSegment } from './recover-unsealed.ts';
import { checkSealed, type Recovery, type RecoveryContext, recoverSegments } from './recovery.ts';
import { sealUnsealed } from './seal-unsealed.ts';
import type { LedgerSegment } from './segment-ledger.ts';
import type { MisplacedFile } from './segment-owners.ts';

export interface NodeRecoveryOptions {
  readonly parts: NodeParts;
  readonly missing: MissingSegments;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly report: (line: string) => void;
}

/** What finishing needs of a node that can append. */
export interface FinishOptions {
  readonly failures: DiskFailures;
  readonly store: (blocks: readonly OutgoingBlock[]) => Promise<unknown>;
  readonly onIndexFault: (error: unknown) => void;
}

/**
 * Brings a node's segments and its index to one state, at the start and again when segments come back. As long as the
 * node waits for segments nothing is sealed, moved or appended: the disk they lie on may not be mounted.
 */
export class NodeRecovery {
  readonly #options: NodeRecoveryOptions;
  /** The lowest segment whose records are on their way into the index. */
  #indexing = Number.POSITIVE_INFINITY;
  #misplaced: readonly MisplacedFile[];

  constructor(options: NodeRecoveryOptions) {
    this.#options = options;
    this.#misplaced = options.parts.misplaced;
  }

  /** Segments from this one on are not completely in the index, whatever else says so. */
  get indexing(): number {
    return this.#indexing;
  }

  read(): Promise<Recovery> {
    const found = recoverSegments({ ...this.#context(), misplaced: this.#misplaced });
    // A later look reads the files again.
    this.#misplaced = [];
    return found;
  }

  /** Seals what a crash left open, and makes the index durable. */
  async finish(unsealed: readonly UnsealedSegment[], finish: FinishOptions): Promise<void> {
    const { parts, missing, directory, clock, report } = this.#options;
    const { files, journal } = parts;
    for (const segment of unsealed) {
      if (finish.failures.reason !== undefined || missing.awaited.length > 0) {
        await segment.file.close();
        continue;
      }
      const seal = () => sealUnsealed({ files, directory, journal, clock, store: finish.store, report }, segment);
      await this.#sealOrExplain(segment, seal, finish.failures);
    }
    await this.#flush(finish.onIndexFault);
  }

  /**
   * Looks for the segments the node waits for, and indexes those that are back. True when it waits for none any more.
   * `writing`: this process has appended to segments, so none of them is looked into that is not sealed.
   */
  async lookForMissing(writing: boolean, onIndexFault: (error: unknown) => void): Promise<boolean> {
    const { parts, missing } = this.#options;
    const context = { ...this.#context(), writable: false };
    const tally = { lastSequence: 0 };
    for (const segment of missing.awaited) {
      const known = parts.journal.ledger.find(segment);
      if (known === undefined) missing.remove(segment);
      else if (known.sealed !== undefined) await checkSealed(context, known, tally);
      else if (writing) await this.#probe(known);
      else await readUnsealed(context, known, tally);
    }
    await this.#flush(onIndexFault);
    return missing.awaited.length === 0;
  }

  /** One that this process is writing is in the index already. */
  async #probe(known: LedgerSegment): Promise<void> {
    const { parts, missing, directory } = this.#options;
    const file = await openIfThere(parts.files, segmentPath(directory, known.segment));
    if (file === undefined) return;
    try {
      await assertOwnFile(file, known);
      missing.remove(known.segment);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      missing.add(known.segment, absenceOf(error));
    } finally {
      await file.close();
    }
  }

  #context(): RecoveryContext {
    const { parts, missing, directory, clock, report } = this.#options;
    const writable = parts.journal.ledger.nodeSuspect === undefined;
    const beginIndexing = (segment: number): void => {
      this.#indexing = Math.min(this.#indexing, segment);
    };
    return { ...parts, missing, directory, clock, writable, report, beginIndexing };
  }

  /** A node that starts on a full disk reads all the same; its index lives in memory until there is room. */
  async #flush(onIndexFault: (error: unknown) => void): Promise<void> {
    try {
      await this.#options.parts.index.flush();
      this.#indexing = Number.POSITIVE_INFINITY;
    } catch (error) {
      onIndexFault(error);
    }
  }

  async #sealOrExplain({ superblock }: UnsealedSegment, seal: () => Promise<void>, failures: DiskFailures): Promise<void> {
    const { segment } = superblock;
    try {
      await seal();
    } catch (cause) {
      if (diskFaultOf(cause) === 'final') await failures.report({ segment, step: `seal of segment ${segment}`, cause });
      else
        this.#options.log.error(
          { error: cause, segment },
          'A segment could not be sealed this time; the next start tries again.',
        );
    }
  }
}
