import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { readFully, type SegmentFile } from '../segment/segment-files.ts';
import type { PartRead } from './node.ts';
import { READ_FIELDS, type ReadingAnswer, type ReadingRequest, type ReadNumbers } from './reading-messages.ts';

export interface BatchedReadsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** What the thread runs. */
  readonly program?: URL;
}

interface Read {
  readonly file: SegmentFile;
  readonly into: Uint8Array;
  readonly at: number;
  readonly resolve: (read: PartRead | Promise<PartRead>) => void;
}

interface Batch {
  readonly reads: readonly Read[];
  readonly sentAt: number;
}

/**
 * Reads of files into shared memory, those of one turn of the event loop handed to a thread together: a hop to a thread
 * and back costs as much as reading 64 KiB from the page cache, and so it is shared.
 *
 * A thread reads one after the other. So everything that is not many reads out of the page cache goes the ordinary way,
 * through the threads of `node:fs`: a read that is alone in its turn, reads while the disk is at work, reads while the
 * thread has not answered for long, files without a descriptor. The thread starts when it is first needed; when it cannot
 * start, or ends, it is done without.
 */
export class BatchedReads {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #program: URL;
  #waiting: Read[] = [];
  readonly #underWay: Batch[] = [];
  readonly #memories = new Map<SharedArrayBuffer, number>();
  #thread: Worker | undefined;
  #over = false;
  /** Share of the last batches that the disk had a part in, the latest counting most. */
  #slowShare = 0;
  #restUntil = 0;

  constructor({ clock, log, program = READING_PROGRAM }: BatchedReadsOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#program = program;
  }

  /** Fills `into` as `readFully` does. It is borrowed until the promise settles. @throws the file's read errors. */
  fill(file: SegmentFile, into: Uint8Array, at: number): Promise<PartRead> {
    if (file.descriptor === undefined || !isShared(into) || !this.#isWilling()) return fillAlone(file, into, at);
    return new Promise((resolve) => {
      this.#waiting.push({ file, into, at, resolve });
      if (this.#waiting.length === 1) setImmediate(() => this.#send());
    });
  }

  /** Ends the thread; what it has not answered is read in the ordinary way. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#thread?.terminate();
    this.#readUnanswered();
  }

  #isWilling(): boolean {
    if (this.#over) return false;
    const now = this.#clock.monotonic();
    if (now < this.#restUntil) return false;
    const [oldest] = this.#underWay;
    return oldest === undefined || now - oldest.sentAt < SILENCE_MS;
  }

  #send(): void {
    const reads = this.#waiting;
    this.#waiting = [];
    if (reads.length < BATCH_MIN || this.#over) {
      for (const read of reads) readAlone(read);
      return;
    }
    const numbers = new Float64Array(reads.length * READ_FIELDS);
    for (const [index, read] of reads.entries()) numbers.set(this.#numbersOf(read), index * READ_FIELDS);
    this.#tell({ memory: undefined, reads: numbers }, reads);
  }

  #numbersOf({ file, into, at }: Read): ReadNumbers {
    const memory = this.#memoryNumber(into.buffer as unknown as SharedArrayBuffer);
    return [file.descriptor as number, at, memory, into.byteOffset, into.byteLength];
  }

  #memoryNumber(memory: SharedArrayBuffer): number {
    const known = this.#memories.get(memory);
    if (known !== undefined) return known;
    const number = this.#memories.size;
    this.#memories.set(memory, number);
    this.#tell({ memory, reads: new Float64Array() }, []);
    return number;
  }

  /** Every request has one answer, in order. */
  #tell(request: ReadingRequest, reads: readonly Read[]): void {
    const thread = this.#over ? undefined : (this.#thread ?? this.#startThread());
    if (thread === undefined) {
      for (const read of reads) readAlone(read);
      return;
    }
    if (this.#underWay.length === 0) thread.ref();
    this.#underWay.push({ reads, sentAt: this.#clock.monotonic() });
    thread.postMessage(request);
  }

  #startThread(): Worker | undefined {
    try {
      const thread = new Worker(this.#program, { resourceLimits: THREAD_LIMITS });
      thread.on('message', (answer: ReadingAnswer) => this.#answered(answer));
      let failure: unknown;
      thread.on('error', (error) => {
        failure = error;
      });
      // Not before: until it has ended it may write into memory it was lent.
      thread.on('exit', () => this.#giveUp(failure));
      this.#thread = thread;
      return thread;
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  #answered({ digests, ms }: ReadingAnswer): void {
    const batch = this.#underWay.shift();
    if (batch === undefined) return;
    // Idle, it keeps no program alive.
    if (this.#underWay.length === 0) this.#thread?.unref();
    let stretches = 0;
    for (const [index, read] of batch.reads.entries()) {
      const found = digests[index];
      if (found === undefined) readAlone(read);
      else read.resolve({ size: read.into.byteLength, digests: found });
      stretches += found?.length ?? 0;
    }
    if (stretches > 0) this.#judge(ms / stretches);
  }

  /** Single slow batches are those in which the system gave the core to somebody else. */
  #judge(msPerStretch: number): void {
    this.#slowShare += ((msPerStretch > FROM_DISK_MS ? 1 : 0) - this.#slowShare) / 8;
    if (this.#slowShare < 0.5) return;
    this.#slowShare = 0;
    this.#restUntil = this.#clock.monotonic() + REST_MS;
  }

  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#log.warn({ error }, 'The thread that reads small ranges together has ended; each is read by itself from now on.');
    this.#readUnanswered();
  }

  #readUnanswered(): void {
    for (const { reads } of this.#underWay.splice(0)) for (const read of reads) readAlone(read);
  }
}

function readAlone({ file, into, at, resolve }: Read): void {
  resolve(fillAlone(file, into, at));
}

async function fillAlone(file: SegmentFile, into: Uint8Array, at: number): Promise<PartRead> {
  return { size: await readFully(file, into, at) };
}

function isShared(bytes: Uint8Array): boolean {
  return (bytes.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
}

const READING_PROGRAM = new URL('./reading-thread.js', import.meta.url);
/** A single read is cheaper by itself. */
const BATCH_MIN = 2;
/** A stretch out of the page cache is read and hashed in 20 us; the fastest disk alone takes 80. */
const FROM_DISK_MS = 0.05;
/** While the disk is at work, several threads get more out of it; how long until that is looked into again. */
const REST_MS = 100;
/** A batch is answered within a millisecond, unless the disk is slow or the cores are taken. */
const SILENCE_MS = 10;
/** It holds nothing but numbers. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
