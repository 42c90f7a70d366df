import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder, syncFolder } from '../../../src/disk/durable-folder.ts';
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
