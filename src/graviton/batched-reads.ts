import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { readFully, type SegmentFile } from '../segment/segment-files.ts';
import type { ReadPlace } from '../segment/segment-reader.ts';
import type { PartRead } from './node.ts';
import {
  READ_FIELDS,
  READ_PART,
  READ_RECORD,
  READ_RECORD_AND_STRETCHES,
  type ReadingAnswer,
  type ReadingRequest,
} from './reading-messages.ts';

export interface BatchedReadsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** What the thread runs. */
  readonly program?: URL;
}

/** What a record that was read whole hashes to. */
export interface RecordDigests {
  /** Of the payload; its header says the same. */
  readonly id: BlockId;
  /** Of its stretches, when they were wished for. */
  readonly stretches?: readonly string[];
}

interface Read {
  readonly file: SegmentFile;
  readonly into: Uint8Array;
  readonly at: number;
  readonly what: number;
  readonly segment: number;
  readonly saltBits: number;
  /** Undefined: it has to be read in the ordinary way. */
  readonly resolve: (digests: readonly string[] | undefined) => void;
}

/**
 * Reads of files into shared memory by a thread that also hashes what it reads; those of one turn of the event loop are
 * handed to it together. A hop to a thread and back costs as much as reading 64 KiB from the page cache, and so it is
 * shared, and one hop does for reading and hashing.
 *
 * The thread reads one after the other. So everything that is not many reads out of the page cache goes the ordinary way,
 * through the threads of `node:fs`: a small read that is alone in its turn, reads while the disk is at work, reads while
 * the thread says nothing for long, files without a descriptor. The thread starts when it is first needed; when it
 * cannot start, or ends, it is done without.
 */
export class BatchedReads {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #program: URL;
  #waiting: Read[] = [];
  /** Oldest first: they are answered in order. */
  readonly #underWay: Read[] = [];
  readonly #memories = new Map<SharedArrayBuffer, number>();
  #thread: Worker | undefined;
  #over = false;
  /** Share of the last answers that the disk had a part in, the latest counting most. */
  #slowShare = 0;
  #restUntil = 0;
  /** When the thread last answered, or was asked while it owed nothing. */
  #heardAt = 0;

  constructor({ clock, log, program = READING_PROGRAM }: BatchedReadsOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#program = program;
  }

  /** Fills `into` as `readFully` does. It is borrowed until the promise settles. @throws the file's read errors. */
  async fill(file: SegmentFile, into: Uint8Array, at: number): Promise<PartRead> {
    const digests = await this.#ask({ file, into, at, what: READ_PART, segment: 0, saltBits: 0 });
    return digests === undefined ? { size: await readFully(file, into, at) } : { size: into.byteLength, digests };
  }

  /**
   * Reads the payload of a record into `target` and hashes it; `target` is borrowed until the promise settles. Undefined
   * when it is to be read in the ordinary way, known at once or after trying: nothing is said about the record then.
   */
  readRecord(
    file: SegmentFile,
    place: ReadPlace,
    target: Uint8Array,
    stretches: boolean,
  ): Promise<RecordDigests | undefined> | undefined {
    const what = stretches ? READ_RECORD_AND_STRETCHES : READ_RECORD;
    const into = target.subarray(0, place.size);
    return this.#ask({ file, into, at: place.offset, what, ...place.mark })?.then((digests) => {
      if (digests === undefined) return undefined;
      const [id, ...rest] = digests;
      return stretches ? { id: id as BlockId, stretches: rest } : { id: id as BlockId };
    });
  }

  /** Ends the thread; what it has not answered is to be read in the ordinary way. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#thread?.terminate();
    this.#refuseUnanswered();
  }

  #ask(read: Omit<Read, 'resolve'>): Promise<readonly string[] | undefined> | undefined {
    if (read.file.descriptor === undefined || !isShared(read.into) || !this.#isWilling()) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push({ ...read, resolve });
      if (this.#waiting.length === 1) setImmediate(() => this.#send());
    });
  }

  #isWilling(): boolean {
    if (this.#over) return false;
    const now = this.#clock.monotonic();
    if (now < this.#restUntil) return false;
    return this.#underWay.length === 0 || now - this.#heardAt < SILENCE_MS;
  }

  #send(): void {
    const reads = this.#waiting;
    this.#waiting = [];
    const thread = isWorthAHop(reads) ? this.#runningThread() : undefined;
    if (thread === undefined) {
      for (const { resolve } of reads) resolve(undefined);
      return;
    }
    if (this.#underWay.length === 0) {
      this.#heardAt = this.#clock.monotonic();
      thread.ref();
    }
    this.#underWay.push(...reads);
    thread.postMessage(this.#requestOf(reads));
  }

  #requestOf(reads: readonly Read[]): ReadingRequest {
    const memories: SharedArrayBuffer[] = [];
    const numbers = new Float64Array(reads.length * READ_FIELDS);
    let at = 0;
    for (const { file, into, at: position, what, segment, saltBits } of reads) {
      numbers[at++] = file.descriptor as number;
      numbers[at++] = position;
      numbers[at++] = this.#memoryNumber(into.buffer as unknown as SharedArrayBuffer, memories);
      numbers[at++] = into.byteOffset;
      numbers[at++] = into.byteLength;
      numbers[at++] = what;
      numbers[at++] = segment;
      numbers[at++] = saltBits;
    }
    return { memories, reads: numbers };
  }

  #memoryNumber(memory: SharedArrayBuffer, untold: SharedArrayBuffer[]): number {
    const known = this.#memories.get(memory);
    if (known !== undefined) return known;
    untold.push(memory);
    const number = this.#memories.size;
    this.#memories.set(memory, number);
    return number;
  }

  #runningThread(): Worker | undefined {
    return this.#over ? undefined : (this.#thread ?? this.#startThread());
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

  #answered({ digests, ms, diskBytes }: ReadingAnswer): void {
    this.#heardAt = this.#clock.monotonic();
    let bytes = 0;
    for (const [index, read] of this.#underWay.splice(0, digests.length).entries()) {
      const found = digests[index];
      read.resolve(found);
      if (found !== undefined) bytes += read.into.byteLength;
    }
    // Idle, it keeps no program alive.
    if (this.#underWay.length === 0) this.#thread?.unref();
    if (bytes > 0) this.#judge(isFromDisk({ bytes, ms, diskBytes }));
  }

  /** Single slow answers are those in which the system gave the core to somebody else. */
  #judge(fromDisk: boolean): void {
    this.#slowShare += ((fromDisk ? 1 : 0) - this.#slowShare) / 8;
    // What it was stays known: after the rest one more slow answer is enough.
    if (this.#slowShare < 0.5) return;
    this.#restUntil = this.#clock.monotonic() + REST_MS;
  }

  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#log.warn({ error }, 'The thread that reads and hashes together has ended; each block is read by itself from now on.');
    this.#refuseUnanswered();
  }

  #refuseUnanswered(): void {
    for (const { resolve } of this.#underWay.splice(0)) resolve(undefined);
  }
}

/** Time tells little on busy cores: it is asked where the system does not tell, and of disks that it does not count. */
function isFromDisk({ bytes, ms, diskBytes }: { bytes: number; ms: number; diskBytes: number | undefined }): boolean {
  const msPerStretch = ms / Math.ceil(bytes / limits.stretchSize);
  if (diskBytes === undefined) return msPerStretch > FROM_DISK_MS;
  return 2 * diskBytes > bytes || msPerStretch > FROM_AFAR_MS;
}

/** A large read makes two hops in the ordinary way, one to be read and one to be hashed. */
function isWorthAHop(reads: readonly Read[]): boolean {
  const [first, second] = reads;
  return second !== undefined || (first !== undefined && first.into.byteLength >= limits.inlineHashMax);
}

function isShared(bytes: Uint8Array): boolean {
  return (bytes.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
}

const READING_PROGRAM = new URL('./reading-thread.js', import.meta.url);
/** A stretch out of the page cache is read and hashed in 20 us; the fastest disk alone takes 80. */
const FROM_DISK_MS = 0.05;
/** Of a disk behind a network, and of hardly a core that is shared by ten. */
const FROM_AFAR_MS = 0.5;
/** While the disk is at work, several threads get more out of it; how long until that is looked into again. */
const REST_MS = 100;
/** An answer comes every few hundred microseconds, unless the disk is slow or the cores are taken. */
const SILENCE_MS = 20;
/** It holds nothing but numbers. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
