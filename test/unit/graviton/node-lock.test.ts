import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NodeLock } from '../../../src/graviton/node-lock.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

t.test('a lock is held until it is released', async (t) => {
  const path = join(temporaryFolder(t), 'LOCK');
  const lock = await NodeLock.acquire(path);
  await t.rejects(NodeLock.acquire(path), { code: 'storage_in_use' });
  t.equal(spawnSync('flock', ['-n', path, 'true']).status, 1, 'other programs see it, too');
  lock.release();
  lock.release();
  const again = await NodeLock.acquire(path);
  again.release();
});

t.test('the lock of a process that is killed is free', async (t) => {
  const path = join(temporaryFolder(t), 'LOCK');
  const module = new URL('../../../src/graviton/node-lock.js', import.meta.url).href;
  const program = `const { NodeLock } = await import('${module}'); await NodeLock.acquire('${path}'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await t.rejects(NodeLock.acquire(path), { code: 'storage_in_use' });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  const lock = await NodeLock.acquire(path);
  lock.release();
});

t.test('a lock holds on when its file is removed', async (t) => {
  const path = join(temporaryFolder(t), 'LOCK');
  const lock = await NodeLock.acquire(path);
  rmSync(path);
  await t.rejects(NodeLock.acquire(path), { code: 'storage_in_use' });
  lock.release();
  (await NodeLock.acquire(path)).release();
});
