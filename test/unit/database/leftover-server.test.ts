import t from 'tap';
import { isServerOf, parseServerPid } from '../../../src/database/leftover-server.ts';

t.test('the pid is the first line of the server’s file', async (t) => {
  t.equal(parseServerPid('8163\n/proc/self/cwd\n1795252190\n5432\n'), 8163);
});

t.test('a file without a pid names no server', async (t) => {
  for (const text of [undefined, '', 'x', '0', '1', '-5', '1.5']) t.equal(parseServerPid(text), undefined);
});

t.test('a process that is no postgres is no server of ours', async (t) => {
  t.equal(await isServerOf(process.pid, process.cwd()), false);
  t.equal(await isServerOf(2 ** 30, process.cwd()), false);
});
