import { FairPlaces, type FairPlacesOptions, type PlaceRefusal, type TakenPlace } from './fair-places.ts';
import type { Scope } from './ids.ts';

/**
 * A bounded line that is fair: orgs take turns, and so do the principals of an org; who sends a thousand tasks waits for
 * its own. Each principal's come in the order they were put.
 */
export class WaitingLine<Task> {
  readonly #places: FairPlaces;
  /** Orgs, and principals in them, in the order of their turns. */
  readonly #orgs = new Map<string, Map<string, { readonly task: Task; readonly place: TakenPlace }[]>>();

  constructor(places: FairPlacesOptions) {
    this.#places = new FairPlaces(places);
  }

  get count(): number {
    return this.#places.taken;
  }

  /** Undefined: the task waits. Else why there is no room for it. */
  put(asker: Scope, task: Task): PlaceRefusal | undefined {
    const place = this.#places.take(asker);
    if (typeof place === 'string') return place;
    const principals = this.#orgs.get(asker.orgId) ?? new Map();
    this.#orgs.set(asker.orgId, principals);
    const own = principals.get(asker.principalId) ?? [];
    principals.set(asker.principalId, own);
    own.push({ task, place });
    return undefined;
  }

  /** The next task, of an org that `mayRun`; undefined when no such waits. */
  take(mayRun: (orgId: string) => boolean): Task | undefined {
    for (const [orgId, principals] of this.#orgs) {
      if (!mayRun(orgId)) continue;
      const [[principalId, own] = ['', []]] = principals;
      const next = own.shift();
      // Behind all others of its kind, or out when nothing of it waits.
      principals.delete(principalId);
      if (own.length > 0) principals.set(principalId, own);
      this.#orgs.delete(orgId);
      if (principals.size > 0) this.#orgs.set(orgId, principals);
      next?.place.free();
      return next?.task;
    }
    return undefined;
  }
}
