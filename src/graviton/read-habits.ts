import type { BlockId } from '../core/digest.ts';

/**
 * Which blocks are read in parts so often that they belong in memory whole: those that are read again, several times
 * running, before `near` other reads have passed. Blocks of a set too large for memory rarely are. Remembers the last
 * `near` blocks that were read, no more.
 */
export class ReadHabits {
  readonly #near: number;
  /** In order of the last read, oldest first. */
  readonly #recent = new Map<BlockId, number>();

  constructor(near: number) {
    this.#near = near;
  }

  /** Notes a read of a part; true when the block should be read whole this time. */
  note(id: BlockId): boolean {
    const times = (this.#recent.get(id) ?? 0) + 1;
    this.#recent.delete(id);
    if (times > TIMES_MAX) return true;
    this.#recent.set(id, times);
    if (this.#recent.size > this.#near) this.#forgetOldest();
    return false;
  }

  #forgetOldest(): void {
    for (const id of this.#recent.keys()) {
      this.#recent.delete(id);
      return;
    }
  }
}

/** Of random reads over six times the memory, one in a thousand comes back this often; of a hot set, all do. */
const TIMES_MAX = 4;
