import fc from 'fast-check';
import t from 'tap';
import { FRAME_SPAN, PAGE_SIZE, recordSpan } from '../../../src/segment/format.ts';
import type { ScannedBatch } from '../../../src/segment/segment-scan.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import {
  openWriter,
  patterned,
  recordOf,
  type ScanResult,
  scanAll,
  segmentPath,
  testSuperblock,
} from '../../helpers/segment-fixture.ts';

const superblock = testSuperblock(1);
const path = segmentPath(1);

async function healthySegment(): Promise<{ bytes: Buffer; batches: readonly ScannedBatch[] }> {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  const sizes = [[1, 64, 300], [5000], [100, 2000, 33], [64, 64, 64, 64], [3900, 10], [7]];
  let seed = 0;
  for (const batch of sizes) await writer.append(batch.map((size) => recordOf(patterned(size, ++seed))));
  const bytes = Buffer.from(files.content(path));
  return { bytes, batches: (await scan(bytes, true)).batches };
}

function scan(bytes: Uint8Array, verifyPayloads: boolean): Promise<ScanResult> {
  const files = new MemoryFiles();
  files.put(path, bytes);
  return scanAll(files, path, { superblock, verifyPayloads });
}

interface Blow {
  readonly at: number;
  readonly size: number;
  readonly with: 'zeros' | 'noise' | 'other bytes of the segment';
}

function strike(bytes: Buffer, blow: Blow): Buffer {
  const struck = Buffer.from(bytes);
  const end = Math.min(bytes.byteLength, blow.at + blow.size);
  if (blow.with === 'zeros') struck.fill(0, blow.at, end);
  else if (blow.with === 'noise') struck.set(patterned(end - blow.at, blow.at), blow.at);
  else bytes.copy(struck, blow.at, PAGE_SIZE, PAGE_SIZE + end - blow.at);
  return struck;
}

t.test(
  'whatever happens to a segment, nothing false is taken and nothing acknowledged is lost that is still there',
  async (t) => {
    const { bytes, batches } = await healthySegment();
    const contents = new Map(batches.flatMap(({ records }) => records.map(({ offset, header }) => [offset, header.id])));
    const blow = fc.record({
      at: fc.integer({ min: PAGE_SIZE, max: bytes.byteLength - 1 }),
      size: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 12_000 })),
      with: fc.constantFrom<Blow['with']>('zeros', 'noise', 'other bytes of the segment'),
    });
    const cut = fc.oneof(fc.constant(bytes.byteLength), fc.integer({ min: PAGE_SIZE, max: bytes.byteLength }));
    await fc.assert(
      fc.asyncProperty(fc.array(blow, { maxLength: 4 }), cut, async (blows, size) => {
        const struck = blows.reduce(strike, bytes).subarray(0, size);
        const result = await scan(struck, true);
        const found = new Map(result.batches.flatMap(({ records }) => records.map(({ offset, header }) => [offset, header.id])));
        for (const [offset, id] of found) if (contents.get(offset) !== id) throw new Error(`a false record at ${offset}`);
        for (const { offset, header } of result.end.salvage)
          if (contents.get(offset) !== header.id) throw new Error(`false salvage at ${offset}`);
        const intact = (at: number, length: number) => struck.subarray(at, at + length).equals(bytes.subarray(at, at + length));
        const proven = batches.findLastIndex(({ frameAt = 0 }) => intact(frameAt, FRAME_SPAN));
        for (const { records } of batches.slice(0, proven + 1)) {
          for (const { offset, header } of records) {
            const there = intact(offset, recordSpan(header.storedSize));
            if (there && !found.has(offset)) throw new Error(`the record at ${offset} is there and was not found`);
          }
        }
      }),
      { numRuns: 300 },
    );
    t.pass('300 segments were judged');
  },
);

t.test('a scan of noise ends, and finds nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 50_000 }), async (seed, size) => {
      const bytes = Buffer.concat([Buffer.alloc(PAGE_SIZE), patterned(size, seed)]);
      const result = await scan(bytes, false);
      t.strictSame(result.batches, []);
      t.strictSame(result.end.salvage, []);
      t.equal(result.end.at, PAGE_SIZE);
    }),
    { numRuns: 30 },
  );
});
