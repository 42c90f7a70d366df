import { fileURLToPath } from 'node:url';
import { Piscina, queueOptionsSymbol } from 'piscina';
import { blockIdOf } from '../core/blake3.ts';
import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { PageDigests } from '../core/manifest.ts';
import { cutterOf } from './cutters.ts';
import type { CutWish, HashJob, JobResults, LaneData, OfStream } from './hash-jobs.ts';
import { hashWhole } from './hash-whole.ts';
import type { ChunkerName, CutBlock, Hasher, HashStream, WholeDigests } from './hasher.ts';
import { LaneQueue, type LaneTurn } from './piscina-lane-queue.ts';

export interface PiscinaHasherOptions {
  /** The memory all offsets refer to. */
  readonly slab: { readonly buffer: SharedArrayBuffer; readonly bytes: Uint8Array };
  readonly lanes: number;
  /** Told when a thread dies while it has no job that could fail. Its streams are lost; a new thread takes the lane over. */
  readonly onLaneFault?: (cause: Error) => void;
}

/** Lanes as Piscina pools of one thread each. */
export class PiscinaHasher implements Hasher {
  readonly #lanes: readonly Lane[];
  readonly #slab: Uint8Array;
  #lastStream = 0;

  private constructor(lanes: readonly Lane[], slab: Uint8Array) {
    this.#lanes = lanes;
    this.#slab = slab;
  }

  /** Resolves when every lane has answered. @throws QuasarError `internal` when a thread does not start. */
  static async open(options: PiscinaHasherOptions): Promise<PiscinaHasher> {
    const lanes = Array.from({ length: options.lanes }, () => new Lane(options));
    const hasher = new PiscinaHasher(lanes, options.slab.bytes);
    try {
      await Promise.all(lanes.map((lane) => lane.run({ kind: 'probe' })));
      return hasher;
    } catch (error) {
      await hasher.close();
      throw error;
    }
  }

  openStream(chunker: ChunkerName): HashStream {
    this.#lastStream += 1;
    return new LaneStream({ lane: this.#idlestLane(), slab: this.#slab, id: this.#lastStream, chunker });
  }

  async hashBlock(at: number, size: number): Promise<BlockId> {
    if (size < limits.inlineHashMax) return blockIdOf(this.#slab.subarray(at, at + size));
    return await this.#idlestLane().run({ kind: 'block', at, size });
  }

  async hashStretches(at: number, size: number): Promise<readonly string[]> {
    return await this.#idlestLane().run({ kind: 'stretches', at, size });
  }

  async hashManifestPage(page: Uint8Array): Promise<PageDigests> {
    // A copy of its own: posting a view would copy all the memory it is a view of.
    return await this.#idlestLane().run({ kind: 'page', page: Uint8Array.from(page) });
  }

  /** Waits for the jobs given so far. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  #idlestLane(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.load < best.load ? lane : best));
  }
}

/**
 * All hashes of a stream stay on one lane. SHA-256, two thirds of the work, on a second lane made one upload 4 % faster
 * on two cores and four uploads 12 % slower: the event loop and the kernel need the other core.
 */
class LaneStream implements HashStream {
  readonly chunker: ChunkerName;
  readonly carries: boolean;
  readonly #lane: Lane;
  readonly #slab: Uint8Array;
  readonly #id: number;
  #first = true;
  #closed = false;

  constructor(options: { lane: Lane; slab: Uint8Array; id: number; chunker: ChunkerName }) {
    this.chunker = options.chunker;
    this.carries = cutterOf(options.chunker).carries;
    this.#lane = options.lane;
    this.#slab = options.slab;
    this.#id = options.id;
    this.#lane.streams += 1;
  }

  async cut({ ranges, final, whole }: CutWish): Promise<readonly CutBlock[]> {
    return await this.#lane.run({ kind: 'cut', ranges, final, whole, ...this.#ofStream() });
  }

  async absorb(at: number, size: number): Promise<void> {
    await this.#lane.run({ kind: 'absorb', ...this.#ofStream(), at, size });
  }

  async hashSingle(at: number, size: number): Promise<WholeDigests> {
    if (size < limits.inlineSingleMax) return hashWhole(this.#slab.subarray(at, at + size));
    return await this.#lane.run({ kind: 'single', at, size });
  }

  async finish(): Promise<WholeDigests> {
    return await this.#lane.run({ kind: 'finish', ...this.#ofStream() });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lane.streams -= 1;
    if (!this.#first) this.#lane.post({ kind: 'close', stream: this.#id });
  }

  #ofStream(): OfStream {
    if (this.#closed) throw new QuasarError('internal', { op: 'chunker.cut', message: 'The hash stream is closed.' });
    const first = this.#first;
    this.#first = false;
    return { stream: this.#id, first, chunker: this.chunker };
  }
}

/** One thread and the line of jobs before it. */
class Lane {
  streams = 0;
  readonly #pool: Piscina;
  #jobs = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PiscinaHasherOptions) {
    const workerData: LaneData = { slab: options.slab.buffer };
    this.#pool = new Piscina({
      // A path: a URL would be parsed again for each job.
      filename: fileURLToPath(new URL('./hash-worker.js', import.meta.url)),
      workerData,
      minThreads: 1,
      maxThreads: 1,
      // One job runs and the next waits in the port, so the thread never waits for the event loop.
      concurrentTasksPerWorker: 2,
      taskQueue: new LaneQueue(),
      // Without it a job that finds the thread busy goes to the end of the line, and streams lose their order.
      stricterFIFO: true,
      recordTiming: false,
      // The thread holds a few hundred small states; what it hashes lies outside its heap.
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 1 },
    });
    this.#pool.on('error', (cause: Error) => options.onLaneFault?.(cause));
  }

  /** Open streams first: their states cannot move. */
  get load(): number {
    return this.streams * JOBS_PER_STREAM + this.#jobs;
  }

  async run<Job extends HashJob>(job: Job): Promise<JobResults[Job['kind']]> {
    if (this.#closing !== undefined)
      throw new QuasarError('internal', { op: `chunker.${job.kind}`, message: 'The hasher is closed.' });
    this.#jobs += 1;
    try {
      return await this.#pool.run(withTurn(job));
    } catch (cause) {
      throw new QuasarError('internal', { op: `chunker.${job.kind}`, message: 'A hash lane failed.', cause });
    } finally {
      this.#jobs -= 1;
      if (this.#jobs === 0) this.#onIdle?.();
    }
  }

  /** For jobs whose failure means that there is nothing left to do. */
  post(job: HashJob): void {
    if (this.#closing === undefined) this.run(job).catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    if (this.#jobs > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#pool.destroy();
  }
}

/** How many queued jobs weigh as much as one stream more. */
const JOBS_PER_STREAM = 2;

/** The queue reads the symbol; the thread never sees it. Written into the job, for a copy of it costs 10 us. */
function withTurn(job: HashJob & { [queueOptionsSymbol]?: LaneTurn }): HashJob {
  if ('stream' in job) job[queueOptionsSymbol] = job;
  return job;
}
