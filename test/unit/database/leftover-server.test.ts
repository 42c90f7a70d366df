import t from 'tap';
import { isServerOf, parseServerFile } from '../../../src/database/leftover-server.ts';

t.test('pid and socket folder are read from the server’s file', async (t) => {
  const text = '8163\n/proc/self/cwd\n1795252190\n5432\n/tmp/quasar-pg-a1b2c3\n\n 10035208        24\nready   \n';
  t.strictSame(parseServerFile(text), { pid: 8163, socketDirectory: '/tmp/quasar-pg-a1b2c3' });
  t.strictSame(parseServerFile('8163\n'), { pid: 8163, socketDirectory: undefined });
});

t.test('a file without a pid names no server', async (t) => {
  for (const text of [undefined, '', 'x', '0', '1', '-5', '1.5']) t.equal(parseServerFile(text), undefined);
});

t.test('a process that is no postgres is no server of ours', async (t) => {
  t.equal(await isServerOf(process.pid, process.cwd()), false);
  t.equal(await isServerOf(2 ** 30, process.cwd()), false);
});
