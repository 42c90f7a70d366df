import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isReachableBy } from '../../../src/database/reachable.ts';
import { parseUsers } from '../../../src/database/server-user.ts';

t.test('users are read from passwd lines; what is no line is passed over', async (t) => {
  const users = parseUsers('root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n\n+nis\n');
  t.strictSame(
    [...users],
    [
      ['root', { uid: 0, gid: 0 }],
      ['postgres', { uid: 101, gid: 104 }],
    ],
  );
});

t.test('a path is reachable when every folder above it may be entered', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'quasar-test-'));
  t.teardown(() => rm(home, { recursive: true }));
  await mkdir(join(home, 'open'), { mode: 0o755 });
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const other = { uid: owner.uid + 4711, gid: owner.gid + 4711 };
  t.equal(await isReachableBy(owner, join(home, 'open')), true);
  t.equal(await isReachableBy(other, join(home, 'open')), false);
  t.equal(await isReachableBy(other, tmpdir()), true);
});
