import type { LoadPlan } from '../plan/plan.ts';
import type { PlannedRequest } from './planned-request.ts';
import { Popularity } from './popularity.ts';

/** A document that can be read. */
export interface KnownDocument {
  readonly path: string;
  readonly size: number;
  /** Of its body; undefined for those we did not upload, whose bytes we cannot know. */
  readonly number: number | undefined;
}

/** How far back reads go among the uploads of a worker. */
const RECENT = 64;

/**
 * What is read. A mix with uploads and without favourites reads what it uploaded a little before: request 500 reads, say,
 * what 470 stored, on every server alike. Where that is not there, and in all other mixes, the documents that were there
 * before the run are read, by their popularity.
 */
export class Documents {
  readonly #prepared: readonly KnownDocument[];
  readonly #popularity: Popularity;
  readonly #readsUploads: boolean;
  readonly #step: number;
  readonly #distance: number;
  readonly #uploads = new Map<number, KnownDocument>();

  /** `connections` is that of this worker: what is further back than so many requests has been answered as a rule. */
  constructor(plan: LoadPlan, prepared: readonly KnownDocument[], connections: number) {
    this.#prepared = prepared;
    this.#popularity = new Popularity(prepared.length, plan.zipf);
    this.#readsUploads = plan.zipf === 0 && plan.mix.some(({ kind }) => kind === 'upload');
    this.#step = plan.workers;
    this.#distance = connections;
  }

  stored(index: number, document: KnownDocument): void {
    if (!this.#readsUploads) return;
    this.#uploads.set(index, document);
    this.#uploads.delete(index - this.#step * (this.#distance + 2 * RECENT));
  }

  pick({ index, target }: Pick<PlannedRequest, 'index' | 'target'>): KnownDocument {
    const back = this.#distance + Math.floor(target * RECENT);
    const recent = this.#uploads.get(index - back * this.#step);
    return recent ?? (this.#prepared[this.#popularity.pick(target)] as KnownDocument);
  }
}
