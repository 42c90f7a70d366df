import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';

/**
 * Buffers for reads of stretches, each large enough for the largest. Made when they are first needed, then reused, the
 * last one first, so that little memory is touched. Beside the slab: its slots are sixteen times as large as a stretch.
 */
export class StretchBuffers {
  readonly #countMax: number;
  readonly #memory: SharedArrayBuffer;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #made = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
    this.#memory = new SharedArrayBuffer(countMax * limits.stretchReadMax);
  }

  /** Buffers that are lent now. */
  get lent(): number {
    return this.#made - this.#free.length;
  }

  /** A buffer for someone who may keep it for long: half of them stay with those who wait in line. */
  tryLease(): Buffer | undefined {
    return this.lent < this.#countMax / 2 ? this.#take() : undefined;
  }

  /** Waits in line for a buffer; whoever has one gives it back as soon as its bytes are read, hashed and copied. */
  lease(): Buffer | Promise<Buffer> {
    if (this.lent < this.#countMax) return this.#take();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }

  #take(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    assert(this.#made < this.#countMax, 'no more buffers are made than allowed');
    this.#made += 1;
    return Buffer.from(this.#memory, (this.#made - 1) * limits.stretchReadMax, limits.stretchReadMax);
  }
}
