import { Worker } from 'node:worker_threads';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { ValidationAnswer, ValidationJob } from './validation-messages.ts';

export interface ThreadBounds {
  /** For one job. */
  readonly timeMs: number;
  readonly heapMiB: number;
}

/**
 * One thread that answers one job at a time. It ends for good when a job takes too long or too much memory, or when it dies;
 * whoever holds it starts another one then.
 */
export class ValidationThread {
  readonly #worker: Worker;
  readonly #timeMs: number;
  #settle: { readonly resolve: (answer: ValidationAnswer) => void; readonly reject: (cause: unknown) => void } | undefined;
  #ended = false;

  private constructor({ timeMs, heapMiB }: ThreadBounds) {
    this.#timeMs = timeMs;
    this.#worker = new Worker(new URL('./validation-worker.js', import.meta.url), {
      // It needs nothing from its surroundings, so it gets nothing.
      ...{ argv: [], env: {}, execArgv: [] },
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 8 },
    });
    this.#worker.on('message', (answer: ValidationAnswer) => this.#take()?.resolve(answer));
    this.#worker.on('error', (cause) => this.#died(cause));
    this.#worker.on('exit', () => this.#died(undefined));
  }

  /** Resolves when the thread has loaded what it needs. @throws QuasarError `internal`, `validation_stopped` when it does not. */
  static async start(bounds: ThreadBounds): Promise<ValidationThread> {
    const thread = new ValidationThread(bounds);
    await thread.#answer(limits.validationStartMs);
    return thread;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Copies the job. To be called when no other job is under way.
   * @throws QuasarError `validation_stopped` after the time limit or for too much memory; `internal` when the thread dies otherwise.
   */
  async run(job: ValidationJob): Promise<ValidationAnswer> {
    this.#worker.postMessage(job);
    return await this.#answer(this.#timeMs);
  }

  /** A job under way is given up. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  async #answer(timeMs: number): Promise<ValidationAnswer> {
    if (this.#ended) throw died(undefined);
    const timer = setTimeout(() => this.#stop(), timeMs);
    try {
      return await new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #stop(): void {
    const settle = this.#take();
    this.#ended = true;
    // Terminating also ends a regular expression that backtracks; there is no other way to.
    this.#worker.terminate().then(
      () => settle?.reject(new QuasarError('validation_stopped', { op, details: { timeMs: this.#timeMs } })),
      (cause: unknown) => settle?.reject(died(cause)),
    );
  }

  #died(cause: unknown): void {
    this.#ended = true;
    const outOfMemory = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.#take()?.reject(outOfMemory ? new QuasarError('validation_stopped', { op, cause }) : died(cause));
  }

  #take() {
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }
}

function died(cause: unknown): QuasarError {
  return new QuasarError('internal', { op, message: 'A validation thread died.', ...(cause === undefined ? {} : { cause }) });
}

const op = 'metadata.validate';
