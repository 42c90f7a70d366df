import { assert } from './assert.ts';
import { compileCopy } from './wasm-copy.ts';

/**
 * The memory in which every byte of content lives while it is in the program: one shared, page-aligned WebAssembly
 * memory, cut into slots of one block. Event loop, hash lanes and O_DIRECT reads and writes use it in place.
 *
 * Who gets slots:
 * - an admitted upload always owns at least one (`UploadAccount`); all uploads together at most `uploadSlotsMax`;
 * - downloads and the cache of verified blocks take what is left: never what is promised to admitted uploads, nor the
 *   last quarter of the uploads' share, so that slow readers cannot keep new uploads out;
 * - cached blocks nobody reads are given up at once when someone needs their slot (`setReclaimer`).
 *
 * Slots are reference counted: `retain` before handing one to a second owner, `release` exactly once per owner.
 * Single-threaded by construction: only the event loop acquires and releases.
 */
export class Slab {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly slotSize: number;
  readonly slotCount: number;
  readonly uploadSlotsMax: number;
  readonly #buffer: Buffer;
  readonly #copyWithin: (target: number, source: number, size: number) => void;
  readonly #extraAt: number;
  readonly #free: Slot[] = [];
  readonly #waiting: Waiter[] = [];
  #reclaim: () => boolean = () => false;
  #reclaimable: () => number = () => 0;
  #uploadSlots = 0;
  #reclaiming = false;
  /** Admitted uploads that hold no slot right now: each may claim one at any time. */
  #promised = 0;

  constructor(options: SlabOptions) {
    this.slotSize = options.slotSize;
    this.slotCount = options.slotCount;
    this.uploadSlotsMax = options.uploadSlotsMax;
    this.#extraAt = roundUp(this.slotCount * this.slotSize, PAGE);
    const total = roundUp(this.#extraAt + options.extraSize, WASM_PAGE);
    const memory = new WebAssembly.Memory({ initial: total / WASM_PAGE, maximum: total / WASM_PAGE, shared: true });
    this.buffer = memory.buffer as SharedArrayBuffer;
    this.bytes = new Uint8Array(this.buffer);
    this.#buffer = Buffer.from(this.buffer);
    this.#copyWithin = compileCopy(memory);
    // Last in, first out: an idle program touches few slots, so memory is committed only under load.
    for (let index = this.slotCount - 1; index >= 0; index--) this.#free.push(new Slot(this, index));
  }

  /** Page-aligned memory beside the slots, for the batch buffers of a segment writer. Its offset in `bytes`. */
  get extraAt(): number {
    return this.#extraAt;
  }

  get freeSlots(): number {
    return this.#free.length;
  }

  get uploadSlots(): number {
    return this.#uploadSlots;
  }

  /** The cache registers how many slots it could give up now, and how to give up one (false: none). */
  setReclaimer(options: { reclaimable: () => number; reclaim: () => boolean }): void {
    this.#reclaimable = options.reclaimable;
    this.#reclaim = options.reclaim;
  }

  /**
   * Copies bytes from outside the slab to `target`, at any alignment. V8's `set` goes byte by byte into shared memory when
   * source and target differ modulo 8 (4 GB/s); filling with a pattern as long as the target is one native memmove.
   */
  copyIn(target: number, source: Uint8Array): void {
    if (source.byteLength < NATIVE_COPY_MIN) this.bytes.set(source, target);
    else this.#buffer.fill(source, target, target + source.byteLength);
  }

  /** Moves bytes inside the slab; ranges may overlap. */
  move(target: number, source: number, size: number): void {
    this.#copyWithin(target, source, size);
  }

  /** True when `view` lies in this slab, so that `move` can read it. */
  owns(view: Uint8Array): boolean {
    return (view.buffer as ArrayBufferLike) === this.buffer;
  }

  /** Room for one more admitted upload? Admission takes the promise of a slot, not the slot. */
  admitUpload(): UploadAccount | undefined {
    const available = this.#free.length + this.#reclaimable();
    if (this.#promised + 1 > available) return undefined;
    this.#promised += 1;
    return new UploadAccount(this);
  }

  /** A slot for reading a block, or undefined when all are busy or promised. */
  tryAcquire(): Slot | undefined {
    return this.#spare > 0 ? this.#takeToRead() : undefined;
  }

  /** The same for a block nobody waits for yet: only while a quarter of all slots is to spare. */
  tryAcquireAhead(): Slot | undefined {
    return this.#spare > this.slotCount / 4 ? this.#takeToRead() : undefined;
  }

  /**
   * Whether a reader may begin to use a cached block nobody reads: its slot can then not be given up, which is the same
   * as taking one. Uploads are admitted on such slots too.
   */
  mayPin(): boolean {
    return this.#spare > 0;
  }

  /** Slots readers may still take. */
  get #spare(): number {
    return this.#free.length + this.#reclaimable() - this.#keptForUploads;
  }

  get #keptForUploads(): number {
    return Math.max(this.#promised, Math.floor(this.uploadSlotsMax / 4) - this.#uploadSlots);
  }

  /** Waits in line for a slot. @throws the signal's reason when aborted meanwhile. */
  acquire(signal?: AbortSignal): Promise<Slot> {
    if (this.#waiting.length === 0) {
      const slot = this.tryAcquire();
      if (slot !== undefined) return Promise.resolve(slot);
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, abort: undefined };
      if (signal !== undefined) {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const abort = () => {
          const at = this.#waiting.indexOf(waiter);
          if (at >= 0) this.#waiting.splice(at, 1);
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        waiter.abort = () => signal.removeEventListener('abort', abort);
      }
      this.#waiting.push(waiter);
    });
  }

  /** Call when a cached block lost its last reader: someone may be waiting for its slot. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const slot = this.tryAcquire();
      if (slot === undefined) return;
      const waiter = this.#waiting.shift() as Waiter;
      waiter.abort?.();
      waiter.resolve(slot);
    }
  }

  /** What is kept for uploads stays free as long as the cache can give up something else: reading alone never touches it. */
  #takeToRead(): Slot {
    if (this.#free.length <= this.#keptForUploads && this.#reclaimable() > 0) this.#freeCached();
    return this.#take();
  }

  #take(): Slot {
    if (this.#free.length === 0) this.#freeCached();
    const slot = this.#free.pop();
    assert(slot !== undefined, 'a reclaimed slot is free');
    slot.revive();
    return slot;
  }

  #freeCached(): void {
    this.#reclaiming = true;
    const reclaimed = this.#reclaim();
    this.#reclaiming = false;
    assert(reclaimed, 'the cache gives up what it said it could');
  }

  /** @internal */
  takeForUpload(held: number, mayHold: number): Slot | undefined {
    if (held >= mayHold) return undefined;
    if (held === 0) {
      // Taken while still promised: a reader in line must not get what is freed for it.
      const own = this.#take();
      this.#promised -= 1;
      this.#uploadSlots += 1;
      return own;
    }
    if (this.#uploadSlots + this.#promised >= this.uploadSlotsMax) return undefined;
    if (this.#free.length + this.#reclaimable() <= this.#promised) return undefined;
    const slot = this.#take();
    this.#uploadSlots += 1;
    return slot;
  }

  /** @internal */
  uploadSlotReturned(heldAfter: number, closed: boolean): void {
    this.#uploadSlots -= 1;
    if (heldAfter === 0 && !closed) this.#promised += 1;
  }

  /** @internal */
  promiseDropped(): void {
    this.#promised -= 1;
    this.wake();
  }

  /** @internal */
  slotFreed(slot: Slot): void {
    this.#free.push(slot);
    // What the cache gives up belongs to who asked for it; a reader in line would take it away under their hands.
    if (!this.#reclaiming) this.wake();
  }
}

export interface SlabOptions {
  readonly slotSize: number;
  readonly slotCount: number;
  readonly uploadSlotsMax: number;
  /** Extra page-aligned bytes behind the slots. */
  readonly extraSize: number;
}

export class Slot {
  readonly index: number;
  /** Offset of the slot's first byte in `slab.bytes`. */
  readonly at: number;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly #slab: Slab;
  #references = 0;

  constructor(slab: Slab, index: number) {
    this.#slab = slab;
    this.index = index;
    this.at = index * slab.slotSize;
    this.bytes = slab.bytes.subarray(this.at, this.at + slab.slotSize);
  }

  get references(): number {
    return this.#references;
  }

  retain(): void {
    assert(this.#references > 0, 'only an owner may share a slot');
    this.#references += 1;
  }

  release(): void {
    assert(this.#references > 0, 'a slot is released once per owner');
    this.#references -= 1;
    if (this.#references === 0) this.#slab.slotFreed(this);
  }

  /** @internal */
  revive(): void {
    assert(this.#references === 0, 'a free slot has no owner');
    this.#references = 1;
  }
}

/** One admitted upload's right to slots: always one, more while others leave room. */
export class UploadAccount {
  readonly #slab: Slab;
  #held = 0;
  #closed = false;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  get held(): number {
    return this.#held;
  }

  /** Never undefined when the account holds none. `mayHold` bounds what it may hold together. */
  tryAcquire(mayHold: number): Slot | undefined {
    assert(!this.#closed, 'a closed account takes no slots');
    const slot = this.#slab.takeForUpload(this.#held, Math.max(1, mayHold));
    if (slot !== undefined) this.#held += 1;
    return slot;
  }

  /** Gives a slot of this account back. The caller's reference is released. */
  giveBack(slot: Slot): void {
    assert(this.#held > 0, 'an account gives back what it took');
    this.#held -= 1;
    this.#slab.uploadSlotReturned(this.#held, this.#closed);
    slot.release();
  }

  /** Ends the promise. Slots still held come back by `giveBack` later. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#held === 0) this.#slab.promiseDropped();
  }
}

interface Waiter {
  readonly resolve: (slot: Slot) => void;
  abort: (() => void) | undefined;
}

const PAGE = 4096;
/** Below this a call into native code costs more than it saves. */
const NATIVE_COPY_MIN = 256;
const WASM_PAGE = 65_536;

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
