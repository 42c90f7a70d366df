import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { JsonValue } from './json-value.ts';
import type { MetadataFault } from './metadata-fault.ts';
import type { CheckedSchema } from './schema-check.ts';
import type { ValidationAnswer, ValidationJob } from './validation-messages.ts';
import { type ThreadBounds, ValidationThread } from './validation-thread.ts';

export interface SchemaValidatorOptions {
  /** 2 unless given. */
  readonly threads?: number;
  /** `limits.validationMs` unless given: for one job, once a thread has it. */
  readonly timeMs?: number;
  /** Heap of a thread; `limits.validationHeapMiB` unless given. */
  readonly heapMiB?: number;
}

/**
 * Compiles schemas and validates data on threads, never on the event loop: patterns that backtrack, schemas that branch with
 * every level and data that is wrong in every place cost one thread's time until the limit, and nobody else's. A thread that
 * was stopped or died is replaced at its next job.
 */
export class SchemaValidator {
  readonly #lanes: readonly Lane[];
  readonly #waiting: Task[] = [];
  readonly #bounds: ThreadBounds;
  #closed = false;

  private constructor(options: SchemaValidatorOptions) {
    this.#bounds = { timeMs: options.timeMs ?? limits.validationMs, heapMiB: options.heapMiB ?? limits.validationHeapMiB };
    this.#lanes = Array.from({ length: options.threads ?? limits.validationThreads }, () => ({
      thread: undefined,
      turn: undefined,
    }));
  }

  /** Resolves when every thread has started. @throws QuasarError `internal`, `validation_stopped`. */
  static async open(options: SchemaValidatorOptions = {}): Promise<SchemaValidator> {
    const validator = new SchemaValidator(options);
    const starts = await Promise.allSettled(validator.#lanes.map((lane) => validator.#threadOf(lane)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed === undefined) return validator;
    await validator.close();
    throw failed.reason;
  }

  /** Starts its threads when the first jobs come: most processes of most hours validate nothing. */
  static onDemand(options: SchemaValidatorOptions = {}): SchemaValidator {
    return new SchemaValidator(options);
  }

  /**
   * Whether the schema can be used: to be asked before it is registered.
   * @throws QuasarError `schema_invalid` with the place as far as known; `validation_stopped`, `validation_busy`, `internal`.
   */
  async compile(schema: CheckedSchema): Promise<void> {
    await this.#run({ hash: schema.hash, schema: schema.text, data: undefined });
  }

  /**
   * What does not fit, at most 100; none for valid data. Borrows the data until it settles.
   * @throws QuasarError `validation_stopped` when it takes too long or too much memory, `validation_busy`, `schema_invalid`, `internal`.
   */
  async validate(schema: CheckedSchema, data: JsonValue): Promise<readonly MetadataFault[]> {
    return await this.#run({ hash: schema.hash, schema: schema.text, data });
  }

  /** Jobs under way are finished, those that wait are cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#waiting.splice(0)) task.reject(new QuasarError('cancelled', { op }));
    await Promise.all(this.#lanes.map((lane) => lane.turn));
    await Promise.all(this.#lanes.map((lane) => lane.thread?.close()));
  }

  async #run(job: ValidationJob): Promise<readonly MetadataFault[]> {
    if (this.#closed) throw new QuasarError('internal', { op, message: 'The validator is closed.' });
    if (this.#waiting.length >= limits.validationQueueMax) throw new QuasarError('validation_busy', { op });
    const answer = new Promise<ValidationAnswer>((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
    });
    const idle = this.#lanes.find((lane) => lane.turn === undefined);
    if (idle !== undefined) idle.turn = this.#serve(idle);
    return faultsOf(await answer);
  }

  /** Works until nothing waits. Never rejects: what fails is the task's failure. */
  async #serve(lane: Lane): Promise<void> {
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      try {
        const thread = await this.#threadOf(lane);
        task.resolve(await thread.run(task.job));
      } catch (error) {
        task.reject(error);
      }
    }
    lane.turn = undefined;
  }

  async #threadOf(lane: Lane): Promise<ValidationThread> {
    if (lane.thread === undefined || lane.thread.ended) lane.thread = await ValidationThread.start(this.#bounds);
    return lane.thread;
  }
}

interface Task {
  readonly job: ValidationJob;
  readonly resolve: (answer: ValidationAnswer) => void;
  readonly reject: (cause: unknown) => void;
}

/** A place for one thread; `turn` is there while it works. */
interface Lane {
  thread: ValidationThread | undefined;
  turn: Promise<void> | undefined;
}

function faultsOf(answer: ValidationAnswer): readonly MetadataFault[] {
  switch (answer.kind) {
    case 'faults':
      return answer.faults;
    case 'schemaFault':
      throw new QuasarError('schema_invalid', { op, message: answer.message, details: { path: answer.path } });
    case 'exhausted':
      throw new QuasarError('validation_stopped', { op });
    case 'ready':
      throw new QuasarError('internal', { op, message: 'A validation thread started twice.' });
  }
}

const op = 'metadata.validate';
