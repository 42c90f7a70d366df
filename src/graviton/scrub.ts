import type { Hasher } from '../chunker/hasher.ts';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Slab, Slot } from '../core/slab.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { recordSpan } from '../segment/format.ts';
import { alignedWindow } from './aligned-reads.ts';
import { BreakablePause } from './breakable-pause.ts';
import { absenceOf, isAbsence } from './missing-segments.ts';
import type { ScrubAccess } from './scrub-access.ts';
import { type PaceRule, plannedRate, restAfter } from './scrub-pace.ts';
import type { ScrubPass } from './scrub-progress.ts';
import { type CheckedRun, type ScrubFinding, SegmentScrub } from './scrub-segment.ts';
import { ScrubState, type ScrubStatistics } from './scrub-state.ts';
import type { LedgerSegment } from './segment-ledger.ts';
import type { TableRecord } from './segment-table.ts';

export interface ScrubOptions {
  readonly access: ScrubAccess;
  readonly slab: Slab;
  readonly hasher: Pick<Hasher, 'hashBlock'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly rules?: Partial<ScrubRules>;
}

export interface ScrubRules extends PaceRule {
  /** Every record is hashed again within this time after it was stored, or last hashed. */
  readonly intervalMs: number;
  /** A start has better things to do at first. */
  readonly startDelayMs: number;
  /** Requests are given way for so long; then one read is made all the same. */
  readonly patienceMs: number;
  /** After the disk failed to read. */
  readonly faultPauseMs: number;
  readonly saveIntervalMs: number;
}

const defaults: ScrubRules = {
  rateMin: limits.scrubRateMin,
  rateMax: limits.scrubRateMax,
  intervalMs: limits.scrubIntervalMs,
  startDelayMs: 60_000,
  patienceMs: 5_000,
  faultPauseMs: 60_000,
  saveIntervalMs: 60_000,
};

/** Between two looks at a node that is busy, and between two looks whether a pass is due. */
const BUSY_PAUSE_MS = 50;
const LOOK_AGAIN_MS = 60_000;

/**
 * Hashes every stored record again, in passes over the sealed segments, and marks what no longer matches.
 *
 * A pass covers what was sealed when it began and is to end within half the interval; passes begin half an interval
 * apart. So no record waits longer than the interval: one stored just after a pass began is reached by the end of the
 * next. Requests come first: a read is made when none waits for the disk and slots are plentiful, and the disk rests
 * after each. Progress is kept in the file SCRUB; losing it costs a pass from the beginning, nothing else.
 *
 * It does not repair: with one copy there is nothing to repair from. It does not look at commit frames, which only count
 * for a segment without footer, and leaves a disk alone that failed to write.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  readonly #access: ScrubAccess;
  readonly #rules: ScrubRules;
  readonly #pause = new BreakablePause();
  readonly #running: Promise<void>;
  readonly #state: ScrubState;
  #saidLate = false;

  private constructor(options: ScrubOptions) {
    this.#options = options;
    this.#access = options.access;
    this.#rules = { ...defaults, ...options.rules };
    this.#state = new ScrubState(options);
    this.#running = this.#run();
  }

  static start(options: ScrubOptions): Scrub {
    return new Scrub(options);
  }

  get statistics(): ScrubStatistics {
    return this.#state.statistics;
  }

  /** Waits for the read in flight and keeps the progress. Idempotent. */
  async close(): Promise<void> {
    this.#pause.break();
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#pause.rest(this.#rules.startDelayMs);
    await this.#state.load();
    while (!this.#pause.broken) {
      try {
        const pass = this.#state.progress.pass ?? (await this.#begin());
        if (pass === undefined) await this.#pause.rest(Math.min(LOOK_AGAIN_MS, this.#rules.intervalMs / 10));
        else await this.#continue(pass);
      } catch (error) {
        this.#options.log.error({ error }, 'The scrub met an error; it goes on in a while.');
        await this.#pause.rest(this.#rules.faultPauseMs);
      }
    }
    await this.#state.saveChanges();
  }

  /** Undefined when none is due, or there is nothing to scrub yet. */
  async #begin(): Promise<ScrubPass | undefined> {
    const { log } = this.#options;
    if (!this.#isDue() || !this.#access.isWritable() || this.#access.ledger.segments.length === 0) return undefined;
    await this.#access
      .sealActive()
      .catch((error: unknown) => log.warn({ error }, 'The active segment could not be sealed; the next pass covers it.'));
    const sealed = this.#access.ledger.segments.filter((segment) => segment.sealed !== undefined);
    const through = sealed.at(-1)?.segment;
    if (through === undefined || this.#pause.broken) return undefined;
    log.info({ segments: sealed.length, bytes: sizeOf(sealed) }, 'A scrub pass begins.');
    this.#saidLate = false;
    return this.#state.begin(through);
  }

  /** A clock that was set back makes it due, too: better one pass too many. */
  #isDue(): boolean {
    const { completed } = this.#state.progress;
    if (completed === undefined) return true;
    const passedMs = this.#options.clock.now() - completed.startedMs;
    return passedMs < 0 || passedMs >= this.#rules.intervalMs / 2;
  }

  async #continue(pass: ScrubPass): Promise<void> {
    const window = alignedWindow();
    const left = this.#access.ledger.segments.filter(
      ({ segment, sealed }) => sealed !== undefined && segment >= pass.segment && segment <= pass.through,
    );
    for (const [index, segment] of left.entries()) {
      if (this.#pause.broken) return;
      if (this.#access.ledger.find(segment.segment) === undefined) continue;
      await this.#scrubSegment(segment, { window, rate: this.#rateFor(left.slice(index), pass) });
    }
    if (!this.#pause.broken) await this.#complete();
  }

  #rateFor(left: readonly LedgerSegment[], { startedMs }: ScrubPass): number {
    const { intervalMs } = this.#rules;
    const remainingMs = startedMs + intervalMs / 2 - this.#options.clock.now();
    if (remainingMs <= 0 && !this.#saidLate) {
      this.#saidLate = true;
      this.#options.log.warn({ intervalMs, bytes: sizeOf(left) }, 'The scrub is late; raise scrub.rateMax or scrub.interval.');
    }
    return plannedRate(this.#rules, { remainingBytes: sizeOf(left), remainingMs });
  }

  async #scrubSegment(segment: LedgerSegment, how: { window: Uint8Array; rate: number }): Promise<void> {
    const from = this.#state.enter(segment.segment);
    const file = await this.#open(segment, how.window);
    if (file !== undefined) {
      try {
        for (const run of file.runs(from)) if (!(await this.#scrubRun(file, run, segment, how.rate))) return;
      } finally {
        await file.close();
      }
    }
    if (!this.#pause.broken) this.#state.advance(segment.segment + 1, 0);
  }

  /** Undefined when the file does not open: that is told, and the pass goes on with the next. */
  async #open(segment: LedgerSegment, window: Uint8Array): Promise<SegmentScrub | undefined> {
    const { log, clock } = this.#options;
    const report = (line: string): void => {
      log.error({ segment: segment.segment }, line);
      this.#access.noteStructure(segment.segment);
      this.#state.count({ structures: 1 });
    };
    const options = { ...this.#options, monotonic: () => clock.monotonic() };
    try {
      const file = await SegmentScrub.open(options, segment, { window, report });
      const size = await file.size();
      const expected = segment.sealed?.fileSize ?? 0;
      if (size < expected) this.#access.noteMissing(segment.segment, `its file has ${size} bytes instead of ${expected}`);
      return file;
    } catch (error) {
      // We were short of something: the segment is not skipped for that, the pass goes on with it in a while.
      if (diskFaultOf(error) === 'passing') throw error;
      if (isAbsence(error)) this.#access.noteMissing(segment.segment, absenceOf(error));
      await this.#unreadable({ error, segment: segment.segment }, 'The scrub cannot read a segment; it skips it.');
      return undefined;
    }
  }

  /** False when the scrub is being closed. */
  async #scrubRun(file: SegmentScrub, run: readonly TableRecord[], segment: LedgerSegment, rate: number): Promise<boolean> {
    const { clock } = this.#options;
    const slot = await this.#turn();
    if (slot === undefined) return false;
    const startedMs = clock.monotonic();
    let checked: CheckedRun;
    try {
      checked = await file.check(run, slot);
    } finally {
      slot.release();
    }
    for (const finding of checked.findings) await this.#take(finding, segment.segment);
    const last = run.at(-1) as TableRecord;
    const bytes = run.reduce((sum, { size }) => sum + size, 0);
    this.#state.count({ records: run.length, bytes });
    this.#state.advance(segment.segment, last.offset + recordSpan(last.size));
    await this.#state.saveAfter(this.#rules.saveIntervalMs);
    await this.#pause.rest(restAfter(rate, { bytes, readMs: checked.readMs, spentMs: clock.monotonic() - startedMs }));
    return true;
  }

  /** Waits until no request needs the disk, and a slot can be spared. Undefined when the scrub is being closed. */
  async #turn(): Promise<Slot | undefined> {
    const { slab, clock } = this.#options;
    const since = clock.monotonic();
    while (!this.#pause.broken) {
      const patient = clock.monotonic() - since < this.#rules.patienceMs;
      const slot = !this.#access.isWritable() || (patient && this.#access.isBusy()) ? undefined : slab.tryAcquireAhead();
      if (slot !== undefined) return slot;
      await this.#pause.rest(BUSY_PAUSE_MS);
    }
    return undefined;
  }

  async #take({ record, reason, error }: ScrubFinding, segment: number): Promise<void> {
    const { id, offset } = record;
    if (error !== undefined) {
      await this.#unreadable({ error, block: id, segment, offset }, 'The disk does not give a stored record. It is not marked.');
      return;
    }
    this.#state.count({ damaged: 1 });
    try {
      await this.#access.markDamaged({ id, segment, offset }, reason);
    } catch (fault) {
      this.#options.log.error({ error: fault, block: id }, 'The mark of a damaged record could not be written.');
    }
  }

  /** Loud and slow: a disk that fails at many places must neither flood the log nor be hurried. */
  async #unreadable(fields: Readonly<Record<string, unknown>>, message: string): Promise<void> {
    this.#state.count({ unreadable: 1 });
    this.#options.log.error(fields, message);
    await this.#pause.rest(this.#rules.faultPauseMs);
  }

  async #complete(): Promise<void> {
    const { log } = this.#options;
    const found = await this.#state.complete();
    if (found.damaged + found.unreadable + found.structures === 0)
      log.info({ ...found }, 'A scrub pass ended; all it read is whole.');
    else log.error({ ...found }, 'A scrub pass ended; it found damage. "quasar verify" names the documents that are hit.');
  }
}

function sizeOf(segments: readonly LedgerSegment[]): number {
  return segments.reduce((sum, { sealed }) => sum + (sealed?.fileSize ?? 0), 0);
}
