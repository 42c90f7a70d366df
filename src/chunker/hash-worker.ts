import { createHash, type Hash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { type Blake3State, blake3Hasher, blockIdOf } from '../core/blake3.ts';
import { type BlockId, digestToHex, type Sha256 } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import { digestsOfPage } from '../core/manifest.ts';
import type { Cutter } from './cutter.ts';
import { cutterOf } from './cutters.ts';
import type { CutWish, HashJob, JobResults, LaneData, OfStream } from './hash-jobs.ts';
import { hashWhole } from './hash-whole.ts';
import type { CutBlock, SlabRange, WholeDigests } from './hasher.ts';

/**
 * A lane's thread: does one job at a time, on bytes that stay where they are. It holds the hash states of the lane's
 * streams, and nothing else; they end with `close` or with the thread.
 */
export default function work(job: HashJob): JobResults[HashJob['kind']] {
  switch (job.kind) {
    case 'cut':
      return cut(stateOf(job), job);
    case 'absorb':
      return absorb(stateOf(job), bytesOf(job));
    case 'finish':
      return digestsOf(stateOf(job));
    case 'close':
      return closeStream(job.stream);
    case 'block':
      return blockIdOf(bytesOf(job));
    case 'stretches':
      return stretchesOf(bytesOf(job));
    case 'single':
      return hashWhole(bytesOf(job));
    case 'page':
      return digestsOfPage(job.page);
    case 'probe':
      return true;
  }
}

interface StreamState {
  readonly cutter: Cutter;
  readonly blake3: Blake3State;
  readonly sha256: Hash;
}

const slab = new Uint8Array((workerData as LaneData).slab);
const streams = new Map<number, StreamState>();
/** States of closed streams, for the next ones: this thread's loop never turns, so the library would never free them. */
const idle: Blake3State[] = [];

function stateOf(job: OfStream): StreamState {
  if (job.first) streams.set(job.stream, openState(job));
  const state = streams.get(job.stream);
  assert(state !== undefined, 'the thread that held the hash state has died');
  return state;
}

function openState({ chunker }: OfStream): StreamState {
  return { cutter: cutterOf(chunker), blake3: idle.pop() ?? blake3Hasher(), sha256: createHash('sha256') };
}

function closeStream(stream: number): true {
  const state = streams.get(stream);
  if (state === undefined) return true;
  state.blake3.reset();
  idle.push(state.blake3);
  streams.delete(stream);
  return true;
}

function cut(state: StreamState, { ranges, final, whole }: CutWish): CutBlock[] {
  const blocks: CutBlock[] = [];
  for (const range of ranges) {
    const end = range.at + range.size;
    let at = range.at;
    while (at < end) {
      const size = state.cutter.cut(slab, at, end, final);
      if (size === 0) break;
      const bytes = slab.subarray(at, at + size);
      blocks.push({ id: blockIdOf(bytes), at, size });
      if (whole) absorb(state, bytes);
      at += size;
    }
  }
  return blocks;
}

function absorb(state: StreamState, bytes: Uint8Array): true {
  state.blake3.update(bytes);
  state.sha256.update(bytes);
  return true;
}

function digestsOf({ blake3, sha256 }: StreamState): WholeDigests {
  return { blake3: digestToHex<BlockId>(blake3.digest()), sha256: sha256.digest('hex') as Sha256 };
}

function stretchesOf(bytes: Uint8Array): string[] {
  const digests: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += limits.stretchSize) {
    digests.push(blockIdOf(bytes.subarray(at, at + limits.stretchSize)));
  }
  return digests;
}

function bytesOf({ at, size }: SlabRange): Uint8Array {
  return slab.subarray(at, at + size);
}
