import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { createSegment } from '../../../src/segment/create-segment.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { FRAME_SPAN, recordSpan } from '../../../src/segment/format.ts';
import { readFooter, readRecord, readRecordFromDisk } from '../../../src/segment/segment-reader.ts';
import type { OutgoingRecord, RecordPlace } from '../../../src/segment/segment-writer.ts';
import { segmentMark } from '../../../src/segment/superblock.ts';
import { type FileStep, MemoryFiles } from '../../helpers/memory-files.ts';
import {
  idsOf,
  openWriter,
  patterned,
  recordOf,
  scanAll,
  segmentPath,
  testSlab,
  testSuperblock,
} from '../../helpers/segment-fixture.ts';

const bigSegment = 64 * 1024 * 1024;
const pathOf = (segment: number) => segmentPath(segment);

async function scanOf(files: MemoryFiles, segment = 1) {
  return scanAll(files, pathOf(segment), { superblock: testSuperblock(segment), verifyPayloads: true });
}

async function readBack(files: MemoryFiles, place: RecordPlace): Promise<Buffer | string> {
  const file = await files.open(pathOf(place.segment), { access: 'read', direct: false });
  const target = Buffer.alloc(place.size);
  const header = await readRecord(file, { mark: segmentMark(testSuperblock(place.segment)), ...place }, target);
  return header instanceof Fault ? header.meaning : target;
}

const countOf = (files: MemoryFiles, op: FileStep['op'], path = pathOf(1)) =>
  files.steps.filter((step) => step.op === op && step.path === path).length;

/** A promise and the means to settle it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

t.test('what was appended is scanned, read and found in the footer', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed } = openWriter(files);
  const records = [recordOf('one'), recordOf(patterned(5000, 1)), recordOf('manifest of both', 'manifest')];
  const places = await writer.append(records);
  const scan = await scanOf(files);
  t.equal(scan.end.state, 'clean');
  t.equal(scan.batches.length, 1);
  t.strictSame(
    idsOf(scan),
    records.map((record) => record.id),
  );
  for (const [index, place] of places.entries()) t.same(await readBack(files, place), records[index]?.bytes);

  await writer.close();
  const file = await files.open(pathOf(1), { access: 'read', direct: false });
  const footer = await readFooter(file, segmentMark(testSuperblock(1)));
  if (footer instanceof Fault) return t.fail(footer.meaning);
  t.equal(footer.summary.root, scan.end.runningHash);
  t.strictSame(
    Array.from(footer.entries(), (entry) => entry.id),
    records.map((record) => record.id).sort(),
  );
  t.equal(files.mode(pathOf(1)), 0o444);
  t.match(sealed, [{ superblock: { segment: 1 }, fileSize: await file.size(), count: 3, root: scan.end.runningHash }]);
});

t.test('sequences increase without gaps over batches and segments', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { segmentSize: 16 * 1024 });
  const sequences: number[] = [];
  for (let index = 0; index < 20; index++) {
    const places = await writer.append([recordOf(patterned(3000, index)), recordOf(`manifest ${index}`, 'manifest')]);
    sequences.push(...places.map((place) => place.sequence));
  }
  t.strictSame(
    sequences,
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  await writer.close();
});

t.test('appends of one turn share a batch and one fdatasync', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  await Promise.all(Array.from({ length: 10 }, (_, index) => writer.append([recordOf(`record ${index}`)])));
  t.equal(writer.stats.batches, 1);
  t.equal(countOf(files, 'dataSync'), 1);
  t.strictSame(writer.stats, { batches: 1, records: 10, bytes: 80, waiting: 0 });
  await writer.close();
});

t.test('the next batch forms while one is being written, and holds all that came meanwhile', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  await writer.append([recordOf('opens the segment')]);
  const { opened, open } = gate();
  files.hook = async ({ op }) => {
    if (op === 'dataSync') await opened;
    return undefined;
  };
  const first = writer.append([recordOf('in flight')]);
  await nextTurn();
  const later = Array.from({ length: 5 }, (_, index) => writer.append([recordOf(`later ${index}`)]));
  await nextTurn();
  t.equal(writer.stats.waiting, 6);
  open();
  await Promise.all([first, ...later]);
  t.equal(writer.stats.batches, 3);
  await writer.close();
});

t.test('nothing resolves before its fdatasync has returned', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  const { opened, open } = gate();
  files.hook = async ({ op }) => {
    if (op === 'dataSync') await opened;
    return undefined;
  };
  let resolved = false;
  const append = writer.append([recordOf('one')]).then(() => {
    resolved = true;
  });
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  t.equal(countOf(files, 'dataSync'), 1);
  t.equal(resolved, false);
  open();
  await append;
  await writer.close();
});

t.test('blocks of the slab and foreign memory are written as they are, across write buffers', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { segmentSize: bigSegment });
  const slab = testSlab();
  const records: OutgoingRecord[] = [];
  for (let slot = 0; slot < 8; slot++) {
    const bytes = slab.bytes.subarray(slot * slab.slotSize, (slot + 1) * slab.slotSize);
    bytes.set(patterned(slab.slotSize, slot));
    records.push(recordOf(bytes), recordOf(patterned(900_001, 100 + slot)));
  }
  const places = await writer.append(records);
  t.equal(writer.stats.batches, 1);
  t.ok(countOf(files, 'write') > 3);
  for (const [index, place] of places.entries())
    t.same(await readBack(files, place), Buffer.from(records[index]?.bytes as Uint8Array));
  t.strictSame(
    idsOf(await scanOf(files)),
    records.map((record) => record.id),
  );
  await writer.close();
});

t.test('the write with the end of the frame is issued after all others have returned', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { segmentSize: bigSegment });
  let inFlight = 0;
  const seen: { at: number; inFlight: number }[] = [];
  files.hook = async ({ op, at }) => {
    if (op !== 'write' || at === 0) return undefined;
    seen.push({ at, inFlight });
    inFlight += 1;
    await nextTurn();
    inFlight -= 1;
    return undefined;
  };
  await writer.append(Array.from({ length: 12 }, (_, index) => recordOf(patterned(limits.blockSizeMax, index))));
  t.equal(seen.length, Math.ceil((12 * recordSpan(limits.blockSizeMax) + FRAME_SPAN) / limits.segmentWriteSize));
  t.strictSame(
    seen.map(({ at }) => at),
    seen.map(({ at }) => at).sort((left, right) => left - right),
  );
  t.equal(seen.at(-1)?.inFlight, 0);
  t.ok(
    seen.some((write) => write.inFlight === 1),
    'gathering overlaps writing',
  );
  t.ok(seen.every((write) => write.inFlight <= 1));
  files.hook = () => undefined;
  await writer.close();
});

t.test('a full segment is sealed beside the next, and every record is in one of them', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed, created } = openWriter(files, { segmentSize: 32 * 1024 });
  const records = Array.from({ length: 50 }, (_, index) => recordOf(patterned(2000, index)));
  for (const record of records) await writer.append([record]);
  await writer.close();
  t.ok(created.length > 3);
  t.strictSame(
    sealed.map(({ superblock }) => superblock.segment),
    created,
  );
  const found: string[] = [];
  for (const segment of created) {
    const file = await files.open(pathOf(segment), { access: 'read', direct: false });
    const footer = await readFooter(file, segmentMark(testSuperblock(segment)));
    if (footer instanceof Fault) return t.fail(footer.meaning);
    t.ok(footer.at <= 32 * 1024, 'records keep to the segment size');
    const scan = await scanAll(files, pathOf(segment), {
      superblock: testSuperblock(segment),
      end: footer.at,
      durableEnd: footer.at,
      verifyPayloads: true,
    });
    t.equal(scan.end.runningHash, footer.summary.root);
    found.push(...idsOf(scan));
  }
  t.strictSame(
    found,
    records.map((record) => record.id),
  );
});

t.test('sealing does not hold up appends', async (t) => {
  const files = new MemoryFiles();
  const { writer, created } = openWriter(files, { segmentSize: 32 * 1024 });
  await writer.append([recordOf(patterned(20_000, 1))]);
  const { opened, open } = gate();
  files.hook = async ({ op, path }) => {
    if (op === 'chmod' && path === pathOf(1)) await opened;
    return undefined;
  };
  await writer.append([recordOf(patterned(20_000, 2))]);
  await writer.append([recordOf('still')]);
  t.strictSame(created, [1, 2]);
  t.not(files.mode(pathOf(1)), 0o444);
  open();
  await writer.close();
  t.equal(files.mode(pathOf(1)), 0o444);
});

t.test('an idle segment is sealed when asked, and the next append opens another', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed } = openWriter(files);
  await writer.sealActive();
  t.strictSame(sealed, [], 'nothing was open');
  await writer.append([recordOf('one')]);
  await writer.sealActive();
  t.equal(sealed.length, 1);
  const [place] = await writer.append([recordOf('two')]);
  t.equal(place?.segment, 2);
  await writer.close();
});

t.test('close finishes what was appended and refuses what comes later', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed } = openWriter(files);
  const append = writer.append([recordOf('one')]);
  const closing = writer.close();
  await t.rejects(writer.append([recordOf('two')]), { code: 'node_closed' });
  await append;
  await closing;
  await writer.close();
  t.equal(sealed.length, 1);
});

t.test('an append of nothing is done at once', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  t.strictSame(await writer.append([]), []);
  await writer.close();
  t.strictSame(files.steps, []);
});

t.test('a zero-filled spare is written like a fresh file and cut to size when sealed', async (t) => {
  const files = new MemoryFiles();
  const spare = '/node/seg/spare';
  files.put(spare, Buffer.alloc(64 * 1024));
  const { writer, sealed } = openWriter(files, {
    openNext: () => createSegment({ files, directory: '/node', superblock: testSuperblock(1), direct: false, spare }),
  });
  const records = [recordOf('one'), recordOf(patterned(9000, 1))];
  await writer.append(records);
  const scan = await scanOf(files);
  t.equal(scan.end.state, 'clean');
  t.strictSame(
    idsOf(scan),
    records.map((record) => record.id),
  );
  t.equal(files.content(pathOf(1)).byteLength, 64 * 1024);
  await writer.close();
  t.equal(files.content(pathOf(1)).byteLength, sealed[0]?.fileSize);
  t.ok((sealed[0]?.fileSize ?? 0) < 64 * 1024);
});

t.test('a record is refused where its header does not fit, and read past the cache as well', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  const record = recordOf(patterned(5000, 1));
  const [place] = (await writer.append([record])) as [RecordPlace];
  t.equal(await readBack(files, { ...place, offset: place.offset + 64 }), 'there is no record magic');
  t.equal(await readBack(files, { ...place, size: 4999 }), 'the record holds 5000 bytes');
  t.equal(await readBack(files, { ...place, offset: 1_000_000 }), 'the file ends inside the record header');
  t.equal(
    await readBack(files, { ...place, offset: place.offset + recordSpan(5000) - 64, size: 60_000 }),
    'the file ends inside the record',
  );
  const target = new Uint8Array(5000);
  const header = await readRecordFromDisk(files, pathOf(1), { mark: segmentMark(testSuperblock(1)), ...place }, target);
  t.match(header, { id: record.id });
  t.same(Buffer.from(target), record.bytes);
  await writer.close();
});
