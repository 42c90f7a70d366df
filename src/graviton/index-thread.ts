import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { QuasarError } from '../core/errors.ts';
import { END, type IndexAnswer, type IndexWrite } from './index-messages.ts';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the index in a thread of its own, in the order of the calls. It starts with the first write; when it ends on its own,
 * the writes under way fail, and the next one starts another.
 */
export class IndexThread {
  readonly #directory: string;
  /** Oldest first: they are answered in order. */
  readonly #waiting: Waiting[] = [];
  #thread: Worker | undefined;
  #closed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Resolves when it is durable. Takes the memory of the items. @throws an error with the `code` of LMDB or the system. */
  async write(write: IndexWrite): Promise<void> {
    if (this.#closed) throw new QuasarError('internal', { op: OP, message: 'The block index is closed.' });
    this.#thread ??= this.#start();
    const thread = this.#thread;
    thread.ref();
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      thread.postMessage(write, [write.items.buffer]);
    });
  }

  /** Waits for the writes under way, and until the thread has let go of the files. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = once(thread, 'exit');
    thread.ref();
    thread.postMessage(END);
    await ended;
  }

  #start(): Worker {
    const thread = new Worker(PROGRAM, { workerData: this.#directory, resourceLimits: THREAD_LIMITS });
    thread.on('message', (answer: IndexAnswer) => this.#answered(answer));
    let failure: unknown;
    thread.on('error', (error) => {
      failure = error;
    });
    thread.on('exit', () => this.#ended(failure));
    return thread;
  }

  #answered(failure: IndexAnswer): void {
    const waiting = this.#waiting.shift();
    // Idle, it keeps no program alive, unless its end is waited for.
    if (this.#waiting.length === 0 && !this.#closed) this.#thread?.unref();
    if (failure === undefined) waiting?.resolve();
    else waiting?.reject(Object.assign(new Error(failure.message), { code: failure.code }));
  }

  #ended(cause: unknown): void {
    this.#thread = undefined;
    const error = new QuasarError('internal', { op: OP, message: 'The thread that writes the block index has ended.', cause });
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

const OP = 'graviton.index';
const PROGRAM = new URL('./lmdb-index-thread.js', import.meta.url);
/** What it writes lies outside of these. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };
