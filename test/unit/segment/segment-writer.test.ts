import t from 'tap';
import { Fault } from '../../../src/segment/fault.ts';
import { readFooter, readRecord } from '../../../src/segment/segment-reader.ts';
import { segmentMark } from '../../../src/segment/superblock.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import { idsOf, openWriter, patterned, recordOf, scanAll, segmentPath, testSuperblock } from '../../helpers/segment-fixture.ts';

t.test('what was appended is scanned, read and found in the footer', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed } = openWriter(files);
  const records = [recordOf('one'), recordOf(patterned(5000, 1)), recordOf('manifest of both', 'manifest')];
  const places = await writer.append(records);
  const scan = await scanAll(files, segmentPath(1), { superblock: testSuperblock(1), verifyPayloads: true });
  t.equal(scan.end.state, 'clean');
  t.equal(scan.batches.length, 1);
  t.same(
    idsOf(scan),
    records.map((record) => record.id),
  );

  const file = await files.open(segmentPath(1), { access: 'read', direct: false });
  const target = new Uint8Array(8192);
  for (const [index, place] of places.entries()) {
    const header = await readRecord(
      file,
      { mark: segmentMark(testSuperblock(1)), offset: place.offset, size: place.size },
      target,
    );
    if (header instanceof Fault) return t.fail(header.meaning);
    t.equal(header.id, records[index]?.id);
    t.same(Buffer.from(target.subarray(0, place.size)), Buffer.from(records[index]?.bytes as Uint8Array));
  }
  await writer.close();
  t.equal(sealed.length, 1);
  const footer = await readFooter(file, segmentMark(testSuperblock(1)));
  if (footer instanceof Fault) return t.fail(footer.meaning);
  t.equal(footer.summary.root, scan.end.runningHash);
  t.same(
    [...footer.entries()].map((entry) => entry.id),
    records.map((record) => record.id).sort(),
  );
  t.equal(files.mode(segmentPath(1)), 0o444);
});
