import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder, makeMissing, syncFolder } from '../../../src/disk/durable-folder.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

async function syncsOf(path: string, make: (path: string) => string | undefined): Promise<string[]> {
  const synced: string[] = [];
  await makeFolder(path, {
    make: async (wanted) => make(wanted),
    sync: async (folder) => {
      synced.push(folder);
    },
  });
  return synced;
}

t.test('every folder that got a new name is synced, and no other', async (t) => {
  t.same(await syncsOf('/a/b/c', () => '/a/b/c'), ['/a/b']);
  t.same(await syncsOf('/a/b/c', () => '/a'), ['/a/b', '/a', '/']);
  t.same(await syncsOf('/a/b/c', () => undefined), ['/a/b'], 'an earlier run may have come no further');
  t.same(await syncsOf('/', () => undefined), ['/']);
});

t.test('on a disk the folders are there, for their owner only', async (t) => {
  const outer = temporaryFolder(t);
  const path = join(outer, 'a', 'b', 'c');
  await makeFolder(path);
  t.equal(statSync(path).mode & 0o777, 0o700);
  t.equal(statSync(join(outer, 'a')).mode & 0o777, 0o700);
  mkdirSync(join(path, 'd'));
  await makeFolder(join(path, 'd'));
  await t.rejects(syncFolder(join(outer, 'no-such-folder')), { code: 'ENOENT' });
});

t.test('missing parents are made, the first of them is told, and what is there already is left', async (t) => {
  const folder = temporaryFolder(t);
  t.equal(await makeMissing(join(folder, 'a', 'b', 'c')), join(folder, 'a'));
  t.equal(await makeMissing(join(folder, 'a', 'b', 'c')), undefined);
  t.equal(await makeMissing(join(folder, 'a', 'd')), join(folder, 'a', 'd'));
  const both = await Promise.all([makeMissing(join(folder, 'x', 'y')), makeMissing(join(folder, 'x', 'y'))]);
  t.ok(both.includes(join(folder, 'x')));
});

t.test('where the system takes no folder the attempt ends with its error, and so where a file stands in the way', async (t) => {
  await t.rejects(makeMissing('/proc/quasar/data'), { code: 'ENOENT' });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  await t.rejects(makeMissing(join(folder, 'file')), { code: 'EEXIST' });
  await t.rejects(makeMissing(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
});
