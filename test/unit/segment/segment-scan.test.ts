import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { encodeCommitFrame, nextRunningHash } from '../../../src/segment/commit-frame.ts';
import { alignUp, FRAME_SPAN, PAGE_SIZE, RECORD_HEADER, recordSpan } from '../../../src/segment/format.ts';
import { viewOf } from '../../../src/segment/little-endian.ts';
import { encodeRecordHeader, type RecordHeader, type SegmentMark } from '../../../src/segment/record-header.ts';
import type { ScannedBatch } from '../../../src/segment/segment-scan.ts';
import type { OutgoingRecord } from '../../../src/segment/segment-writer.ts';
import { segmentMark } from '../../../src/segment/superblock.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import {
  idsOf,
  openWriter,
  patterned,
  recordOf,
  type ScanResult,
  scanAll,
  segmentPath,
  testSuperblock,
} from '../../helpers/segment-fixture.ts';

const superblock = testSuperblock(1);
const mark = segmentMark(superblock);
const path = segmentPath(1);
const appends: readonly OutgoingRecord[][] = [
  [recordOf(patterned(1, 1)), recordOf(patterned(64, 2)), recordOf('page', 'manifest')],
  [recordOf(patterned(5000, 3)), recordOf(patterned(3700, 4), 'piece')],
  [recordOf(patterned(100, 5))],
  [recordOf(patterned(700, 6)), recordOf('root', 'manifest')],
];

/** An open segment with one batch for each append. */
async function segmentOf(batches: readonly OutgoingRecord[][]): Promise<Buffer> {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  for (const records of batches) await writer.append(records);
  return Buffer.from(files.content(path));
}

function scan(
  bytes: Uint8Array,
  options: { verifyPayloads?: boolean; durableEnd?: number; end?: number } = {},
): Promise<ScanResult> {
  const files = new MemoryFiles();
  files.put(path, bytes);
  return scanAll(files, path, { superblock, verifyPayloads: true, ...options });
}

const damageOf = (result: ScanResult) => result.batches.flatMap((batch) => batch.damage);
const ids = (records: readonly OutgoingRecord[]) => records.map((record) => record.id as string);
const allIds = ids(appends.flat());

/** Every structure of the segment, in order, as the scan of the healthy file sees it. */
interface Part {
  readonly name: 'superblock' | 'header' | 'payload' | 'padding' | 'frame' | 'rest';
  readonly at: number;
  readonly end: number;
  readonly batch: number;
  readonly id: string;
}

function partsOf(batches: readonly ScannedBatch[]): Part[] {
  const parts: Part[] = [{ name: 'superblock', at: 0, end: PAGE_SIZE, batch: 0, id: '' }];
  for (const { batch, records, frameAt = 0, end } of batches) {
    for (const { offset, header } of records) {
      const payload = offset + RECORD_HEADER.size;
      const payloadEnd = payload + header.storedSize;
      parts.push({ name: 'header', at: offset, end: payload, batch, id: header.id });
      parts.push({ name: 'payload', at: payload, end: payloadEnd, batch, id: header.id });
      parts.push({ name: 'padding', at: payloadEnd, end: offset + recordSpan(header.storedSize), batch, id: header.id });
    }
    parts.push({ name: 'frame', at: frameAt, end: frameAt + FRAME_SPAN, batch, id: '' });
    parts.push({ name: 'rest', at: frameAt + FRAME_SPAN, end, batch, id: '' });
  }
  return parts;
}

t.test('a healthy segment gives its batches in order and a clean end', async (t) => {
  for (const verifyPayloads of [true, false]) {
    const result = await scan(await segmentOf(appends), { verifyPayloads });
    t.strictSame(
      result.batches.map((batch) => batch.records.map((record) => record.header.id)),
      appends.map(ids),
    );
    t.strictSame(
      result.batches.map((batch) => batch.batch),
      [1, 2, 3, 4],
    );
    t.strictSame(damageOf(result), []);
    t.match(result.end, { state: 'clean', batch: 4, tailSize: 0, at: result.batches[3]?.end });
    t.equal(result.end.runningHash, result.batches[3]?.runningHash);
  }
});

t.test('truncated anywhere, whole batches stay and the rest is an unacknowledged tail', async (t) => {
  const bytes = await segmentOf(appends);
  const { batches } = await scan(bytes);
  const parts = partsOf(batches);
  const cuts = new Set(parts.flatMap(({ at, end }) => [at, at + 1, end - 1, end]));
  for (let cut = PAGE_SIZE; cut <= bytes.byteLength; cut += 64) cuts.add(cut);
  for (const cut of cuts) {
    if (cut < PAGE_SIZE || cut > bytes.byteLength) continue;
    const result = await scan(bytes.subarray(0, cut));
    const whole = batches.filter(({ frameAt = 0 }) => frameAt + FRAME_SPAN <= cut);
    const end = whole.at(-1)?.end ?? PAGE_SIZE;
    t.strictSame(idsOf(result), appends.slice(0, whole.length).flatMap(ids), `cut at ${cut}`);
    t.strictSame(damageOf(result), [], `cut at ${cut}`);
    t.equal(result.end.at, end, `cut at ${cut}`);
    const tail = cut > end ? bytes.subarray(end, cut) : Buffer.alloc(0);
    t.equal(result.end.state, tail.some((byte) => byte !== 0) ? 'torn' : 'clean', `cut at ${cut}`);
    const salvage = parts.filter((part) => part.name === 'payload' && part.batch === whole.length + 1 && part.end <= cut);
    // A record whose padding is cut off is dropped: it was never acknowledged, so that is no loss.
    t.ok(salvage.length - result.end.salvage.length <= 1, `cut at ${cut}`);
    t.strictSame(
      result.end.salvage.map(({ header }) => header.id),
      salvage.slice(0, result.end.salvage.length).map(({ id }) => id),
      `cut at ${cut}`,
    );
  }
});

t.test('a flipped bit costs at most the record it hits, and never goes unnoticed', async (t) => {
  const bytes = await segmentOf(appends);
  const { batches } = await scan(bytes);
  for (const part of partsOf(batches)) {
    const step = part.name === 'payload' ? 61 : 1;
    for (let at = part.at; at < part.end && part.name !== 'superblock'; at += part.name === 'rest' ? 256 : step) {
      const result = await scan(flipBit(bytes, at * 8 + (at % 8)));
      const problem = checkFlip(part, at, result);
      if (problem !== undefined) t.fail(`${part.name} of batch ${part.batch}, byte ${at}: ${problem}`);
    }
  }
  t.pass('every flip was judged');
});

/** What a flip in a part must lead to; undefined when the scan says so. */
function checkFlip(part: Part, at: number, result: ScanResult): string | undefined {
  const found = idsOf(result);
  const hit = part.name === 'header' || part.name === 'payload';
  const last = part.batch === appends.length;
  if (part.name === 'frame' && last) {
    if (result.end.state !== 'torn') return 'the last frame is gone, the batch must be a tail';
    return same(
      result.end.salvage.map(({ header }) => header.id),
      ids(appends[part.batch - 1] ?? []),
    )
      ? undefined
      : 'its records must be salvaged';
  }
  if (!same(found, hit ? allIds.filter((id) => id !== part.id) : allIds)) return `found ${found.length} records`;
  const noticed = damageOf(result).some((range) => range.at <= at && at < range.at + range.size);
  if (hit || part.name === 'frame') return noticed ? undefined : 'no damage is named';
  if (part.name === 'rest' && last) return result.end.state === 'clean' ? undefined : `the end is ${result.end.state}`;
  return damageOf(result).length === 0 ? undefined : 'padding is no damage';
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

t.test('a zero-filled rest is a clean end, whatever its size', async (t) => {
  const bytes = await segmentOf(appends);
  for (const zeros of [1, 64, PAGE_SIZE, 300_000]) {
    const result = await scan(Buffer.concat([bytes, Buffer.alloc(zeros)]));
    t.match(result.end, { state: 'clean', at: bytes.byteLength });
    t.strictSame(idsOf(result), allIds);
  }
  t.match((await scan(Buffer.concat([bytes.subarray(0, PAGE_SIZE), Buffer.alloc(50_000)]))).end, {
    state: 'clean',
    at: PAGE_SIZE,
  });
});

t.test('a tail torn inside a zero-filled rest keeps its later records', async (t) => {
  const bytes = await segmentOf(appends);
  const second = (await scan(bytes)).batches[1] as ScannedBatch;
  const torn = Buffer.concat([bytes.subarray(0, second.frameAt), Buffer.alloc(100_000)]);
  torn.fill(0, second.at, second.at + 64);
  const result = await scan(torn);
  t.equal(result.end.state, 'torn');
  t.strictSame(
    result.end.salvage.map(({ header }) => header.id),
    [second.records[1]?.header.id],
  );
  t.ok(result.end.tailSize > 0 && result.end.tailSize <= (second.frameAt as number) - second.at);
});

t.test('a lost frame before a later one is damage, and its records still count', async (t) => {
  const bytes = await segmentOf(appends);
  const [first, second] = (await scan(bytes)).batches as [ScannedBatch, ScannedBatch];
  bytes.fill(0xff, first.frameAt, second.at);
  bytes.fill(0xff, second.frameAt, second.end);
  const result = await scan(bytes);
  t.strictSame(idsOf(result), allIds);
  t.equal(damageOf(result).length, 2);
  t.equal(result.end.state, 'clean');
});

t.test('a whole batch overwritten with zeros before a later one is damage', async (t) => {
  const bytes = await segmentOf(appends);
  const second = (await scan(bytes)).batches[1] as ScannedBatch;
  bytes.fill(0, second.at, second.end);
  const result = await scan(bytes);
  t.strictSame(
    idsOf(result),
    allIds.filter((id) => !ids(appends[1] as OutgoingRecord[]).includes(id)),
  );
  t.match(damageOf(result), [{ at: second.at, size: second.end - second.at, record: undefined }]);
});

t.test('below a known durable end a bad last batch is damage, not a tail', async (t) => {
  const bytes = await segmentOf(appends);
  const last = (await scan(bytes)).batches[3] as ScannedBatch;
  const broken = flipBit(bytes, (last.frameAt as number) * 8);
  t.equal((await scan(broken)).end.state, 'torn');
  const judged = await scan(broken, { durableEnd: last.end });
  t.equal(judged.end.state, 'clean');
  t.strictSame(idsOf(judged), allIds);
  t.match(damageOf(judged), [{ at: last.frameAt, record: undefined }]);
  const cut = await scan(bytes.subarray(0, last.at), { durableEnd: last.end });
  t.match(damageOf(cut), [{ at: last.at, size: last.end - last.at }]);
});

t.test('a scan goes on from where another one ended', async (t) => {
  const bytes = await segmentOf(appends);
  const second = (await scan(bytes)).batches[1] as ScannedBatch;
  const files = new MemoryFiles();
  files.put(path, bytes);
  const from = { at: second.end, batch: 2, runningHash: second.runningHash as string };
  const result = await scanAll(files, path, { superblock, verifyPayloads: true, from });
  t.strictSame(idsOf(result), appends.slice(2).flatMap(ids));
  t.strictSame(damageOf(result), []);
});

t.test('an interrupted seal is a clean stop at the footer', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  for (const records of appends) await writer.append(records);
  await writer.close();
  const result = await scan(files.content(path));
  t.equal(result.end.state, 'footer');
  t.strictSame(idsOf(result), allIds);
});

t.test('payloads are re-hashed only when asked for', async (t) => {
  const bytes = await segmentOf(appends);
  const record = (await scan(bytes)).batches[1]?.records[0];
  const broken = flipBit(bytes, ((record?.offset as number) + RECORD_HEADER.size) * 8);
  t.strictSame(damageOf(await scan(broken, { verifyPayloads: false })), []);
  t.match(damageOf(await scan(broken)), [{ record: { header: { id: record?.header.id } } }]);
});

t.test('records of a block are found behind damage with the small window, too', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { segmentSize: 8 * 1024 * 1024 });
  const [small, big] = [recordOf('small'), recordOf(patterned(1024 * 1024, 9))];
  await writer.append([small, big]);
  const bytes = flipBit(files.content(path), PAGE_SIZE * 8);
  const result = await scan(bytes, { verifyPayloads: false });
  t.strictSame(idsOf(result), [big.id]);
});

t.test('uploaded bytes that look like records, frames and superblocks are never taken for such', async (t) => {
  // What an uploader can know: the format, and with luck the very place where the bytes will lie, but not the salt.
  const guess: SegmentMark = { segment: mark.segment, saltBits: (mark.saltBits ^ 1) >>> 0 };
  const payloadAt = PAGE_SIZE + RECORD_HEADER.size;
  const forged = forgery(guess, payloadAt);
  const copied = await segmentOf(appends);
  for (const [name, payload] of Object.entries({ forged, copied })) {
    const carrier = recordOf(payload);
    const other = recordOf('an honest record');
    const bytes = await segmentOf([[carrier, other], [recordOf('later')]]);
    t.strictSame(idsOf(await scan(bytes)), [carrier.id, other.id, recordOf('later').id], `${name}, healthy`);
    const result = await scan(flipBit(bytes, PAGE_SIZE * 8));
    t.strictSame(idsOf(result), [other.id, recordOf('later').id], `${name}, carrier's header lost`);
    const cut = await scan(flipBit(bytes, PAGE_SIZE * 8).subarray(0, payloadAt + payload.byteLength));
    t.equal(cut.end.state, 'torn', `${name}, as a tail`);
    t.strictSame([...idsOf(cut), ...cut.end.salvage], [], `${name}, as a tail`);
  }
});

/** A record and its commit frame, right in every field for the place `at` but for the mark. */
function forgery(guess: SegmentMark, at: number): Buffer {
  const bytes = Buffer.alloc(2 * PAGE_SIZE);
  const view = viewOf(bytes);
  const begin = alignUp(at, PAGE_SIZE);
  const base = begin - at;
  const payload = recordOf('forged');
  const header: RecordHeader = { kind: 'data', id: payload.id, storedSize: payload.bytes.byteLength, sequence: 1, batch: 2 };
  encodeRecordHeader(header, guess, { offset: begin, bytes, view, base });
  bytes.set(payload.bytes, base + RECORD_HEADER.size);
  const end = begin + recordSpan(payload.bytes.byteLength);
  const runningHash = nextRunningHash('00'.repeat(32), bytes.subarray(base, base + RECORD_HEADER.size));
  const frame = recordOf(encodeCommitFrame({ begin, end, count: 1, lastSequence: 1, runningHash }));
  const frameHeader: RecordHeader = {
    kind: 'commit',
    id: frame.id as BlockId,
    storedSize: frame.bytes.byteLength,
    sequence: 1,
    batch: 2,
  };
  encodeRecordHeader(frameHeader, guess, { offset: end, bytes, view, base: end - at });
  bytes.set(frame.bytes, end - at + RECORD_HEADER.size);
  return bytes;
}

t.test('remains of an older file under another salt are a tail without records', async (t) => {
  const files = new MemoryFiles();
  files.put(path, await segmentOf(appends));
  const reused = { ...superblock, salt: superblock.salt + 1n };
  const result = await scanAll(files, path, { superblock: reused, verifyPayloads: true });
  t.match(result.end, { state: 'torn', at: PAGE_SIZE, salvage: [] });
});
