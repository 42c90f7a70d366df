import t from 'tap';
import { parseDiskBytes, threadDiskBytes } from '../../../src/graviton/thread-disk-bytes.ts';

t.test('the counter is found among its neighbours', async (t) => {
  const text = 'rchar: 6976\nwchar: 1\nsyscr: 10\nsyscw: 0\nread_bytes: 40960\nwrite_bytes: 5\ncancelled_write_bytes: 7\n';
  t.equal(parseDiskBytes(text), 40_960);
  t.equal(parseDiskBytes(text.replace('read_bytes', 'other_bytes')), 0);
  t.equal(parseDiskBytes('\nread_bytes: what'), 0);
  t.equal(parseDiskBytes(''), 0);
});

t.test('it never runs backwards', async (t) => {
  const diskBytes = threadDiskBytes();
  const first = diskBytes?.() ?? 0;
  t.ok(first >= 0 && (diskBytes?.() ?? 0) >= first);
});
