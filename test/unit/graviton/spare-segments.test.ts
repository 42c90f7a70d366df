import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { type SpareOptions, SpareSegments } from '../../../src/graviton/spare-segments.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';

const segmentSize = 10_000_000;

function sparesIn(files: MemoryFiles, changes: Partial<SpareOptions> = {}) {
  const faults: unknown[] = [];
  const spares = new SpareSegments({
    files,
    directory: '/node',
    countMax: 2,
    segmentSize,
    direct: false,
    busy: () => false,
    hasRoom: () => true,
    onFault: (error) => faults.push(error),
    ...changes,
  });
  return { spares, faults };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

t.test('spares are whole files of zeros, as many as wanted', async (t) => {
  const files = new MemoryFiles();
  const { spares } = sparesIn(files);
  t.equal(spares.take(), undefined);
  spares.fill();
  await until(() => spares.count === 2);
  const path = spares.take() as string;
  t.ok(files.content(path).equals(Buffer.alloc(segmentSize)));
  t.not(spares.take(), path);
  t.equal(spares.take(), undefined);
  await spares.close();
});

t.test('spares of an earlier run are used again, half-made ones are removed', async (t) => {
  const files = new MemoryFiles();
  files.put('/node/seg/3.spare', Buffer.alloc(segmentSize));
  files.put('/node/seg/4.spare', Buffer.alloc(100));
  files.put('/node/seg/0000000000000001.seg', Buffer.alloc(100));
  const { spares } = sparesIn(files);
  await spares.adopt();
  t.equal(spares.count, 1);
  spares.fill();
  await until(() => spares.count === 2);
  t.same([...(await files.list(join('/node', 'seg')))].sort(), ['0000000000000001.seg', '3.spare', '5.spare']);
  await spares.close();
});

t.test('no spare is made while the writer is busy, nor below the floor of free space', async (t) => {
  const files = new MemoryFiles();
  const busy = sparesIn(files, { busy: () => true }).spares;
  busy.fill();
  await pause(50);
  t.notOk(files.steps.some(({ op }) => op === 'write'));
  await busy.close();
  t.same(await files.list('/node/seg'), [], 'closing leaves nothing half-made');
  const tight = sparesIn(files, { hasRoom: () => false }).spares;
  tight.fill();
  await tight.close();
  t.same(await files.list('/node/seg'), []);
});

t.test('a spare that can not be made is reported and removed', async (t) => {
  const files = new MemoryFiles();
  files.hook = ({ op }) => {
    if (op === 'sync') throw failure('ENOSPC');
    return undefined;
  };
  const { spares, faults } = sparesIn(files);
  spares.fill();
  await until(() => faults.length > 0);
  t.match(faults, [{ code: 'ENOSPC' }]);
  t.same(await files.list('/node/seg'), []);
  await spares.close();
});
