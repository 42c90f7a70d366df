import t from 'tap';
import {
  createFile,
  makeFolder,
  removeFile,
  renameFile,
  replaceFile,
  syncData,
  syncFolder,
} from '../../../src/segment/durable-steps.ts';
import { writeFully } from '../../../src/segment/segment-files.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { readSources } from '../../helpers/source-files.ts';

const content = Buffer.from('content');

function stepsOf(files: MemoryFiles): string[] {
  return files.steps.map(({ op, path }) => `${op} ${path}`);
}

t.test('a new file is synced, then its name', async (t) => {
  const files = new MemoryFiles();
  await createFile(files, '/node/new', (file) => writeFully(file, content, 0));
  t.same(stepsOf(files), ['open /node/new', 'write /node/new', 'sync /node/new', 'syncDirectory /node']);
  t.ok(
    files
      .crash(() => false)
      .content('/node/new')
      .equals(content),
  );
});

t.test('a file that moves to another folder is neither lost nor doubled by a power cut', async (t) => {
  const files = new MemoryFiles();
  files.put('/node/seg/1', content);
  await renameFile(files, '/node/seg/1', '/node/quarantine/1');
  t.same(stepsOf(files), ['rename /node/seg/1', 'syncDirectory /node/quarantine', 'syncDirectory /node/seg']);
  const after = files.crash(() => false);
  t.ok(after.content('/node/quarantine/1').equals(content));
  t.throws(() => after.content('/node/seg/1'), { code: 'ENOENT' });
});

t.test('a file that is replaced is the old one or the new one', async (t) => {
  const files = new MemoryFiles();
  files.put('/node/NODE', Buffer.from('old'));
  files.put('/node/NODE.new', Buffer.from('left over'));
  await replaceFile(files, '/node/NODE', content);
  t.ok(
    files
      .crash(() => false)
      .content('/node/NODE')
      .equals(content),
  );
  files.hook = ({ op }) => {
    if (op === 'sync') throw failure('EIO');
    return undefined;
  };
  await t.rejects(replaceFile(files, '/node/NODE', Buffer.from('lost')), { step: 'sync', code: 'EIO' });
  t.ok(
    files
      .crash(() => true)
      .content('/node/NODE')
      .equals(content),
  );
});

t.test('each folder that got a new name is synced', async (t) => {
  const files = new MemoryFiles();
  await makeFolder({ ...bound(files), makeDirectory: async () => '/a' }, '/a/b');
  t.same(stepsOf(files), ['syncDirectory /a', 'syncDirectory /']);
});

t.test('what is not there is removed already; another failure is told', async (t) => {
  const files = new MemoryFiles();
  await removeFile(files, '/node/x');
  files.hook = () => {
    throw failure('EIO');
  };
  await t.rejects(removeFile(files, '/node/x'), { code: 'EIO' });
  await t.rejects(syncFolder(files, '/node'), { step: 'sync', code: 'EIO' });
  files.hook = () => undefined;
  const file = await files.open('/node/y', { access: 'create', direct: false });
  await syncData(file);
});

t.test('no file of a node is synced or renamed in another way', async (t) => {
  const strays = [...readSources('src/graviton'), ...readSources('src/segment')]
    .filter(({ path }) => !/durable-steps|segment-files|aligned-reads/.test(path))
    .flatMap(({ path, code }) =>
      [...code.matchAll(/\.(sync|dataSync|syncDirectory)\(|(?<!naming\()files\.rename\(/g)].map(([call]) => `${path}: ${call}`),
    );
  t.same(strays, []);
});

function bound(files: MemoryFiles) {
  return {
    open: files.open.bind(files),
    rename: files.rename.bind(files),
    unlink: files.unlink.bind(files),
    list: files.list.bind(files),
    syncDirectory: files.syncDirectory.bind(files),
  };
}
