import type { Clock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { WaitingLine } from '../core/waiting-line.ts';
import type { JsonValue } from './json-value.ts';
import type { MetadataFault } from './metadata-fault.ts';
import type { CheckedSchema } from './schema-check.ts';
import type { ValidationAnswer, ValidationJob } from './validation-messages.ts';
import { type ThreadBounds, ValidationThread } from './validation-thread.ts';

export interface SchemaValidatorOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
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
 *
 * Orgs take turns. One whose job had to be stopped is *slow* for `limits.validationPenaltyMs`: all slow orgs together
 * leave one thread to the others, so that runaway patterns keep nobody else waiting.
 */
export class SchemaValidator {
  readonly #lanes: readonly Lane[];
  readonly #waiting = new WaitingLine<Task>({
    open: limits.validationQueueMax,
    kept: limits.validationQueueKept,
    few: limits.validationQueueFew,
  });
  /** Until when an org is slow, the oldest first. */
  readonly #slowUntil = new Map<string, number>();
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #bounds: ThreadBounds;
  #closed = false;

  private constructor(options: SchemaValidatorOptions) {
    this.#bounds = { timeMs: options.timeMs ?? limits.validationMs, heapMiB: options.heapMiB ?? limits.validationHeapMiB };
    this.#clock = options.clock;
    this.#lanes = Array.from({ length: options.threads ?? limits.validationThreads }, () => ({
      thread: undefined,
      turn: undefined,
      orgId: undefined,
    }));
  }

  /** Resolves when every thread has started. @throws QuasarError `internal`, `validation_stopped`. */
  static async open(options: SchemaValidatorOptions): Promise<SchemaValidator> {
    const validator = new SchemaValidator(options);
    const starts = await Promise.allSettled(validator.#lanes.map((lane) => validator.#threadOf(lane)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed === undefined) return validator;
    await validator.close();
    throw failed.reason;
  }

  /** Starts its threads when the first jobs come: most processes of most hours validate nothing. */
  static onDemand(options: SchemaValidatorOptions): SchemaValidator {
    return new SchemaValidator(options);
  }

  /**
   * Whether the schema can be used: to be asked before it is registered.
   * @throws QuasarError `schema_invalid` with the place as far as known; `validation_stopped`, `validation_busy`, `internal`.
   */
  async compile(schema: CheckedSchema, asker: Scope): Promise<void> {
    await this.#run(asker, { hash: schema.hash, schema: schema.text, data: undefined });
  }

  /**
   * What does not fit, at most 100; none for valid data. Borrows the data until it settles.
   * @throws QuasarError `validation_stopped` when it takes too long or too much memory, `validation_busy`, `schema_invalid`, `internal`.
   */
  async validate(schema: CheckedSchema, data: JsonValue, asker: Scope): Promise<readonly MetadataFault[]> {
    return await this.#run(asker, { hash: schema.hash, schema: schema.text, data });
  }

  /** Jobs under way are finished, those that wait are cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    const anybody = () => true;
    for (let task = this.#waiting.take(anybody); task !== undefined; task = this.#waiting.take(anybody)) {
      task.reject(new QuasarError('cancelled', { op }));
    }
    await Promise.all(this.#lanes.map((lane) => lane.turn));
    await Promise.all(this.#lanes.map((lane) => lane.thread?.close()));
  }

  async #run(asker: Scope, job: ValidationJob): Promise<readonly MetadataFault[]> {
    if (this.#closed) throw new QuasarError('internal', { op, message: 'The validator is closed.' });
    const answer = new Promise<ValidationAnswer>((resolve, reject) => {
      const refusal = this.#waiting.put(asker, { orgId: asker.orgId, job, resolve, reject });
      if (refusal !== undefined) reject(new QuasarError('validation_busy', { op, details: { share: refusal } }));
    });
    this.#wake();
    return faultsOf(await answer);
  }

  #wake(): void {
    for (const lane of this.#lanes) {
      if (this.#waiting.count === 0) return;
      if (lane.turn === undefined) lane.turn = this.#serve(lane);
    }
  }

  /**
   * Works until nothing waits that may run; a slow org's task that may not now is taken by the lane that keeps it from it.
   * Never rejects: what fails is the task's failure.
   */
  async #serve(lane: Lane): Promise<void> {
    const mayRun = (orgId: string) => !this.#isSlow(orgId) || this.#hasRoomForSlow();
    for (let task = this.#waiting.take(mayRun); task !== undefined; task = this.#waiting.take(mayRun)) {
      lane.orgId = task.orgId;
      try {
        const thread = await this.#threadOf(lane);
        task.resolve(await thread.run(task.job));
      } catch (error) {
        if (isQuasarError(error, 'validation_stopped')) this.#markSlow(task.orgId);
        task.reject(error);
      }
      lane.orgId = undefined;
    }
    lane.turn = undefined;
  }

  #isSlow(orgId: string): boolean {
    const until = this.#slowUntil.get(orgId);
    if (until === undefined) return false;
    if (until > this.#clock.monotonic()) return true;
    this.#slowUntil.delete(orgId);
    return false;
  }

  #markSlow(orgId: string): void {
    this.#slowUntil.delete(orgId);
    this.#slowUntil.set(orgId, this.#clock.monotonic() + limits.validationPenaltyMs);
    const [oldest] = this.#slowUntil.keys();
    if (this.#slowUntil.size > limits.validationQueueMax && oldest !== undefined) this.#slowUntil.delete(oldest);
  }

  /** Slow orgs may have all threads but one; where there is a single one, that. */
  #hasRoomForSlow(): boolean {
    const slow = this.#lanes.filter(({ orgId }) => orgId !== undefined && this.#isSlow(orgId)).length;
    return slow < Math.max(1, this.#lanes.length - 1);
  }

  async #threadOf(lane: Lane): Promise<ValidationThread> {
    if (lane.thread === undefined || lane.thread.ended) lane.thread = await ValidationThread.start(this.#bounds);
    return lane.thread;
  }
}

interface Task {
  readonly orgId: string;
  readonly job: ValidationJob;
  readonly resolve: (answer: ValidationAnswer) => void;
  readonly reject: (cause: unknown) => void;
}

/** A place for one thread; `turn` is there while it works. */
interface Lane {
  /** Whose job is under way. */
  orgId: string | undefined;
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
