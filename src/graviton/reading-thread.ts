import { readSync, readvSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { blockIdOf } from '../core/blake3.ts';
import { systemClock } from '../core/clock.ts';
import { Fault } from '../segment/fault.ts';
import { RECORD_HEADER } from '../segment/format.ts';
import { checkHeader } from '../segment/segment-reader.ts';
import { hashStretches } from './hash-stretches.ts';
import {
  READ_FIELDS,
  READ_PART,
  READ_RECORD_AND_STRETCHES,
  type ReadingAnswer,
  type ReadingRequest,
  type ReadNumbers,
} from './reading-messages.ts';
import { threadDiskBytes } from './thread-disk-bytes.ts';

/**
 * The thread of `BatchedReads`: one read after the other, in order, it reads into memory it shares with who asked, and
 * hashes what came.
 */
const port = parentPort;
assert(port !== null, 'this is the program of a thread');
const memories: Buffer[] = [];
const header = Buffer.alloc(RECORD_HEADER.size);
const diskBytes = threadDiskBytes();
let diskBytesBefore = diskBytes?.() ?? 0;
port.on('message', ({ memories: more, reads }: ReadingRequest) => {
  for (const memory of more) memories.push(Buffer.from(memory));
  readAll(reads);
});

/** What has been read is answered while more is read: who waits for it has work to do with it. */
function readAll(reads: Float64Array): void {
  let answered = 0;
  while (answered < reads.length) answered = readSome(reads, answered);
}

function readSome(reads: Float64Array, from: number): number {
  const digests: (readonly string[] | undefined)[] = [];
  const began = systemClock.monotonic();
  let size = 0;
  let at = from;
  while (at < reads.length && size < ANSWER_SIZE) {
    const read = reads.subarray(at, at + READ_FIELDS) as unknown as ReadNumbers;
    digests.push(readOne(read));
    size += read[4];
    at += READ_FIELDS;
  }
  const ms = systemClock.monotonic() - began;
  const answer: ReadingAnswer = { digests, ms, diskBytes: newDiskBytes() };
  port?.postMessage(answer);
  return at;
}

function newDiskBytes(): number | undefined {
  const now = diskBytes?.();
  if (now === undefined) return undefined;
  const more = now - diskBytesBefore;
  diskBytesBefore = now;
  return more;
}

/** What fails here is read again by who asked, in the ordinary way, and fails there with its reason. */
function readOne(read: ReadNumbers): readonly string[] | undefined {
  const [, , memory, offset, size, what] = read;
  const target = memories[memory]?.subarray(offset, offset + size);
  assert(target?.byteLength === size, 'the memory was told before it is read into');
  try {
    return what === READ_PART ? readPart(read, target) : readRecord(read, target);
  } catch {
    return undefined;
  }
}

function readPart([file, position]: ReadNumbers, target: Buffer): readonly string[] | undefined {
  const size = target.byteLength;
  return readSync(file, target, 0, size, position) === size ? hashStretches(target) : undefined;
}

function readRecord(read: ReadNumbers, target: Buffer): readonly string[] | undefined {
  const [file, offset, , , size, what, segment, saltBits] = read;
  if (readvSync(file, [header, target], offset) !== header.byteLength + size) return undefined;
  const found = checkHeader(header, { mark: { segment, saltBits }, offset, size });
  if (found instanceof Fault) return undefined;
  const id = blockIdOf(target);
  if (found.id !== id) return undefined;
  return what === READ_RECORD_AND_STRETCHES ? [id, ...hashStretches(target)] : [id];
}

/** An answer costs a twentieth of reading and hashing so many bytes; half as many were worse by 4 us a small file. */
const ANSWER_SIZE = 1024 * 1024;
