import { type PiscinaTask, queueOptionsSymbol } from 'piscina';
import { assert } from '../core/assert.ts';

type Task = Pick<PiscinaTask, typeof queueOptionsSymbol>;

/** What a job tells the queue beside its task: the stream whose order it must keep. */
export interface LaneTurn {
  readonly stream: number;
}

/**
 * The jobs that wait for a lane, so that neither a long upload nor a crowd of readers holds up the others:
 * - jobs of one stream stay in order; streams take turns, one job each;
 * - jobs without a stream, mostly blocks to verify for readers, go first, but at most `SINGLES_A_TURN` in a row while a
 *   stream waits: together they take about as long as the one job of an upload that follows.
 */
export class LaneQueue {
  /** By stream, the one whose turn is next in front. No line is empty. */
  readonly #lines = new Map<number, Task[]>();
  readonly #singles: Task[] = [];
  #singlesInRow = 0;
  /** Taken, but given back because the thread was busy: nothing may pass it. */
  #returned: Task | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(task: Task): void {
    this.#size += 1;
    const turn = task[queueOptionsSymbol] as LaneTurn | null;
    if (turn === null) {
      this.#singles.push(task);
      return;
    }
    const line = this.#lines.get(turn.stream);
    if (line === undefined) this.#lines.set(turn.stream, [task]);
    else line.push(task);
  }

  shift(): Task | null {
    const task = this.#takeReturned() ?? this.#takeSingle() ?? this.#takeOfStream();
    if (task === undefined) return null;
    this.#size -= 1;
    return task;
  }

  unshift(task: Task): void {
    assert(this.#returned === undefined, 'one task at a time is given back');
    this.#returned = task;
    this.#size += 1;
  }

  /** Piscina asks for it when a task is aborted; jobs of a lane never are. */
  remove(): void {
    assert(false, 'no job of a lane is aborted');
  }

  #takeReturned(): Task | undefined {
    const task = this.#returned;
    this.#returned = undefined;
    return task;
  }

  #takeSingle(): Task | undefined {
    if (this.#singlesInRow >= SINGLES_A_TURN && this.#lines.size > 0) return undefined;
    const task = this.#singles.shift();
    if (task !== undefined) this.#singlesInRow += 1;
    return task;
  }

  #takeOfStream(): Task | undefined {
    this.#singlesInRow = 0;
    for (const [stream, line] of this.#lines) {
      this.#lines.delete(stream);
      const task = line.shift();
      if (line.length > 0) this.#lines.set(stream, line);
      return task;
    }
    return undefined;
  }
}

/** BLAKE3 of a block takes 0.13 ms, all hashes of an upload's block 0.75 ms. */
const SINGLES_A_TURN = 6;
