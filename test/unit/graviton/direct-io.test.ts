import t from 'tap';
import { takesDirectIo } from '../../../src/graviton/direct-io.ts';
import type { OpenOptions } from '../../../src/segment/segment-files.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';

const page = new Uint8Array(4096);

t.test('a file system that writes and reads a page past its cache takes it', async (t) => {
  const files = new MemoryFiles();
  t.equal(await takesDirectIo(files, '/node', page), true);
  t.same(await files.list('/node'), [], 'the probe leaves nothing');
});

t.test('one that refuses to open or to write so does not', async (t) => {
  class NoDirectOpen extends MemoryFiles {
    override async open(path: string, options: OpenOptions) {
      if (options.direct) throw failure('EINVAL', path);
      return super.open(path, options);
    }
  }
  const refusing = new NoDirectOpen();
  t.equal(await takesDirectIo(refusing, '/node', page), false);
  t.same(await refusing.list('/node'), []);
  const files = new MemoryFiles();
  files.hook = ({ op }) => {
    if (op === 'write') throw failure('EINVAL');
    return undefined;
  };
  t.equal(await takesDirectIo(files, '/node', page), false);
});

t.test('on a full disk the page cache is used', async (t) => {
  const files = new MemoryFiles();
  files.hook = ({ op }) => {
    if (op === 'write') throw failure('ENOSPC');
    return undefined;
  };
  t.equal(await takesDirectIo(files, '/node', page), false);
});

t.test('any other failure is not taken for an answer', async (t) => {
  const files = new MemoryFiles();
  files.hook = ({ op }) => {
    if (op === 'write') throw failure('EIO');
    return undefined;
  };
  await t.rejects(takesDirectIo(files, '/node', page), { code: 'EIO' });
});
