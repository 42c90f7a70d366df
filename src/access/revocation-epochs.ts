import { limits } from '../core/limits.ts';

/**
 * Tells what is known from before a revocation from what is known since. Whoever loads facts about a key (a principal, a
 * place with rules) takes the key's epoch before it begins, and keeps it with the facts; they are good as long as the epoch
 * is the same. So facts that were being loaded while the revocation came are never used after it either.
 *
 * One object a process; what is revoked in another process reaches this one by a notification.
 */
export class RevocationEpochs<Key extends string> {
  readonly #keysMax: number;
  /** Epochs only grow. Of keys that were never revoked one by one, the epoch is `#base`. */
  #newest = 1;
  #base = 1;
  readonly #revoked = new Map<Key, number>();

  constructor(options: { readonly keysMax: number } = { keysMax: limits.revocationEpochsMax }) {
    this.#keysMax = options.keysMax;
  }

  /** The epoch of this moment: what is loaded from now on is good until a key's epoch is a later one. */
  get now(): number {
    return this.#newest;
  }

  epochOf(key: Key): number {
    return this.#revoked.get(key) ?? this.#base;
  }

  /** What is known of the key now is good no longer, from this moment. */
  revoke(key: Key): void {
    if (this.#revoked.size >= this.#keysMax && !this.#revoked.has(key)) this.revokeAll();
    else this.#revoked.set(key, ++this.#newest);
  }

  /** For changes that concern many keys, and for the case that notifications may have been lost. */
  revokeAll(): void {
    this.#base = ++this.#newest;
    this.#revoked.clear();
  }
}
