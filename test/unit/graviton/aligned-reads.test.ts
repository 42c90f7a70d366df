import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { AlignedReads, alignedWindow } from '../../../src/graviton/aligned-reads.ts';
import { diskFiles, readFully } from '../../../src/segment/segment-files.ts';
import { openPastCache } from '../../../src/segment/segment-reader.ts';
import { patterned } from '../../helpers/segment-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Ends inside a page, as a file does that was cut. */
const content = patterned(3 * 1024 * 1024 + 1234, 7);

t.test('any range of a file is read past the page cache as through it', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  writeFileSync(path, content);
  const file = new AlignedReads(await openPastCache(diskFiles, path), alignedWindow());
  t.teardown(() => file.close());
  const offset = fc.integer({ min: 0, max: content.byteLength + 5000 });
  await fc.assert(
    fc.asyncProperty(offset, fc.integer({ min: 0, max: 1024 * 1024 + 256 }), async (at, size) => {
      const expected = content.subarray(at, at + size);
      return expected.equals(await file.view(at, size));
    }),
    { numRuns: 50 },
  );
  await fc.assert(
    fc.asyncProperty(offset, fc.integer({ min: 0, max: content.byteLength }), async (at, size) => {
      const expected = content.subarray(at, at + size);
      const whole = Buffer.alloc(size);
      const parts = [Buffer.alloc(Math.floor(size / 3)), Buffer.alloc(size - Math.floor(size / 3))];
      const read = await readFully(file, whole, at);
      const scattered = await file.readVector(parts, at);
      return (
        read === expected.byteLength &&
        scattered === read &&
        expected.equals(whole.subarray(0, read)) &&
        expected.equals(Buffer.concat(parts).subarray(0, read))
      );
    }),
    { numRuns: 20 },
  );
  t.equal(await file.size(), content.byteLength);
});
