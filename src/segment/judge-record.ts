import { blockIdOf } from '../core/blake3.ts';
import type { BlockId } from '../core/digest.ts';
import { Fault } from './fault.ts';
import { RECORD_HEADER } from './format.ts';
import { decodeRecordHeader, type RecordHeader } from './record-header.ts';
import { readFully, type SegmentFile } from './segment-files.ts';
import type { ReadPlace } from './segment-reader.ts';

/**
 * What the bytes at a place say about the record of a block.
 *
 * - whole: it is there and its payload has the id; the payload is in the target.
 * - damaged: its header is there, and its payload does not have the id.
 * - none: no header of this block is there. A record with a damaged header looks like this, and so does a wrong place:
 *   only a footer tells them apart.
 * - cut: the file ends before the record does, so nothing can be said.
 */
export type RecordVerdict =
  | { readonly state: 'whole'; readonly header: RecordHeader }
  | { readonly state: 'damaged' | 'none' | 'cut'; readonly reason: string };

/**
 * Judges a record by its own bytes. Everything that calls a record whole or damaged asks here: readers, the scrub,
 * `quasar verify`. The size of the place is a guess that saves a read; the header decides.
 * `target` holds the largest payload. @throws the file's read errors: they say nothing about the record.
 */
export async function judgeRecord(file: SegmentFile, id: BlockId, place: ReadPlace, target: Uint8Array): Promise<RecordVerdict> {
  const head = Buffer.alloc(RECORD_HEADER.size);
  const guess = target.subarray(0, place.size);
  const got = await readParts(file, head, guess, place.offset);
  if (got < head.byteLength) return { state: 'cut', reason: 'the file ends inside the record header' };
  const header = decodeRecordHeader(head, place.mark, place.offset);
  if (header instanceof Fault) return { state: 'none', reason: header.meaning };
  if (header.id !== id) return { state: 'none', reason: 'the record holds another block' };
  if (header.storedSize > target.byteLength) return { state: 'none', reason: `the record claims ${header.storedSize} bytes` };
  const have = Math.min(got - head.byteLength, header.storedSize);
  const payload = target.subarray(0, header.storedSize);
  const rest = await readFully(file, payload.subarray(have), place.offset + head.byteLength + have);
  if (have + rest < payload.byteLength) return { state: 'cut', reason: 'the file ends inside the record' };
  const found = blockIdOf(payload);
  if (found === id) return { state: 'whole', header };
  return { state: 'damaged', reason: `its content has the BLAKE3 ${found}` };
}

async function readParts(file: SegmentFile, head: Uint8Array, payload: Uint8Array, at: number): Promise<number> {
  const got = await file.readVector([head, payload], at);
  if (got >= head.byteLength) return got;
  return got + (await readFully(file, head.subarray(got), at + got));
}
