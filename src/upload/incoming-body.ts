import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Slab, Slot, UploadAccount } from '../core/slab.ts';
import type { ExposedBody, OverflowGate } from './overflow-gate.ts';

/** The part of an HTTP exchange a body is read from. */
export interface BodySource {
  readBody(consumer: { chunk(bytes: Uint8Array): void; end(): void; gone(fault?: QuasarError): void }): void;
  pauseBody(): void;
  resumeBody(): void;
}

export interface FilledSlot {
  readonly slot: Slot;
  /** Bytes in the slot, those carried in included. */
  readonly size: number;
  /** No byte of this body follows. */
  readonly last: boolean;
}

export interface IncomingBodyOptions {
  readonly source: BodySource;
  readonly slab: Slab;
  readonly account: UploadAccount;
  /** How many slots this upload may hold now; falls as more uploads share the slab. */
  readonly mayHold: () => number;
  /** Shared by all bodies: bounds what finds no slot. */
  readonly gate: OverflowGate;
  /** More bytes than this fail the body with `upload_too_large`. */
  readonly sizeMax: number;
  /** The chunker may leave uncut bytes that belong in front of the next slot: wait for `release` after each full slot. */
  readonly carries: boolean;
  /** Sees every chunk once, in order, before it is copied (digests over the request). */
  readonly observe: ((bytes: Uint8Array) => void) | undefined;
}

/**
 * Takes a request body out of the server's callbacks into slots of the slab, and pauses the socket when the upload has
 * no slot left. A chunk must be taken whole, since its memory is the server's: what finds no slot waits in `#overflow`,
 * at most one chunk, and goes first when a slot comes back; `OverflowGate` bounds it over all bodies.
 *
 * Slots come out full, in order, by `next`; the last may be partly filled or empty. With `carries`, no byte is placed
 * behind a full slot until the consumer has said by `release` what goes in front of it.
 */
export class IncomingBody implements ExposedBody {
  readonly #options: IncomingBodyOptions;
  readonly #ready: FilledSlot[] = [];
  #current: Slot | undefined;
  #filled = 0;
  /** Taken ahead, so that a chunk which does not fit into the current slot needs no second copy. */
  #following: Slot | undefined;
  #overflow: Uint8Array | undefined;
  #paused = false;
  #held = false;
  #ended = false;
  #lastGiven = false;
  #fault: QuasarError | undefined;
  #wake: (() => void) | undefined;
  #received = 0;
  #pauses = 0;

  constructor(options: IncomingBodyOptions) {
    this.#options = options;
  }

  /** Bytes taken from the client so far. */
  get received(): number {
    return this.#received;
  }

  /** True while we, not the client, are the reason that nothing arrives. */
  get paused(): boolean {
    return this.#paused;
  }

  /** How often we paused the client; grows. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Puts `size` uncut bytes of an earlier request in front; before `start`. `fill` writes them into the slot. */
  async prepend(fill: (slot: Slot) => Promise<number>): Promise<void> {
    const slot = this.#options.account.tryAcquire(this.#options.mayHold());
    assert(slot !== undefined, 'an admitted upload has a slot to start with');
    this.#current = slot;
    this.#filled = await fill(slot);
  }

  start(): void {
    this.#options.source.readBody({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#end(),
      gone: (fault) => this.fail(fault ?? new QuasarError('cancelled', { op: 'upload.receive' })),
    });
  }

  /** Ends the body from outside: stall, take-over, shutdown. The slots not handed out yet stay for `takeRest`. */
  fail(fault: QuasarError): void {
    if (this.#ended || this.#fault !== undefined) return;
    this.#fault = fault;
    this.#options.gate.leave(this);
    this.#pause();
    this.#signal();
  }

  /**
   * The next full slot, or the last one with `last` set, exactly once; then undefined.
   * @throws what the body failed with, after all full slots were handed out.
   */
  async next(): Promise<FilledSlot | undefined> {
    for (;;) {
      const filled = this.#ready.shift();
      if (filled !== undefined) {
        this.#lastGiven = filled.last;
        return filled;
      }
      if (this.#lastGiven) return undefined;
      if (this.#fault !== undefined) throw this.#fault;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What `next` returns, and with it those of the following slots that are full already: `countMax` at most, none at the end. */
  async nextFew(countMax: number): Promise<FilledSlot[]> {
    const first = await this.next();
    if (first === undefined) return [];
    const few = [first, ...this.#ready.splice(0, countMax - 1)];
    this.#lastGiven = few.at(-1)?.last === true;
    return few;
  }

  /** The slot `next` will return; it stays the body's. */
  async peek(): Promise<FilledSlot> {
    const first = await this.next();
    assert(first !== undefined, 'a body has a last slot, even when it is empty');
    this.#lastGiven = false;
    this.#ready.unshift(first);
    return first;
  }

  /** After a failed body: the partly filled slot, so that an interrupted request keeps what it sent. */
  takeRest(): FilledSlot | undefined {
    const slot = this.#current;
    if (slot === undefined) return undefined;
    this.#current = undefined;
    return { slot, size: this.#filled, last: true };
  }

  /** Goes on behind `size` bytes that already lie at the start of `slot` (none: in a fresh slot). */
  release(carried: { slot: Slot; size: number } | undefined): void {
    this.#held = false;
    if (carried !== undefined) {
      assert(this.#current === undefined, 'the held body has no slot under way');
      this.#current = carried.slot;
      this.#filled = carried.size;
    }
    this.slotAvailable();
  }

  /** A slot of this upload came back: whatever waited for one goes on. */
  slotAvailable(): void {
    if (this.#held || (this.#fault !== undefined && this.#overflow === undefined)) return;
    const waiting = this.#overflow;
    if (waiting !== undefined) {
      if (!this.#hasRoom()) return;
      this.#overflow = undefined;
      this.#place(waiting);
      this.#options.gate.give(waiting);
      if (this.#overflow !== undefined) return;
    }
    if (this.#ended) this.#finishLast();
    else if (this.#fault === undefined) this.#steer();
  }

  /** @internal */
  pauseAtGate(): void {
    this.#pause();
  }

  /** @internal */
  resumeAtGate(): void {
    this.#steer();
  }

  /** Gives back what nobody took. */
  close(): void {
    for (const { slot } of this.#ready.splice(0)) this.#options.account.giveBack(slot);
    for (const slot of [this.#current, this.#following]) if (slot !== undefined) this.#options.account.giveBack(slot);
    this.#current = undefined;
    this.#following = undefined;
    this.#ended = true;
    this.#options.gate.leave(this);
    const dropped = this.#overflow;
    this.#overflow = undefined;
    if (dropped !== undefined) this.#options.gate.give(dropped);
    this.#lastGiven = true;
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#fault !== undefined || this.#ended) return;
    this.#received += bytes.byteLength;
    if (this.#received > this.#options.sizeMax) {
      this.fail(new QuasarError('upload_too_large', { op: 'upload.receive', details: { sizeMax: this.#options.sizeMax } }));
      return;
    }
    this.#options.observe?.(bytes);
    if (this.#overflow !== undefined || this.#held) {
      this.#keep(bytes);
      return;
    }
    this.#place(bytes);
    this.#steer();
  }

  #end(): void {
    if (this.#fault !== undefined || this.#ended) return;
    this.#ended = true;
    this.#options.gate.leave(this);
    if (this.#overflow === undefined && !this.#held) this.#finishLast();
  }

  #place(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.byteLength) {
      if (this.#held || !this.#hasRoom()) {
        this.#keep(done === 0 ? bytes : bytes.subarray(done));
        return;
      }
      const slot = this.#current as Slot;
      const size = Math.min(slot.bytes.byteLength - this.#filled, bytes.byteLength - done);
      this.#options.slab.copyIn(slot.at + this.#filled, size === bytes.byteLength ? bytes : bytes.subarray(done, done + size));
      this.#filled += size;
      done += size;
      if (this.#filled === slot.bytes.byteLength) this.#deliver(false);
    }
  }

  #hasRoom(): boolean {
    if (this.#current !== undefined) return true;
    this.#current = this.#following ?? this.#acquire();
    this.#following = undefined;
    this.#filled = 0;
    return this.#current !== undefined;
  }

  /** Asks the client for more, or not. */
  #steer(): void {
    const { gate } = this.#options;
    const room = this.#room();
    if (room === 'part') gate.enter(this);
    else gate.leave(this);
    if (room === 'none' || (room === 'part' && gate.closed)) this.#pause();
    else this.#resume();
  }

  /**
   * For the largest chunk, for a part of it, or none. An upload whose only slot is the current one cannot wait for more
   * room, since no slot will come back; what does not fit then waits in `#overflow`.
   */
  #room(): 'chunk' | 'part' | 'none' {
    if (this.#held || this.#overflow !== undefined || !this.#hasRoom()) return 'none';
    const { bytes } = this.#current as Slot;
    if (bytes.byteLength - this.#filled >= limits.httpChunkMax) return 'chunk';
    if (this.#options.carries) return 'part';
    this.#following ??= this.#acquire();
    if (this.#following !== undefined) return 'chunk';
    return this.#options.account.held === 1 ? 'part' : 'none';
  }

  #acquire(): Slot | undefined {
    return this.#options.account.tryAcquire(this.#options.mayHold());
  }

  #keep(bytes: Uint8Array): void {
    const { gate } = this.#options;
    gate.leave(this);
    this.#pause();
    const before = this.#overflow;
    this.#overflow = gate.keep(before === undefined ? bytes : Buffer.concat([before, bytes]));
    if (before !== undefined) gate.give(before);
    assert(this.#overflow.byteLength <= 2 * limits.httpChunkMax, 'a paused body delivers no further chunks');
  }

  #finishLast(): void {
    if (this.#lastGiven || this.#ready.at(-1)?.last === true) return;
    if (!this.#hasRoom()) return;
    this.#deliver(true);
  }

  #deliver(last: boolean): void {
    const slot = this.#current as Slot;
    this.#current = undefined;
    this.#held = !last && this.#options.carries;
    this.#ready.push({ slot, size: this.#filled, last });
    this.#signal();
  }

  #pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#pauses += 1;
    this.#options.source.pauseBody();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#options.source.resumeBody();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
