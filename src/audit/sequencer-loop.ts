import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { AuditSequencer, SequencerPass } from './sequencer.ts';

export interface SequencerLoopOptions {
  readonly sequencer: AuditSequencer;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SequencerStatistics {
  /** Events numbered and checkpoints signed by this process. */
  readonly leaves: number;
  readonly checkpoints: number;
  /** Logs that could not be written, each time. */
  readonly failures: number;
  /** When every log was last seen signed to its end; 0 when never. */
  readonly signedMs: number;
}

/** Runs a sequencer until it is closed: batches while there are some, a checkpoint every few seconds. */
export class SequencerLoop {
  readonly #options: SequencerLoopOptions;
  readonly #statistics = { leaves: 0, checkpoints: 0, failures: 0, signedMs: 0 };
  readonly #done: Promise<void>;
  #closing = false;
  #signedAt = Number.NEGATIVE_INFINITY;
  #endRest: () => void = () => undefined;

  private constructor(options: SequencerLoopOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  static start(options: SequencerLoopOptions): SequencerLoop {
    return new SequencerLoop(options);
  }

  get statistics(): SequencerStatistics {
    return this.#statistics;
  }

  /**
   * Waits for the batch under way and numbers and signs what else is committed, for at most `limits.auditCloseMs`: what is
   * left then waits for the next sequencer. Idempotent.
   */
  close(): Promise<void> {
    this.#closing = true;
    this.#endRest();
    return this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      const restMs = await this.#turn();
      if (restMs > 0 && !this.#closing) await this.#rest(restMs);
    }
    await this.#finish();
  }

  /** Returns how long there is nothing to do. */
  async #turn(): Promise<number> {
    const { clock } = this.#options;
    try {
      const batch = await this.#sequence();
      if (clock.monotonic() - this.#signedAt >= limits.auditCheckpointMs && (await this.#sign()).failures > 0)
        return limits.auditCheckpointMs;
      if (batch.failures > 0) return limits.auditCheckpointMs;
      return batch.added > 0 ? 0 : limits.auditSequenceMs;
    } catch (error) {
      this.#report(error);
      return limits.auditCheckpointMs;
    }
  }

  async #finish(): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + limits.auditCloseMs;
    try {
      for (let more = true; more; ) more = (await this.#sequence()).added > 0 && clock.monotonic() < deadline;
      await this.#sign();
    } catch (error) {
      this.#report(error);
    }
  }

  async #sequence(): Promise<SequencerPass> {
    const batch = await this.#options.sequencer.sequence();
    this.#statistics.leaves += batch.added;
    this.#statistics.failures += batch.failures;
    return batch;
  }

  async #sign(): Promise<SequencerPass> {
    const { sequencer, clock } = this.#options;
    const heads = await sequencer.sign();
    this.#signedAt = clock.monotonic();
    this.#statistics.checkpoints += heads.added;
    this.#statistics.failures += heads.failures;
    if (heads.failures === 0) this.#statistics.signedMs = clock.now();
    return heads;
  }

  #report(error: unknown): void {
    this.#statistics.failures += 1;
    this.#options.log.error({ error }, 'the audit sequencer could not reach its logs');
  }

  /** Keeps no process alive. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
