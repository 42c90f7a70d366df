import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { MissingSegments } from './missing-segments.ts';

export interface MissingWatchOptions {
  readonly missing: MissingSegments;
  /** Looks for the segments the node waits for, and takes back those that are there. */
  readonly look: () => Promise<void>;
  readonly log: Log;
  readonly intervalMs?: number;
}

/** While segments are missing, looks for them every few seconds: a disk that is mounted again needs no restart. */
export class MissingWatch {
  readonly #options: MissingWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;

  constructor(options: MissingWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.intervalMs ?? limits.missingSegmentCheckMs).unref();
  }

  /** Waits for the look under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #tick(): void {
    const { missing, look, log } = this.#options;
    if (this.#looking !== undefined || missing.awaited.length === 0) return;
    this.#looking = look()
      .catch((error: unknown) => log.error({ error }, 'Missing segments could not be looked for; another look follows.'))
      .finally(() => {
        this.#looking = undefined;
      });
  }
}
