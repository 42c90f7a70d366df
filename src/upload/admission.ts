import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Slab, UploadAccount } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import { OverflowGate } from './overflow-gate.ts';

export interface AdmissionOptions {
  readonly slab: Slab;
  readonly node: Node;
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

/** Lets uploads in, so many at a time, while the disk has room and nobody is shutting down. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #gate = new OverflowGate(limits.uploadOverflowMax);
  #active = 0;
  #draining = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#active;
  }

  /** @throws QuasarError `draining`, `storage_full`, `node_read_only`, `too_many_uploads`. */
  admit(): Admitted {
    const op = 'upload.admit';
    if (this.#draining) throw new QuasarError('draining', { op });
    const health = this.#options.node.health();
    if (!health.writable) throw new QuasarError('node_read_only', { op });
    if (health.full) {
      throw new QuasarError('storage_full', { op, details: { freeBytes: health.freeBytes, floorBytes: health.floorBytes } });
    }
    return this.#enter(op);
  }

  drain(): void {
    this.#draining = true;
  }

  #enter(op: string): Admitted {
    const { slab, uploadsInFlightMax, slotsPerUploadMax } = this.#options;
    const account = this.#active < uploadsInFlightMax ? slab.admitUpload() : undefined;
    if (account === undefined) throw new QuasarError('too_many_uploads', { op, details: { uploadsInFlightMax } });
    this.#active += 1;
    let open = true;
    return {
      account,
      gate: this.#gate,
      mayHold: () => {
        const share = Math.floor((slab.uploadSlotsMax - uploadsInFlightMax + this.#active) / this.#active);
        return Math.min(slotsPerUploadMax, Math.max(1, share));
      },
      close: () => {
        if (!open) return;
        open = false;
        account.close();
        this.#active -= 1;
      },
    };
  }
}
