import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { isDiskDeath } from '../segment/disk-fault.ts';
import { Fault } from '../segment/fault.ts';
import type { ScrubAccess } from './scrub-access.ts';
import { noProgress, readScrubProgress, type ScrubPass, type ScrubProgress, writeScrubProgress } from './scrub-progress.ts';

/** What this process has scrubbed, and where it is. */
export interface ScrubStatistics extends ScrubCounts {
  /** The segment being checked; 0 between passes. */
  readonly segment: number;
  /** The last segment of the pass; 0 between passes. */
  readonly through: number;
  /** When the last whole pass ended, in ms since the epoch; 0 when there was none. */
  readonly completedMs: number;
}

export interface ScrubCounts {
  /** Payload bytes and records that were looked at. */
  readonly bytes: number;
  readonly records: number;
  readonly damaged: number;
  readonly unreadable: number;
  /** Times a segment's superblock or footer was found damaged. */
  readonly structures: number;
}

export interface StateOptions {
  readonly access: ScrubAccess;
  readonly clock: Clock;
  readonly log: Log;
}

const noCounts: ScrubCounts = { bytes: 0, records: 0, damaged: 0, unreadable: 0, structures: 0 };

/** Where the scrub is, in memory and in the file SCRUB. */
export class ScrubState {
  readonly #options: StateOptions;
  #progress: ScrubProgress = noProgress;
  #totals = noCounts;
  #savedAt = 0;
  #changed = false;

  constructor(options: StateOptions) {
    this.#options = options;
  }

  get progress(): ScrubProgress {
    return this.#progress;
  }

  get statistics(): ScrubStatistics {
    const { pass, completed } = this.#progress;
    const { segment = 0, through = 0 } = pass ?? {};
    return { ...this.#totals, segment, through, completedMs: completed?.endedMs ?? 0 };
  }

  /** Takes over what an earlier process left. */
  async load(): Promise<void> {
    const { access, log } = this.#options;
    const { files, directory, identity } = access;
    const found = await readScrubProgress(files, directory, identity.nodeId).catch((error: Error) => new Fault(error.message));
    if (found instanceof Fault) log.info({ reason: found.meaning }, 'There is no progress of a scrub to go on from.');
    else this.#progress = found;
    const { pass } = this.#progress;
    if (pass !== undefined) log.info({ segment: pass.segment, through: pass.through }, 'A scrub pass goes on.');
  }

  /** A pass from the first segment on. */
  async begin(through: number): Promise<ScrubPass> {
    const pass = { startedMs: this.#options.clock.now(), through, segment: 0, offset: 0, ...noCounts };
    this.#progress = { ...this.#progress, pass };
    await this.save();
    return pass;
  }

  /** Where the pass starts in this segment, which it has come to. */
  enter(segment: number): number {
    const { pass } = this.#progress;
    const offset = pass?.segment === segment ? pass.offset : 0;
    this.advance(segment, offset);
    return offset;
  }

  advance(segment: number, offset: number): void {
    const { pass } = this.#progress;
    if (pass !== undefined) this.#progress = { ...this.#progress, pass: { ...pass, segment, offset } };
    this.#changed = true;
  }

  count(found: Partial<ScrubCounts>): void {
    const { pass } = this.#progress;
    this.#totals = plus(this.#totals, found);
    if (pass !== undefined) this.#progress = { ...this.#progress, pass: { ...pass, ...plus(pass, found) } };
  }

  /** Ends the pass, and says what it found. */
  async complete(): Promise<ScrubCounts & { readonly ms: number }> {
    const { pass } = this.#progress;
    assert(pass !== undefined, 'a pass that ends has begun');
    const { startedMs } = pass;
    const endedMs = this.#options.clock.now();
    this.#progress = { pass: undefined, completed: { startedMs, endedMs } };
    await this.save();
    return { ...plus(noCounts, pass), ms: endedMs - startedMs };
  }

  async saveAfter(ms: number): Promise<void> {
    if (this.#options.clock.monotonic() - this.#savedAt >= ms) await this.save();
  }

  async saveChanges(): Promise<void> {
    if (this.#changed) await this.save();
  }

  /** Not on a disk that failed. What is not kept is scrubbed again. */
  async save(): Promise<void> {
    const { access, clock, log } = this.#options;
    this.#savedAt = clock.monotonic();
    if (!access.isWritable()) return;
    try {
      await writeScrubProgress(access.files, access.directory, { progress: this.#progress, node: access.identity.nodeId });
      this.#changed = false;
    } catch (error) {
      if (isDiskDeath(error)) access.diskFailed('write of SCRUB', error);
      log.warn({ error }, 'The progress of the scrub could not be kept; a restart would begin the pass anew.');
    }
  }
}

function plus(counts: ScrubCounts, more: Partial<ScrubCounts>): ScrubCounts {
  return {
    bytes: counts.bytes + (more.bytes ?? 0),
    records: counts.records + (more.records ?? 0),
    damaged: counts.damaged + (more.damaged ?? 0),
    unreadable: counts.unreadable + (more.unreadable ?? 0),
    structures: counts.structures + (more.structures ?? 0),
  };
}
