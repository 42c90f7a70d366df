import type { Clock } from '../core/clock.ts';
import { isQuasarError, type QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Wait } from './command.ts';

export interface AttemptContext {
  readonly clock: Clock;
  readonly wait: Wait;
  readonly signal: AbortSignal;
}

/**
 * Counts failures in a row and waits between them, longer each time, with full jitter; a server's Retry-After is the
 * least wait. Progress starts the count anew, so that a long transfer survives any number of short breaks.
 */
export class Attempts {
  readonly #context: AttemptContext;
  readonly #onWait: (failure: QuasarError, waitMs: number) => void;
  #failures = 0;

  constructor(context: AttemptContext, onWait: (failure: QuasarError, waitMs: number) => void = () => undefined) {
    this.#context = context;
    this.#onWait = onWait;
  }

  progressed(): void {
    this.#failures = 0;
  }

  /** For a failure that says what to do next, without a wait. @throws the error itself when there were too many. */
  count(error: unknown): void {
    this.#failures += 1;
    if (this.#failures >= limits.clientAttemptsMax) throw error;
  }

  /** Resolves when it is time for another attempt. @throws the error itself when there is none to be made. */
  async afterFailure(error: unknown): Promise<void> {
    if (this.#context.signal.aborted) throw this.#context.signal.reason;
    this.count(error);
    if (!isQuasarError(error) || !isTransient(error)) throw error;
    const waitMs = backOffMs(this.#failures, fraction(this.#context.clock), error.details.retryAfterMs);
    this.#onWait(error, waitMs);
    await this.#context.wait(waitMs, this.#context.signal);
  }

  /** Repeats what is safe to repeat. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const value = await action();
        this.progressed();
        return value;
      } catch (error) {
        await this.afterFailure(error);
      }
    }
  }
}

/**
 * True when the same request may succeed a little later. A server that never answered is told at once. A server cuts
 * (`cancelled`) who is slow or in its way while it stops; our own stop does not come by here.
 */
export function isTransient(error: QuasarError): boolean {
  if (error.code === 'unexpected_answer' || error.details.reached === false) return false;
  return error.kind === 'busy' || error.kind === 'unavailable' || error.kind === 'cancelled';
}

/** `jitter` is in [0, 1). */
export function backOffMs(failures: number, jitter: number, retryAfterMs: unknown): number {
  const ceiling = Math.min(limits.clientBackOffMaxMs, limits.clientBackOffMinMs * 2 ** failures);
  const least = typeof retryAfterMs === 'number' ? Math.min(retryAfterMs, limits.clientRetryAfterMaxMs) : 0;
  return Math.round(least + jitter * ceiling);
}

function fraction(clock: Clock): number {
  const [high, low] = clock.random(2) as unknown as [number, number];
  return ((high << 8) | low) / 65_536;
}
