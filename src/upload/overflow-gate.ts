import { limits } from '../core/limits.ts';

/** A body whose next chunk may not fit into its slots. */
export interface ExposedBody {
  pauseAtGate(): void;
  resumeAtGate(): void;
}

/**
 * Bounds the bytes that all bodies together hold outside the slab. A chunk must be taken whole, so a body on its only slot
 * may have to keep the end of one until the slot comes back; with a hundred of them that is more than they hold in slots.
 * Such bodies stand here while they receive. Once too much is kept they are all paused, and go on, those that came first
 * first, when half of it has found slots. It always does: who keeps bytes has handed a full slot on and waits for nobody.
 */
export class OverflowGate {
  readonly #bytesMax: number;
  readonly #exposed = new Set<ExposedBody>();
  /** As many as were ever kept at once, which `bytesMax` bounds. */
  readonly #pool: ArrayBufferLike[] = [];
  #kept = 0;
  #closed = false;

  /** `bytesMax` may be exceeded by one chunk. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Memory that holds bytes outside the slab now. */
  get kept(): number {
    return this.#kept;
  }

  /** While the gate is closed the body must not ask for more. Idempotent, as is `leave`. */
  enter(body: ExposedBody): void {
    this.#exposed.add(body);
  }

  leave(body: ExposedBody): void {
    this.#exposed.delete(body);
  }

  /** Copies what found no slot; the copy belongs to the caller until `give`. */
  keep(bytes: Uint8Array): Uint8Array {
    const kept = this.#copy(bytes);
    this.#kept += kept.buffer.byteLength;
    if (!this.#closed && this.#kept >= this.#bytesMax) {
      this.#closed = true;
      for (const body of this.#exposed) body.pauseAtGate();
    }
    return kept;
  }

  /** What was kept has found a slot, or nobody wants it any more. */
  give(kept: Uint8Array): void {
    this.#kept -= kept.buffer.byteLength;
    if (kept.buffer.byteLength === POOLED_SIZE) this.#pool.push(kept.buffer);
    if (!this.#closed || this.#kept > this.#bytesMax / 2) return;
    this.#closed = false;
    for (const body of [...this.#exposed]) {
      // What was read before the pause arrives at once, and may close the gate again.
      if (this.#closed) return;
      body.resumeAtGate();
    }
  }

  /** The memory of large copies is used again: the garbage collector would let tens of megabytes of them pile up. */
  #copy(bytes: Uint8Array): Uint8Array {
    const size = bytes.byteLength;
    if (size < POOLED_MIN || size > POOLED_SIZE) return Uint8Array.from(bytes);
    const kept = new Uint8Array(this.#pool.pop() ?? new ArrayBuffer(POOLED_SIZE), 0, size);
    kept.set(bytes);
    return kept;
  }
}

const POOLED_SIZE = limits.httpChunkMax;
const POOLED_MIN = POOLED_SIZE / 8;
