import type { Clock } from '../core/clock.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';

/** Names what was revoked. An id of one organisation says nothing about the same id in another. */
export interface RevocationName {
  readonly kind: 'token' | 'api_key' | 'principal' | 'org';
  readonly orgId: OrgId;
  /**
   * A token's `jti`, the id of an API key, the organisation's own id. A principal goes by each name its credentials use: the
   * subject of its tokens and its own id.
   */
  readonly id: string;
}

export interface Revocation extends RevocationName {
  /** When what was revoked expires by itself, so that nobody need remember it; `Infinity` when it does not. */
  readonly untilMs: number;
}

/** `unknown`: ask the database. */
export type RevocationState = 'revoked' | 'clear' | 'unknown';

type Change = { readonly add: Revocation } | { readonly lift: RevocationName };

/**
 * What the database holds as revoked, in memory, so that every request can look at it. Fed by `reload` at start and after
 * each loss of the notifications, and by `add` and `lift` as they arrive.
 *
 * It never says `clear` when it cannot know: not before the first `reload`, not after `distrust`, and not when more is revoked
 * than `limits.revocationsMax`.
 */
export class Revocations {
  readonly #clock: Clock;
  #until = new Map<string, number>();
  #complete = false;
  /** What arrives while a reload reads: it is newer than what is read. */
  #meanwhile: Change[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#until.size;
  }

  stateOf(name: RevocationName): RevocationState {
    const until = this.#until.get(keyOf(name));
    if (until !== undefined && until > this.#clock.now()) return 'revoked';
    return this.#complete ? 'clear' : 'unknown';
  }

  /** Takes effect at once. Adding twice is the same; the later end counts. */
  add(revocation: Revocation): void {
    this.#meanwhile?.push({ add: revocation });
    this.#keep(revocation);
  }

  /** A suspended principal or organisation is let in again. Lifting what is not revoked does nothing. */
  lift(name: RevocationName): void {
    this.#meanwhile?.push({ lift: name });
    this.#until.delete(keyOf(name));
  }

  /** Notifications may have been missed: until the next reload only what is known to be revoked is certain. */
  distrust(): void {
    this.#complete = false;
  }

  /**
   * Replaces everything by what `read` returns, which must begin to read after this was called. What is added or lifted
   * meanwhile is not lost. One reload at a time.
   * @throws what `read` throws; then all stays as it was.
   */
  async reload(read: () => Promise<Iterable<Revocation>>): Promise<void> {
    const meanwhile: Change[] = [];
    this.#meanwhile = meanwhile;
    try {
      const all = await read();
      this.#until = new Map();
      this.#complete = true;
      for (const revocation of all) this.#keep(revocation);
    } finally {
      this.#meanwhile = undefined;
    }
    for (const change of meanwhile) {
      if ('add' in change) this.#keep(change.add);
      else this.#until.delete(keyOf(change.lift));
    }
  }

  #keep(revocation: Revocation): void {
    const key = keyOf(revocation);
    const known = this.#until.get(key);
    if (known === undefined && !this.#hasRoom()) {
      this.#complete = false;
      return;
    }
    // A token is taken a little longer than it says.
    this.#until.set(key, Math.max(known ?? 0, revocation.untilMs + limits.tokenSkewMs));
  }

  /** Looks for what has expired only while everything is known: a set that has overflowed waits for its reload. */
  #hasRoom(): boolean {
    if (this.#until.size < limits.revocationsMax) return true;
    if (!this.#complete) return false;
    const now = this.#clock.now();
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    return this.#until.size < limits.revocationsMax;
  }
}

/** The id comes last and may hold anything. */
function keyOf({ kind, orgId, id }: RevocationName): string {
  return `${kind} ${orgId} ${id}`;
}
