import { limits } from '../core/limits.ts';
import { within } from '../core/within.ts';

export interface DatabaseCheckOptions {
  /** Resolves when the database answers. */
  readonly ping: () => Promise<void>;
  /** `limits.readinessMs` unless given. */
  readonly limitMs?: number;
}

/**
 * Whether the database answers. Anybody may ask, as often as they like: one question at a time goes to the database, and
 * nobody waits longer than the limit for its answer.
 */
export class DatabaseCheck {
  readonly #options: DatabaseCheckOptions;
  #asking: Promise<boolean> | undefined;

  constructor(options: DatabaseCheckOptions) {
    this.#options = options;
  }

  async answers(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return await within(this.#options.limitMs ?? limits.readinessMs, this.#asking, false);
  }

  async #ask(): Promise<boolean> {
    try {
      await this.#options.ping();
      return true;
    } catch {
      return false;
    }
  }
}
