import type { KeyObject } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { findKey, parseJwks, type SigningKey, type WantedKey } from './jwks-document.ts';
import { readJwksFile } from './jwks-file.ts';
import { fetchJwks, parseJwksUrl } from './jwks-url.ts';

/** Where the verifier gets its keys. */
export interface SigningKeys {
  /**
   * Undefined when there is no such key.
   * @throws QuasarError `identity_unavailable` when that cannot be told, since the keys cannot be had.
   */
  find(wanted: WantedKey): Promise<KeyObject | undefined>;
}

/** Reads the text of a JWK set anew; gives up when `signal` is aborted. */
export type LoadJwks = (signal: AbortSignal) => Promise<string>;

export interface JwksSourceOptions {
  readonly load: LoadJwks;
  readonly clock: Clock;
  readonly log: Log;
}

export function jwksFromUrl(text: string): LoadJwks {
  const url = parseJwksUrl(text);
  return (signal) => fetchJwks(url, signal);
}

export function jwksFromFile(path: string): LoadJwks {
  return () => readJwksFile(path);
}

/**
 * Keeps a JWK set, and reads it again
 * - when it is older than `limits.jwksFreshMs`. Who comes first waits for it, and so does everybody meanwhile, unless the
 *   last attempt failed: then the old keys serve at once while it is tried, until they are older than `limits.jwksStaleMaxMs`;
 * - when a token names a key that is not in it, for a rotated key is one nobody has heard of.
 *
 * All attempts together: one at a time, and none within `limits.jwksCoolDownMs` of the start of the last, so that tokens
 * with invented keys cannot make us hammer the issuer. The price is that a key published right after an attempt is refused
 * for that long.
 */
export class JwksSource implements SigningKeys {
  readonly #options: JwksSourceOptions;
  readonly #closing = new AbortController();
  #keys: readonly SigningKey[] = [];
  /** Monotonic, as the next. */
  #loadedAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #lastFailed = false;
  #attempt: Promise<void> | undefined;

  constructor(options: JwksSourceOptions) {
    this.#options = options;
  }

  async find(wanted: WantedKey): Promise<KeyObject | undefined> {
    if (this.#age() > limits.jwksFreshMs) {
      const attempt = this.#refresh();
      if (!this.#lastFailed || !this.#usable()) await attempt;
    }
    const known = this.#usable() ? findKey(this.#keys, wanted) : undefined;
    if (known !== undefined) return known;
    await this.#refresh();
    if (this.#lastFailed || !this.#usable()) throw new QuasarError('identity_unavailable', { op: 'access.findKey' });
    return findKey(this.#keys, wanted);
  }

  /** Waits for the attempt under way, which is cut short. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#attempt;
  }

  #age(): number {
    return this.#options.clock.monotonic() - this.#loadedAt;
  }

  #usable(): boolean {
    return this.#age() <= limits.jwksStaleMaxMs;
  }

  /** Resolves when the attempt under way is over, or at once when it is too early for another. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#attempt !== undefined) return this.#attempt;
    const now = this.#options.clock.monotonic();
    if (now - this.#attemptedAt < limits.jwksCoolDownMs || this.#closing.signal.aborted) return Promise.resolve();
    this.#attemptedAt = now;
    this.#attempt = this.#load().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #load(): Promise<void> {
    const { load, clock, log } = this.#options;
    try {
      const { keys, skipped } = parseJwks(await load(this.#closing.signal));
      this.#keys = keys;
      this.#loadedAt = clock.monotonic();
      this.#lastFailed = false;
      log.debug({ keys: keys.length, skipped }, 'read the keys of tokens');
    } catch (error) {
      this.#lastFailed = true;
      if (!this.#closing.signal.aborted) log.warn({ error, usable: this.#usable() }, 'cannot read the keys of tokens');
    }
  }
}
