import { constants } from 'node:os';
import t from 'tap';
import { QuasarError } from '../../../src/core/errors.ts';
import { DiskStepError, diskFaultOf, isDiskError } from '../../../src/segment/disk-fault.ts';
import { naming, syncFile } from '../../../src/segment/durable-steps.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';

const passing = ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EINTR', 'EAGAIN', 'EBUSY', 'ETXTBSY', 'ENOLCK', 'EDEADLK'];
const full = ['ENOSPC', 'EDQUOT'];
const final = ['EIO', 'EROFS', 'ENXIO', 'ENODEV', 'EBADF', 'EFBIG', 'EACCES', 'EPERM', 'ENOENT', 'ESTALE', 'ETIMEDOUT'];

t.test('an error of a write is told by its code, as a name and as a number, and through causes', async (t) => {
  for (const [codes, fault] of [
    [passing, 'passing'],
    [full, 'full'],
    [final, 'final'],
  ] as const) {
    for (const code of codes) {
      t.equal(diskFaultOf(failure(code)), fault, code);
      const number = constants.errno[code as keyof typeof constants.errno];
      t.equal(diskFaultOf({ code: number }), fault, `${code} as LMDB has it`);
      t.equal(diskFaultOf(new QuasarError('internal', { op: 'x', cause: failure(code) })), fault, `${code} as a cause`);
      t.ok(isDiskError(new QuasarError('internal', { op: 'x', cause: failure(code) })));
    }
  }
  t.equal(diskFaultOf(new QuasarError('storage_full', { op: 'x' })), 'full');
  t.equal(diskFaultOf(new QuasarError('storage_busy', { op: 'x' })), 'passing');
  t.equal(diskFaultOf({ code: -30_792 }), 'passing', 'the map of LMDB is full');
  t.equal(diskFaultOf({ code: -30_796 }), 'final', 'a page of LMDB is corrupt');
  t.equal(diskFaultOf(new RangeError('Array buffer allocation failed')), 'passing');
  t.equal(diskFaultOf(new RangeError('Invalid array length')), 'final');
  for (const nothing of [new Error('a bug'), undefined, null, 'text']) {
    t.equal(diskFaultOf(nothing), 'final');
    t.notOk(isDiskError(nothing));
  }
});

t.test('a sync is final whatever its error; a name that cannot be made or opened never is', async (t) => {
  const files = new MemoryFiles();
  const file = await files.open('/x', { access: 'create', direct: false });
  for (const code of [...passing, ...full, ...final]) {
    files.hook = () => {
      throw failure(code);
    };
    const sync = await syncFile(file).catch((error: unknown) => error);
    t.match(sync, { name: 'DiskStepError', step: 'sync', code });
    t.equal(diskFaultOf(sync), 'final', code);
    const open = await naming(files.open('/y', { access: 'create', direct: false })).catch((error: unknown) => error);
    t.type(open, DiskStepError);
    t.equal(diskFaultOf(open), full.includes(code) ? 'full' : 'passing', code);
  }
});
