import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createSegment } from '../../../src/segment/create-segment.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { diskFiles, readFully, writeFully } from '../../../src/segment/segment-files.ts';
import { readRecord, readRecordFromDisk } from '../../../src/segment/segment-reader.ts';
import type { RecordPlace } from '../../../src/segment/segment-writer.ts';
import { segmentMark } from '../../../src/segment/superblock.ts';
import { idsOf, openWriter, patterned, recordOf, scanAll, testSlab, testSuperblock } from '../../helpers/segment-fixture.ts';

async function folder(test: { teardown: (run: () => Promise<void>) => void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'quasar-segment-'));
  test.teardown(() => rm(path, { recursive: true }));
  return path;
}

t.test('files are written and read at offsets, cut, synced and listed', async (t) => {
  const directory = await folder(t);
  const path = join(directory, 'file');
  const file = await diskFiles.open(path, { access: 'create', direct: false });
  await writeFully(file, Buffer.from('abcdef'), 4);
  t.equal(await file.size(), 10);
  const bytes = Buffer.alloc(20);
  t.equal(await readFully(file, bytes, 2), 8);
  t.equal(bytes.subarray(0, 8).toString(), '\0\0abcdef');
  const [first, second] = [Buffer.alloc(2), Buffer.alloc(10)];
  t.equal(await file.readVector([first, second], 4), 6);
  t.equal(first.toString() + second.subarray(0, 4).toString(), 'abcdef');
  await file.truncate(5);
  await file.dataSync();
  await file.sync();
  await file.chmod(0o444);
  await file.close();
  await t.rejects(diskFiles.open(path, { access: 'create', direct: false }), { code: 'EEXIST' });
  await diskFiles.rename(path, `${path}2`);
  await diskFiles.makeDirectory(join(directory, 'a', 'b'));
  await diskFiles.syncDirectory(directory);
  t.strictSame([...(await diskFiles.list(directory))].sort(), ['a', 'file2']);
  t.equal((await stat(`${path}2`)).mode & 0o777, 0o444);
  await diskFiles.unlink(`${path}2`);
  t.strictSame(await readdir(directory), ['a']);
});

t.test('a writer fills real segments past the page cache where the file system can', async (t) => {
  const directory = await folder(t);
  await diskFiles.makeDirectory(join(directory, 'seg'));
  const direct = await canBypassCache(directory);
  t.comment(`O_DIRECT here: ${direct}`);
  const superblock = testSuperblock(1, 16 * 1024 * 1024);
  const { writer, deaths } = openWriter(diskFiles, {
    segmentSize: superblock.segmentSize,
    openNext: () => createSegment({ files: diskFiles, directory, superblock, direct }),
  });
  const slab = testSlab();
  const block = slab.bytes.subarray(0, slab.slotSize);
  block.set(patterned(slab.slotSize, 1));
  const records = [
    recordOf(block),
    recordOf(patterned(70_001, 2)),
    ...Array.from({ length: 50 }, (_, index) => recordOf(`small ${index}`)),
  ];
  const places = (await Promise.all(records.map((record) => writer.append([record])))).flat();
  await writer.close();
  t.strictSame(deaths, []);

  const path = join(directory, 'seg', '0000000000000001.seg');
  const found = await scanAll(diskFiles, path, { superblock, verifyPayloads: true });
  t.strictSame(idsOf(found).sort(), records.map((record) => record.id as string).sort());
  const file = await diskFiles.open(path, { access: 'read', direct: false });
  const target = new Uint8Array(slab.slotSize);
  for (const [index, place] of places.entries()) {
    for (const read of [readRecord.bind(undefined, file), readRecordFromDisk.bind(undefined, diskFiles, path)]) {
      const header = await read({ mark: segmentMark(superblock), ...(place as RecordPlace) }, target);
      if (header instanceof Fault) return t.fail(header.meaning);
      t.same(Buffer.from(target.subarray(0, place.size)), Buffer.from(records[index]?.bytes as Uint8Array));
    }
  }
  await file.close();
});

async function canBypassCache(directory: string): Promise<boolean> {
  try {
    const file = await diskFiles.open(join(directory, 'probe'), { access: 'create', direct: true });
    await file.close();
    return true;
  } catch {
    return false;
  }
}
