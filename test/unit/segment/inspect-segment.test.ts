import t from 'tap';
import { RECORD_HEADER, SUPERBLOCK } from '../../../src/segment/format.ts';
import { type Inspection, inspectSegment } from '../../../src/segment/inspect-segment.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import { openWriter, patterned, recordOf, scanAll, segmentPath, testSuperblock } from '../../helpers/segment-fixture.ts';

const path = segmentPath(1);
const big = recordOf(patterned(5000, 1));

async function segment(options: { sealed: boolean }): Promise<Buffer> {
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  await writer.append([big, recordOf('a manifest', 'manifest')]);
  await writer.append([recordOf('second')]);
  if (options.sealed) await writer.close();
  return Buffer.from(files.content(path));
}

async function inspect(bytes: Uint8Array, records = false): Promise<Inspection> {
  const files = new MemoryFiles();
  files.put(path, bytes);
  return inspectSegment(await files.open(path, { access: 'read', direct: false }), { verifyPayloads: true, records });
}

async function batchesOf(bytes: Uint8Array) {
  const files = new MemoryFiles();
  files.put(path, bytes);
  return (await scanAll(files, path, { superblock: testSuperblock(1), verifyPayloads: true })).batches;
}

t.test('a sealed segment is shown with superblock, batches, records, frames and footer', async (t) => {
  const { healthy, lines, report } = await inspect(await segment({ sealed: true }), true);
  const text = lines.join('\n');
  t.ok(healthy);
  t.match(text, /superblock {3}segment 1, format version 1, BLAKE3-256, salt 1122334455667789/);
  t.match(text, /node 018f0000-0000-7000-8000-000000000001, created 2023-11-14T22:13:20.000Z, meant for 65,536 bytes/);
  t.match(text, /batch 1 {6}4,096–12,288: 2 records, commit frame at 9,472, running hash [0-9a-f]{16}…/);
  t.match(text, new RegExp(`data {7}4,096: 5,000 bytes, sequence 1, ${big.id}`));
  t.match(text, /footer {7}16,384–20,480: 3 records in 5,568 bytes, root [0-9a-f]{64}/);
  t.match(text, /healthy {6}sealed/);
  t.match(report, { state: 'sealed', superblock: { segment: 1 }, footer: { count: 3 }, problems: [] });
  t.doesNotThrow(() => JSON.stringify(report));
});

t.test('an open segment is healthy', async (t) => {
  const { healthy, lines, report } = await inspect(await segment({ sealed: false }));
  t.ok(healthy);
  t.equal(report.state, 'open');
  t.match(lines.join('\n'), /footer {7}none: the file does not end with a footer/);
});

t.test('changed content is named with its record, and what to do about it', async (t) => {
  const bytes = await segment({ sealed: true });
  const { healthy, lines, report } = await inspect(flipBit(bytes, (4096 + RECORD_HEADER.size + 10) * 8));
  t.notOk(healthy);
  t.match(report.problems, [
    { at: 4096, meaning: new RegExp(`The content of data record ${big.id} changed after it was acknowledged`) },
  ]);
  t.match(lines.join('\n'), /DAMAGED[\s\S]*bytes 4,096–9,280:[\s\S]*Storing the same content again heals it/);
});

t.test('a lost header and a lost frame are damage with their bytes', async (t) => {
  const bytes = await segment({ sealed: true });
  const [first, second] = await batchesOf(bytes);
  const header = await inspect(flipBit(bytes, 4096 * 8 + 70));
  t.match(header.report.problems, [
    { at: 4096, meaning: /Acknowledged bytes are damaged: the checksum of the record header does not match/ },
  ]);
  for (const batch of [first, second]) {
    const frame = await inspect(flipBit(bytes, (batch?.frameAt as number) * 8));
    t.notOk(frame.healthy);
    t.match(frame.report.problems, [{ at: batch?.frameAt }]);
  }
});

t.test('a torn tail is no damage', async (t) => {
  const bytes = await segment({ sealed: false });
  const second = (await batchesOf(bytes))[1];
  const { healthy, report, lines } = await inspect(bytes.subarray(0, second?.frameAt));
  t.ok(healthy);
  t.equal(report.state, 'torn');
  t.match(report.problems, [
    {
      at: second?.at,
      meaning: /batch without commit frame[\s\S]*Whole records in it: 1/,
      advice: /Nothing acknowledged is lost/,
    },
  ]);
  t.match(lines.join('\n'), /healthy {6}not sealed, with an unacknowledged tail/);
});

t.test('a bad footer of good records is told apart from bad records', async (t) => {
  const bytes = await segment({ sealed: true });
  const { healthy, report } = await inspect(flipBit(bytes, (bytes.byteLength - 1) * 8));
  t.ok(healthy, 'an interrupted seal looks the same, and nothing is lost');
  t.match(report, { state: 'sealing', problems: [{ meaning: /being sealed right now, or a crash interrupted/ }] });
});

t.test('a footer that does not belong to the records is a problem', async (t) => {
  const bytes = await segment({ sealed: true });
  const files = new MemoryFiles();
  const { writer } = openWriter(files);
  await writer.append([big, recordOf('A manifest', 'manifest')]);
  await writer.append([recordOf('other!')]);
  await writer.close();
  const foreign = files.content(path);
  bytes.set(foreign.subarray(16_384), 16_384);
  const { healthy, report } = await inspect(bytes);
  t.notOk(healthy);
  t.match(report.problems, [{ meaning: /root is not the running hash/ }]);
});

t.test('a file without a good superblock is told, not guessed at', async (t) => {
  const bytes = await segment({ sealed: true });
  for (const broken of [
    Buffer.from('no segment'),
    Buffer.alloc(0),
    flipBit(bytes, 200),
    bytes.subarray(0, SUPERBLOCK.size - 1),
  ]) {
    const { healthy, lines, report } = await inspect(broken);
    t.notOk(healthy);
    t.equal(report.state, 'unreadable');
    t.match(lines.join('\n'), /The superblock cannot be used/);
  }
});
