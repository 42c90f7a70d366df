import t from 'tap';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import { SegmentFileCache } from '../../../src/graviton/segment-file-cache.ts';
import type { SegmentFile } from '../../../src/segment/segment-files.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';

class CountingFiles extends MemoryFiles {
  readonly opened: string[] = [];
  readonly closed: string[] = [];

  override async open(path: string, options: Parameters<MemoryFiles['open']>[1]): Promise<SegmentFile> {
    const file = await super.open(path, options);
    this.opened.push(path);
    file.close = async () => {
      this.closed.push(path);
    };
    return file;
  }
}

function cacheOf(countMax: number, segments: readonly number[]) {
  const files = new CountingFiles();
  for (const segment of segments) files.put(segmentPath('/node', segment), Buffer.from([segment]));
  return { files, cache: new SegmentFileCache({ files, directory: '/node', countMax }) };
}

async function firstByte(file: SegmentFile): Promise<number | undefined> {
  const into = new Uint8Array(1);
  await file.read(into, 0);
  return into[0];
}

t.test('readers of one segment at once share one open file', async (t) => {
  const { files, cache } = cacheOf(4, [7]);
  t.same(await Promise.all(Array.from({ length: 5 }, () => cache.use(7, firstByte))), [7, 7, 7, 7, 7]);
  t.equal(files.opened.length, 1);
  await cache.close();
  t.equal(files.closed.length, 1);
});

t.test('beyond the count the longest unread file is closed', async (t) => {
  const { files, cache } = cacheOf(2, [1, 2, 3]);
  for (const segment of [1, 2, 1, 3]) t.equal(await cache.use(segment, firstByte), segment);
  t.same(files.closed, [segmentPath('/node', 2)]);
  t.equal(await cache.use(2, firstByte), 2);
  await cache.close();
  t.equal(files.closed.length, files.opened.length);
});

t.test('a file is never closed under its reader', async (t) => {
  const { files, cache } = cacheOf(1, [1, 2, 3]);
  let finish = (): void => undefined;
  const held = cache.use(1, () => new Promise<void>((resolve) => (finish = resolve)));
  await Promise.all([2, 3, 2, 3].map((segment) => cache.use(segment, firstByte)));
  t.notOk(files.closed.includes(segmentPath('/node', 1)));
  finish();
  await held;
  await cache.close();
  t.equal(files.closed.length, files.opened.length);
});

t.test('a missing file is the error of its reader alone', async (t) => {
  const { cache } = cacheOf(2, [1]);
  await t.rejects(cache.use(9, firstByte), { code: 'ENOENT' });
  t.equal(await cache.use(1, firstByte), 1);
  await cache.close();
});
