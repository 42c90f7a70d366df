import { QuasarError } from '../core/errors.ts';
import { FairPlaces, type PlaceRefusal } from '../core/fair-places.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Slab, UploadAccount } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import { OverflowGate } from './overflow-gate.ts';

export interface AdmissionOptions {
  readonly slab: Slab;
  readonly node: Node;
  /** Places that anybody may take; a few more are kept for those who have none or one. */
  readonly uploadsInFlightMax: number;
  readonly slotsPerUploadMax: number;
}

/** A place among the uploads in flight. `close` frees it; slots still on their way back keep counting until they are. */
export interface Admitted {
  readonly account: UploadAccount;
  /** Slots this upload may hold now: an equal share of what is left when every upload still to come has one. */
  readonly mayHold: () => number;
  /** The one gate of all uploads. */
  readonly gate: OverflowGate;
  close(): void;
}

/**
 * Lets uploads in, so many at a time, while the disk has room and nobody is shutting down. Whoever fills all places with
 * uploads that drip leaves the last ones to others.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #gate = new OverflowGate(limits.uploadOverflowMax);
  readonly #places: FairPlaces;
  #draining = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#places = new FairPlaces(placesFor(options));
  }

  get active(): number {
    return this.#places.taken;
  }

  /** Uploads that may be in flight at once, those places that are kept for others included. */
  get places(): number {
    return this.#places.count;
  }

  /** @throws QuasarError `draining`, `storage_full`, `node_read_only`, `too_many_uploads`. */
  admit(owner: Scope): Admitted {
    const op = 'upload.admit';
    if (this.#draining) throw new QuasarError('draining', { op });
    const health = this.#options.node.health();
    if (!health.writable) throw new QuasarError('node_read_only', { op });
    if (health.full) {
      throw new QuasarError('storage_full', { op, details: { freeBytes: health.freeBytes, floorBytes: health.floorBytes } });
    }
    return this.#enter(owner, op);
  }

  drain(): void {
    this.#draining = true;
  }

  #enter(owner: Scope, op: string): Admitted {
    const { slab, slotsPerUploadMax } = this.#options;
    const place = this.#places.take(owner);
    if (typeof place === 'string') throw tooMany(place, op);
    const account = slab.admitUpload();
    if (account === undefined) {
      place.free();
      throw tooMany('all', op);
    }
    let open = true;
    return {
      account,
      gate: this.#gate,
      mayHold: () => {
        const share = Math.floor((slab.uploadSlotsMax - this.places + this.active) / this.active);
        return Math.min(slotsPerUploadMax, Math.max(1, share));
      },
      close: () => {
        if (!open) return;
        open = false;
        account.close();
        place.free();
      },
    };
  }
}

/**
 * Every place has a slot of the slab. Where it has none beyond `uploadsInFlightMax`, the kept places are among these; where
 * that is small, few are kept or none.
 */
function placesFor({ slab, uploadsInFlightMax }: AdmissionOptions): ConstructorParameters<typeof FairPlaces>[0] {
  const kept = Math.min(limits.uploadsKept, Math.floor(uploadsInFlightMax / 8));
  const count = Math.min(slab.uploadSlotsMax, uploadsInFlightMax + kept);
  const open = Math.max(1, Math.min(uploadsInFlightMax, count - kept));
  return { open, kept: count - open, few: limits.uploadsFew };
}

function tooMany(taken: PlaceRefusal, op: string): QuasarError {
  return new QuasarError('too_many_uploads', { op, message: TOO_MANY[taken], details: { share: taken } });
}

const TOO_MANY: Readonly<Record<PlaceRefusal, string>> = {
  all: 'All upload places are taken. Try again later.',
  org: 'Uploads of your organisation have all the places it can take. Try again when one of them has ended.',
  principal: 'Your own uploads have all the places that one principal can take. Try again when one of them has ended.',
};
