import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { systemClock } from '../core/clock.ts';
import { hashStretches } from './hash-stretches.ts';
import { READ_FIELDS, type ReadingAnswer, type ReadingRequest, type ReadNumbers } from './reading-messages.ts';

/**
 * The thread of `BatchedReads`: one batch after the other, in order, it reads into memory it shares with who asked, and
 * hashes what came.
 */
const port = parentPort;
assert(port !== null, 'this is the program of a thread');
const memories: Buffer[] = [];
port.on('message', ({ memory, reads }: ReadingRequest) => {
  if (memory !== undefined) memories.push(Buffer.from(memory));
  port.postMessage(readAll(reads));
});

function readAll(reads: Float64Array): ReadingAnswer {
  const digests: (readonly string[] | undefined)[] = [];
  const began = systemClock.monotonic();
  for (let at = 0; at < reads.length; at += READ_FIELDS) digests.push(readOne(reads, at));
  return { digests, ms: systemClock.monotonic() - began };
}

/** What fails here is read again by who asked, in the ordinary way, and fails there with its reason. */
function readOne(reads: Float64Array, at: number): readonly string[] | undefined {
  const [file, position, memory, offset, size] = reads.subarray(at, at + READ_FIELDS) as unknown as ReadNumbers;
  const target = memories[memory]?.subarray(offset, offset + size);
  assert(target?.byteLength === size, 'the memory was told before it is read into');
  try {
    return readSync(file, target, 0, size, position) === size ? hashStretches(target) : undefined;
  } catch {
    return undefined;
  }
}
