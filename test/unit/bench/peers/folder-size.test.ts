import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diskSizeOf } from '../../../../bench/peers/folder-size.ts';

t.test('blocks on the disk count, in all folders, and holes do not', async (t) => {
  const folder = t.testdir();
  const empty = diskSizeOf(folder);
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  writeFileSync(join(folder, 'a', 'b', 'full'), Buffer.alloc(100_000, 1), { flush: true });
  const full = diskSizeOf(folder);
  t.ok(full - empty >= 100_000 && full - empty < 200_000, `${full - empty} bytes`);
  writeFileSync(join(folder, 'hole'), '');
  truncateSync(join(folder, 'hole'), 1_000_000_000);
  t.ok(diskSizeOf(folder) - full < 100_000);
});

t.test('a folder that is not there takes nothing', async (t) => {
  t.equal(diskSizeOf(join(t.testdir(), 'none')), 0);
});
