import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Fault } from '../../src/segment/fault.ts';
import { inspectSegment } from '../../src/segment/inspect-segment.ts';
import { readManifest } from '../../src/segment/manifest-file.ts';
import { readNodeIdentity } from '../../src/segment/node-identity.ts';
import { diskFiles, type SegmentFile } from '../../src/segment/segment-files.ts';
import { decodeManifest } from '../../src/segment/segment-manifest.ts';
import { readFooter, readRecord, readSuperblock } from '../../src/segment/segment-reader.ts';
import { segmentMark } from '../../src/segment/superblock.ts';
import { idsOf, nodeId, patterned, recordOf, scanAll, testSuperblock } from '../helpers/segment-fixture.ts';
import { repository } from '../helpers/source-files.ts';

// Made once by golden/generate-v1.ts. If one of these fails, today's code can no longer read what operators have.
const directory = join(repository, 'test/format/golden/v1');
const pathOf = (name: string) => join(directory, name);

async function withFile(name: string, use: (file: SegmentFile) => Promise<unknown>): Promise<void> {
  const file = await diskFiles.open(pathOf(name), { access: 'read', direct: false });
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

t.test('NODE of version 1 is read', async (t) => {
  t.strictSame(await readNodeIdentity(diskFiles, directory), {
    nodeId,
    clusterId: '018f0000-0000-7000-8000-0000000000ff',
    createdMs: 1_700_000_000_000,
    segmentSize: 32_768,
    blockSizeMax: 1_048_576,
  });
});

t.test('MANIFEST of version 1 is read', async (t) => {
  await withFile('MANIFEST', async (file) => {
    const { entries, fault } = await readManifest(file);
    t.equal(fault, undefined);
    t.match(
      entries.map(({ entry }) => entry),
      [
        { kind: 'create', segment: 1, salt: 0x1122_3344_5566_7789n },
        { kind: 'seal', segment: 1, fileSize: 16_384, recordBytes: 3840, count: 5 },
        { kind: 'create', segment: 2, salt: 0x1122_3344_5566_778an },
      ],
    );
  });
});

t.test('every kind of MANIFEST entry of version 1 is read', async (t) => {
  const { entries, fault } = decodeManifest(readFileSync(pathOf('MANIFEST-of-every-kind')));
  t.equal(fault, undefined);
  const { id } = recordOf('Hello, court.');
  const root = 'e1df2ea1ed114e8fc56fde23a02a3fda037f3980d1304a3a8505e6f36890ae97';
  t.strictSame(
    entries.map(({ entry }) => entry),
    [
      { kind: 'create', segment: 1, salt: 0xfedc_ba98_7654_3210n },
      { kind: 'seal', segment: 1, fileSize: 20_480, recordBytes: 3648, count: 5, root },
      { kind: 'replace', segment: 3, replaced: [1, 2] },
      { kind: 'drop', segment: 1 },
      { kind: 'suspect', segment: 3, reason: 'fdatasync of segment 3: EIO' },
      { kind: 'damage', segment: 3, offset: 4096, id, reason: 'the payload does not match its id' },
      { kind: 'accept', reason: 'disk replaced' },
    ],
  );
});

t.test('a sealed segment of version 1 is read from its footer and by scan', async (t) => {
  await withFile('seg/0000000000000001.seg', async (file) => {
    const superblock = await readSuperblock(file);
    if (superblock instanceof Fault) return t.fail(superblock.meaning);
    t.strictSame(superblock, testSuperblock(1, 32_768));
    const footer = await readFooter(file, segmentMark(superblock));
    if (footer instanceof Fault) return t.fail(footer.meaning);
    const content = [
      Buffer.from('Hello, court.'),
      Buffer.from('a manifest, opaque to the segment'),
      patterned(3000, 1),
      Buffer.from('a piece'),
    ];
    const entries = [...footer.entries()].sort((left, right) => left.offset - right.offset);
    t.strictSame(
      entries.map(({ kind, sequence }) => [kind, sequence]),
      [
        ['data', 1],
        ['manifest', 2],
        ['data', 3],
        ['piece', 4],
        ['tombstone', 5],
      ],
    );
    for (const [index, bytes] of content.entries()) {
      const entry = entries[index];
      if (entry === undefined) return t.fail('the footer lists it');
      t.equal(entry.id, recordOf(bytes).id);
      const target = Buffer.alloc(bytes.byteLength);
      const header = await readRecord(
        file,
        { mark: segmentMark(superblock), offset: entry.offset, size: entry.storedSize },
        target,
      );
      if (header instanceof Fault) return t.fail(header.meaning);
      t.same(target, bytes);
    }
    t.equal(footer.find(recordOf('Hello, court.').id).length, 2, 'the record and its tombstone');
    const scan = await scanAll(diskFiles, file.path, { superblock, end: footer.at, durableEnd: footer.at, verifyPayloads: true });
    t.strictSame(
      idsOf(scan),
      entries.map(({ id }) => id),
    );
    t.equal(scan.end.runningHash, footer.summary.root);
    t.ok((await inspectSegment(file, { verifyPayloads: true, records: true })).healthy);
  });
});

t.test('an unsealed segment of version 1 is read up to its torn tail', async (t) => {
  await withFile('seg/0000000000000002.seg', async (file) => {
    const superblock = testSuperblock(2, 32_768);
    const scan = await scanAll(diskFiles, file.path, { superblock, verifyPayloads: true });
    t.strictSame(idsOf(scan), [recordOf('acknowledged').id]);
    t.match(scan.end, { state: 'torn', at: 8192, tailSize: 249, batch: 1 });
    t.strictSame(
      scan.end.salvage.map(({ header }) => header.id),
      [recordOf('cut off before its frame').id],
    );
  });
});
