import { blake3, blake3Hasher } from '../core/blake3.ts';
import { Fault } from './fault.ts';
import { COMMIT_FRAME } from './format.ts';
import { getU64, isZero, putU64, viewOf } from './little-endian.ts';

const AT = COMMIT_FRAME.fields;

/** The payload of the record that ends a batch: with it the batch counts, without it it was never acknowledged. */
export interface CommitFrame {
  /** First byte of the batch, page-aligned. */
  readonly begin: number;
  /** Offset of the frame's own header: the exclusive end of the records. */
  readonly end: number;
  readonly count: number;
  /** Sequence of the batch's last record. */
  readonly lastSequence: number;
  /** BLAKE3 of the previous running hash and this batch's record headers; 32 bytes in hex. */
  readonly runningHash: string;
}

export function encodeCommitFrame(frame: CommitFrame): Buffer {
  const bytes = Buffer.alloc(COMMIT_FRAME.size);
  const view = viewOf(bytes);
  putU64(view, AT.begin.at, frame.begin);
  putU64(view, AT.end.at, frame.end);
  view.setUint32(AT.count.at, frame.count, true);
  putU64(view, AT.lastSequence.at, frame.lastSequence);
  bytes.write(frame.runningHash, AT.runningHash.at, AT.runningHash.size, 'hex');
  return bytes;
}

/** The bytes must already match the id of their record header. */
export function decodeCommitFrame(bytes: Uint8Array): CommitFrame | Fault {
  if (bytes.byteLength !== COMMIT_FRAME.size) return new Fault('the commit frame has another size than 64 bytes');
  const view = viewOf(bytes);
  if (!isZero(bytes.subarray(AT.reserved.at, AT.reserved.at + AT.reserved.size)))
    return new Fault('reserved bytes of the commit frame are not zero');
  const begin = getU64(view, AT.begin.at);
  const end = getU64(view, AT.end.at);
  const lastSequence = getU64(view, AT.lastSequence.at);
  if (![begin, end, lastSequence].every(Number.isSafeInteger)) return new Fault('a number of the commit frame is out of range');
  const runningHash = Buffer.from(bytes.subarray(AT.runningHash.at, AT.runningHash.at + AT.runningHash.size)).toString('hex');
  return { begin, end, count: view.getUint32(AT.count.at, true), lastSequence, runningHash };
}

/** What the first batch chains to: the hash of the superblock's page. */
export function firstRunningHash(superblock: Uint8Array): string {
  return blake3(superblock).toString('hex');
}

/** `headers` are the batch's record headers back to back, the frame's own excluded. */
export function nextRunningHash(previous: string, headers: Uint8Array): string {
  const hasher = blake3Hasher();
  hasher.update(Buffer.from(previous, 'hex'));
  hasher.update(headers);
  return hasher.digest().toString('hex');
}
