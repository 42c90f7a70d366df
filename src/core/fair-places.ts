import { assert } from './assert.ts';
import type { Scope } from './ids.ts';

export interface FairPlacesOptions {
  /** Anybody may take these. */
  readonly open: number;
  /** Beyond them: for principals that hold few; the last half of them for orgs that hold few. */
  readonly kept: number;
  /** A holder of fewer than this holds few. */
  readonly few: number;
}

/** `free` gives the place back. Idempotent. */
export interface TakenPlace {
  free(): void;
}

/** Who stands in the way: all places are taken, or those that are left are kept for others than this org or principal. */
export type PlaceRefusal = 'all' | 'org' | 'principal';

/**
 * A bounded number of places that all callers share. However many of them one principal, or all principals of one org,
 * can fill for as long as they like, the next one finds one: the last places are for those that hold few.
 */
export class FairPlaces {
  readonly #options: FairPlacesOptions;
  /** By org id and by principal id; both are unique among all. */
  readonly #held = new Map<string, number>();
  #taken = 0;

  constructor(options: FairPlacesOptions) {
    assert(options.open >= 1 && options.kept >= 0 && options.few >= 1, 'there is a place for the first caller');
    this.#options = options;
  }

  get count(): number {
    return this.#options.open + this.#options.kept;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Why this caller gets no place now; undefined when there is one. */
  refusal({ orgId, principalId }: Scope): PlaceRefusal | undefined {
    const { open, kept, few } = this.#options;
    if (this.#taken >= open + kept) return 'all';
    if (this.#taken >= open && this.#heldBy(principalId) >= few) return 'principal';
    return this.#taken >= open + Math.ceil(kept / 2) && this.#heldBy(orgId) >= few ? 'org' : undefined;
  }

  take(owner: Scope): TakenPlace | PlaceRefusal {
    const refusal = this.refusal(owner);
    if (refusal !== undefined) return refusal;
    this.#add(owner, 1);
    let held = true;
    return {
      free: () => {
        if (held) this.#add(owner, -1);
        held = false;
      },
    };
  }

  #heldBy(id: string): number {
    return this.#held.get(id) ?? 0;
  }

  #add({ orgId, principalId }: Scope, change: 1 | -1): void {
    this.#taken += change;
    for (const id of [orgId, principalId]) {
      const held = this.#heldBy(id) + change;
      if (held === 0) this.#held.delete(id);
      else this.#held.set(id, held);
    }
  }
}
