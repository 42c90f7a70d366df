import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { AuditSequencer } from './sequencer.ts';

export interface SequencerLoopOptions {
  readonly sequencer: AuditSequencer;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs a sequencer until it is closed: batches while there are some, a checkpoint every few seconds. */
export class SequencerLoop {
  readonly #options: SequencerLoopOptions;
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

  /** Waits for the batch under way. Idempotent. */
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
  }

  /** Returns how long there is nothing to do. */
  async #turn(): Promise<number> {
    const { sequencer, clock, log } = this.#options;
    try {
      const batch = await sequencer.sequence();
      if (clock.monotonic() - this.#signedAt >= limits.auditCheckpointMs) {
        const heads = await sequencer.sign();
        this.#signedAt = clock.monotonic();
        if (heads.failures > 0) return limits.auditCheckpointMs;
      }
      if (batch.failures > 0) return limits.auditCheckpointMs;
      return batch.added > 0 ? 0 : limits.auditSequenceMs;
    } catch (error) {
      log.error({ error }, 'the audit sequencer could not reach its logs');
      return limits.auditCheckpointMs;
    }
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
